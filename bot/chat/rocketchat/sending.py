"""Posting, editing and reacting: each message once, and never in another room than it is for."""

import base64
import hashlib
import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from bot.chat.background import Background
from bot.chat.rocketchat.answers import Busy, LoggedOut, Refused, RestError, Unavailable, is_denied
from bot.chat.rocketchat.emoji import SHORTNAMES
from bot.chat.rocketchat.people import People
from bot.chat.rocketchat.rendering import body_of, edited_of
from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.workspace import Workspace
from bot.chat.shapes import Json, mapping, nested
from commands.errors import ChatRefused, ChatTrouble, DirectRefused
from commands.ports import Outgoing

log = logging.getLogger(__name__)

_BY_SETTING = {"error-message-size-exceeded", "error-not-allowed"}
"""What is said, among others, to a text that is too long and to a thread where there are none."""
_BLOCKED = "room_is_blocked"

_KNOWN_FOR_SECONDS = 60.0
_MOST_KNOWN = 10_000


def message_id(key: bytes, outgoing_id: str) -> str:
    """The `_id` of a message: the same for the same id, and for nobody else to guess or take."""
    digest = hmac.new(key, outgoing_id.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()


class Sender:
    """All methods raise ChatBusy, ChatRefused and ChatUnavailable, but `react` none of them.

    `me` is the bot's user id, `message_key` a secret of its own.
    """

    def __init__(
        self,
        rest: RestApi,
        workspace: Workspace,
        people: People,
        background: Background,
        *,
        me: str,
        message_key: bytes,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rest = rest
        self._workspace = workspace
        self._people = people
        self._background = background
        self._me = me
        self._key = message_key
        self._steady = steady
        self._rids: OrderedDict[str, tuple[float, str]] = OrderedDict()

    # --- what the adapter does --------------------------------------------------------------------

    async def send(self, message: Outgoing) -> str:
        """Post, and offer the buttons; gives the message's `_id`. Twice posts once."""
        ref = message_id(self._key, message.id)
        usernames = await self._people.usernames(who.id for who in message.document.pings)
        try:
            await self._as_allowed(lambda: self._post(message, ref, usernames))
        except Refused as error:
            if error.code == _BLOCKED:
                raise DirectRefused(str(error)) from error
            raise
        if message.document.buttons:
            offer = self._offer(message.channel, ref, message.document.buttons)
            self._background.start(f"buttons:{ref}", offer)
        return ref

    async def edit(self, ref: str, message: Outgoing) -> None:
        """Replace the text of `ref`; the same again changes nothing."""
        await self._as_allowed(lambda: self._update(message, ref))

    async def react(self, channel: str, ref: str, key: str) -> None:
        """Put a reaction on a message, best effort; without `shouldReact` the call would toggle."""
        shortname = SHORTNAMES.get(key.removesuffix("\N{VARIATION SELECTOR-16}"))
        try:
            if shortname is None:
                raise ChatRefused("an emoji that is not in the list")
            await self._rest.post("chat.react", messageId=ref, emoji=shortname, shouldReact=True)
        except ChatTrouble as error:
            log.info(
                "reaction not set: %s", error, extra={"action": "reaction_failed", "room": channel}
            )

    def note(self, ref: str, rid: str) -> None:
        """A message was just seen in this room: what answers it need not ask where it is."""
        self._rids[ref] = (self._steady(), rid)
        self._rids.move_to_end(ref)
        if len(self._rids) > _MOST_KNOWN:
            self._rids.popitem(last=False)

    # --- posting ----------------------------------------------------------------------------------

    async def _post(self, message: Outgoing, ref: str, usernames: dict[str, str]) -> None:
        """Post, unless it is there already; previews of our links would fetch them."""
        body = body_of(message.document, usernames, max_size=self._workspace.max_size)
        document: Json = {"_id": ref, "rid": message.channel, "msg": body.msg}
        if body.attachments:
            document["attachments"] = list(body.attachments)
        if tmid := await self._thread_of(message):
            document["tmid"] = tmid
        try:
            await self._rest.post("chat.sendMessage", message=document, previewUrls=[])
        except (Busy, LoggedOut):
            raise
        except RestError as error:
            if not await self._is_there(ref, message.channel, error):
                raise

    async def _is_there(self, ref: str, rid: str, doubt: RestError) -> bool:
        """Whether the message stands in its room, after an answer that leaves this open.

        Every refusal does: an earlier try may have been stored before its answer was lost, and a
        repeat is refused with whatever is true by now (in JavaScript's words, in general).
        """
        if isinstance(doubt, Unavailable) and doubt.code in {"tls", "redirect", "closed"}:
            return False
        found = await self._message(ref)
        if not found:
            return False
        if nested(found, "u", "_id") == self._me and found.get("rid") == rid:
            return True
        raise ChatRefused("the id of this message is taken") from doubt

    async def _message(self, ref: str) -> Json:
        """The message, {} when there is none that the bot may see (400, with or without a word)."""
        try:
            return dict(
                mapping((await self._rest.get("chat.getMessage", msgId=ref)).get("message"))
            )
        except RestError as error:
            if is_denied(error):
                return {}
            raise

    async def _update(self, message: Outgoing, ref: str) -> None:
        text = edited_of(message.document, max_size=self._workspace.max_size).msg
        await self._rest.post(
            "chat.update", roomId=message.channel, msgId=ref, text=text, previewUrls=[]
        )

    async def _as_allowed(self, say: Callable[[], Awaitable[None]]) -> None:
        """Say it, again where the workspace allows less than at our last look."""
        before = (self._workspace.max_size, self._workspace.threads)
        try:
            return await say()
        except Refused as error:
            if error.code not in _BY_SETTING:
                raise
            await self._workspace.refresh()
            if (self._workspace.max_size, self._workspace.threads) == before:
                raise
        await say()

    async def _offer(self, channel: str, ref: str, buttons: tuple[str, ...]) -> None:
        for key in buttons:
            await self.react(channel, ref, key)

    # --- threads ----------------------------------------------------------------------------------

    async def _thread_of(self, message: Outgoing) -> str | None:
        """The thread that this belongs into, if it is one of the same room. Cards are in none:
        everybody in the channel shall see them.

        The server posts into the room of the thread, whatever room was asked for (read in source,
        executeSendMessage): a private link would stand in public.
        """
        root = message.thread
        if root is None or not self._workspace.threads:
            return None
        at, rid = self._rids.get(root, (0.0, None))
        if rid is None or self._steady() - at > _KNOWN_FOR_SECONDS:
            found = await self._message(root)
            rid = None if found.get("t") == "rm" else found.get("rid")
            if isinstance(rid, str):
                self.note(root, rid)
        return root if rid == message.channel else None
