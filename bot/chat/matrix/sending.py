"""Posting, editing and reacting; never anything readable into an encrypted room."""

import hashlib
import json
import logging

from bot.chat.background import Background
from bot.chat.matrix.answers import MatrixError, in_our_words, trouble
from bot.chat.matrix.client import Client, at
from bot.chat.matrix.keys import Keys
from bot.chat.matrix.memory import FORGETS, own_message
from bot.chat.matrix.receive import OUR_ID
from bot.chat.matrix.rendering import content_of, edited, relation
from bot.chat.shapes import Json
from bot.clock import utc_now
from commands.errors import ChatTrouble, ChatUnavailable
from commands.ports import Outgoing

log = logging.getLogger(__name__)

_ROOM_SECONDS = 10.0


def transaction_id(*parts: str) -> str:
    """The same for the same parts: the server then keeps one message (for about 24 hours)."""
    return "bbb-bot." + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


class Sender:
    """All methods raise ChatBusy, ChatRefused and ChatUnavailable, but `react` none of them."""

    def __init__(self, client: Client, keys: Keys, background: Background) -> None:
        self._client = client
        self._keys = keys
        self._background = background

    async def send(self, message: Outgoing) -> str:
        """Post, and offer the buttons; gives the event id.

        One decided so long ago that the server has forgotten an earlier try is looked for first.
        """
        transaction = transaction_id(message.id)
        if ref := await self._sent_before(message, transaction):
            return ref
        content = {
            **content_of(message.document),
            **relation(message.reply_to, message.thread),
        }
        ref = await self._post(message.channel, "m.room.message", content, transaction)
        if message.document.buttons:
            offer = self._offer(message.channel, ref, message.document.buttons)
            self._background.start(f"buttons:{ref}", offer)
        return ref

    async def _sent_before(self, message: Outgoing, transaction: str) -> str | None:
        since = message.decided_at
        if since is None or utc_now() - since < FORGETS:
            return None
        try:
            return await own_message(self._client, message.channel, transaction, since=since)
        except MatrixError as error:
            if error.is_breakdown:  # of the history: that says nothing about this message
                raise ChatUnavailable(str(error)) from error
            raise trouble(error) from error

    async def edit(self, ref: str, message: Outgoing) -> None:
        """Replace what `ref` shows; the same new content again changes nothing."""
        content = edited(message.document, ref)
        transaction = transaction_id("edit", message.id, ref, json.dumps(content, sort_keys=True))
        await self._post(message.channel, "m.room.message", content, transaction)

    async def react(self, channel: str, ref: str, key: str) -> None:
        """Put a reaction on a message, best effort."""
        related = {"rel_type": "m.annotation", "event_id": ref, "key": key}
        path = at("rooms", channel, "send", "m.reaction", transaction_id("react", ref, key))
        try:
            await self._client.ask("PUT", path, body={"m.relates_to": related})
        except (MatrixError, ChatTrouble) as error:
            log.info("reaction not set", extra={"action": "reaction_failed", "error": str(error)})

    async def _offer(self, channel: str, ref: str, buttons: tuple[str, ...]) -> None:
        for key in buttons:
            await self.react(channel, ref, key)

    async def _post(self, room: str, kind: str, content: Json, transaction: str) -> str:
        content = {**content, OUR_ID: transaction}
        with in_our_words():
            if await self._is_encrypted(room):
                await self._client.knows(room, seconds=_ROOM_SECONDS)
                kind, content = await self._keys.encrypt(room, kind, content)
            path = at("rooms", room, "send", kind, transaction)
            answer = await self._client.ask("PUT", path, body={**content, OUR_ID: transaction})
        if not isinstance(answer.get("event_id"), str):
            raise ChatUnavailable("no event id in the answer to a message")
        return str(answer["event_id"])

    async def _is_encrypted(self, room: str) -> bool:
        """As the sync knows it; for a room it does not know (yet), as the server says."""
        if room in self._client.rooms:
            return self._client.is_encrypted(room)
        try:
            await self._client.ask("GET", at("rooms", room, "state", "m.room.encryption"))
        except MatrixError as error:
            if error.status == 404 and error.errcode == "M_NOT_FOUND":
                return False
            raise
        return True
