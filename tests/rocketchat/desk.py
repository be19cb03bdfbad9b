"""What the bot says and asks by REST, put together against a test server; nothing receives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.chat.background import Background
from bot.chat.rocketchat.direct import DirectRooms
from bot.chat.rocketchat.lookups import Lookups
from bot.chat.rocketchat.members import Members
from bot.chat.rocketchat.people import People
from bot.chat.rocketchat.permissions import Permissions
from bot.chat.rocketchat.rest import Rest
from bot.chat.rocketchat.rooms import OwnRooms
from bot.chat.rocketchat.sending import Sender, message_id
from bot.chat.rocketchat.workspace import Workspace
from bot.clock import utc_now
from commands.messages import Document, Text
from commands.ports import Outgoing
from tests.fakes.rocketchat import PROFILES, RocketChat, Room, User

KEY = b"key of message ids"

on_every_version = pytest.mark.parametrize("profile", PROFILES)


@dataclass
class Desk:
    """One room `team` with the bot, ana (its owner) and ben; cy is in none. `now`: steady clock."""

    server: RocketChat
    bot: User
    ana: User
    ben: User
    cy: User
    team: Room
    seconds: float = 10.0
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.rest = Rest(
            self.server.url,
            self.bot.id,
            self.bot.token,
            timeout=self.seconds,
            pauses=(0.01, 0.02),
        )
        self.workspace = Workspace(self.rest, self.server.url)
        self.lookups = Lookups(self.rest, self.steady)
        self.members = Members(self.rest, self.workspace, self.steady)
        self.permissions = Permissions(self.lookups, self.members)
        self.rooms = OwnRooms(self.bot.id)
        self.people = People(
            self.lookups, self.members, self.permissions, self.workspace, self.rooms
        )
        self.direct = DirectRooms(self.rest, self.lookups, self.bot.id)
        self.background = Background()
        self.sender = Sender(
            self.rest,
            self.workspace,
            self.people,
            self.background,
            me=self.bot.id,
            message_key=KEY,
            steady=self.steady,
        )

    def steady(self) -> float:
        return self.now

    async def look(self) -> None:
        """Learn the settings, and which rooms the bot is in."""
        await self.workspace.load()
        self.rooms.begin_look()
        self.rooms.listed((await self.rest.get("subscriptions.get"))["update"], at=utc_now())
        for room in (await self.rest.get("rooms.get"))["update"]:
            self.rooms.learn(room)

    def asked(self, path: str) -> int:
        """How many requests of this path have reached the server."""
        return sum(one.path == path for one in self.server.requests)

    def texts(self, room: Room) -> list[str]:
        """What the bot said in a room."""
        documents = self.server.messages(room)
        return [
            one["msg"] for one in documents if one["u"]["_id"] == self.bot.id and "t" not in one
        ]

    async def close(self) -> None:
        await self.background.close()
        await self.rest.close()


@asynccontextmanager
async def desk_in(profile: str, *, seconds: float = 10.0) -> AsyncIterator[Desk]:
    async with RocketChat(profile) as server:
        bot = server.add_user("bbb", roles=("bot", "user"), name="BBB")
        ana, ben, cy = (server.add_user(name, name=name.title()) for name in ("ana", "ben", "cy"))
        team = server.add_room("team", owner=ana, members=(bot, ben))
        desk = Desk(server, bot, ana, ben, cy, team, seconds)
        await desk.look()
        try:
            yield desk
        finally:
            await desk.close()


def saying(words: str, room: Room, *, id: str = "letter-1", **more: Any) -> Outgoing:
    """A message of one line."""
    document = Document(((Text(words),),), **more.pop("document", {}))
    return Outgoing(id=id, channel=room.id, document=document, **more)


def id_of(outgoing: Outgoing) -> str:
    """The `_id` that the bot gives it."""
    return message_id(KEY, outgoing.id)
