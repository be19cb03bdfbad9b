"""Invitations to rooms: whom the bot follows, and following them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, Json, at
from bot.chat.matrix.direct import DirectRooms
from commands.errors import ChatUnavailable

log = logging.getLogger(__name__)

JOIN_SECONDS = 60.0  # a room of another server can take long
_PAUSES = (1.0, 5.0, 30.0, 120.0, 600.0)


@dataclass(frozen=True, slots=True)
class Invite:
    """Somebody asked the bot into a room."""

    room: str
    inviter: str
    is_direct: bool


def server_of(user: str) -> str:
    """The server of a user id; never ask this of a room id."""
    return user.partition(":")[2]


def is_allowed(inviter: str, allowed: frozenset[str]) -> bool:
    """`allowed` holds user ids and server names."""
    return inviter in allowed or server_of(inviter) in allowed


def invites_in(answer: Json, me: str) -> Iterator[Invite]:
    """The invitations of a sync answer."""
    for room, info in answer.get("rooms", {}).get("invite", {}).items():
        for event in info.get("invite_state", {}).get("events", []):
            if _is_for(event, me):
                direct = event["content"].get("is_direct") is True
                yield Invite(room, str(event.get("sender")), direct)


def _is_for(event: Any, me: str) -> bool:
    return (
        isinstance(event, dict)
        and event.get("type") == "m.room.member"
        and event.get("state_key") == me
        and isinstance(event.get("content"), dict)
        and event["content"].get("membership") == "invite"
    )


class Invites:
    """Joins where it is allowed, and declines the rest."""

    def __init__(
        self,
        client: Client,
        direct: DirectRooms,
        *,
        allowed: frozenset[str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._direct = direct
        self._allowed = allowed
        self._sleep = sleep

    async def answer(self, invite: Invite) -> None:
        """Join or decline; to be run beside the sync. Raises MatrixError, ChatUnavailable."""
        if not is_allowed(invite.inviter, self._allowed):
            await self._decline(invite, "the inviter is not on the list")
        elif not await self._join(invite):
            await self._decline(invite, "the room cannot be joined")
        elif invite.is_direct:
            self._direct.note(invite.inviter, invite.room)
            await self._direct.store()

    async def _join(self, invite: Invite) -> bool:
        """Whether the bot is in; tries for some minutes while the server has trouble."""
        for pause in _PAUSES:
            try:
                await self._client.ask(
                    "POST",
                    at("join", invite.room),
                    query={"server_name": server_of(invite.inviter)},
                    body={},
                    seconds=JOIN_SECONDS,
                )
                return True
            except MatrixError as error:
                if error.is_for_good:
                    return False
            except ChatUnavailable:
                pass
            await self._sleep(pause)
        return False

    async def _decline(self, invite: Invite, reason: str) -> None:
        log.warning(
            "invitation declined",
            extra={
                "action": "invite_declined",
                "room": invite.room,
                "inviter": invite.inviter,
                "reason": reason,
            },
        )
        await self._client.ask("POST", at("rooms", invite.room, "leave"), body={})
