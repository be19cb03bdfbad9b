"""Somebody whose client is Element's own crypto engine (matrix-js-sdk), in a Node process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.demo.synapse import Account
from tests.node import Node


@dataclass(frozen=True, slots=True)
class Read:
    """A message as it came. `failure` says why it could not be read; `clear`: never encrypted."""

    room: str
    id: str
    sender: str
    body: str
    failure: str | None = None
    clear: bool = False


class Element:
    """Use as `async with`. `exclude` is the client's setting "exclude insecure devices"."""

    def __init__(self, url: str, account: Account, *, exclude: bool) -> None:
        self.account = account
        self._node = Node(Path(__file__).parent, "peer.mjs")
        self._start = {
            "url": url,
            "user": account.user_id,
            "device": account.device_id,
            "token": account.access_token,
            "password": account.password,
            "exclude": exclude,
        }

    async def __aenter__(self) -> Element:
        await self._node.__aenter__()
        await self._node.do("start", seconds=60, **self._start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._node.__aexit__()

    async def room(self, *invite: str) -> str:
        """A new encrypted room with these people in it."""
        return str(await self._node.do("room", invite=invite))

    async def say(self, room: str, text: str) -> str:
        """Post a message; its event id."""
        return str(await self._node.do("say", room=room, text=text))

    async def shield(self, message: Read) -> dict[str, Any]:
        """What is shown beside a message: `colour` 0 is nothing, 1 grey, 2 red."""
        found: dict[str, Any] = await self._node.do("shield", room=message.room, id=message.id)
        return found

    async def reads(self, text: str, *, seconds: float = 30.0) -> Read:
        """Wait for a message with this text. Raises AssertionError when it does not come."""
        found = await self._node.event(lambda one: one["body"] == text, text, seconds=seconds)
        return Read(**found)

    async def fails_to_read(self, *, sender: str, seconds: float = 30.0) -> Read:
        """Wait for a message of somebody's that cannot be read."""
        found = await self._node.event(
            lambda one: one["sender"] == sender and one.get("failure"),
            f"something unreadable of {sender}",
            seconds=seconds,
        )
        return Read(**found)
