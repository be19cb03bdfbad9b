"""The bot at a server that is not ours and says no more than it must."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.chat.base import Mode
from bot.clock import utc_now
from bot.core import Bot, Secrets
from bot.demo.bbb import SimulatedBBB
from bot.doctor import Level
from commands.ports import Policy
from storage.open import open_store
from tests import canary
from tests.rocketchat.adapters import RHYTHM, adapter_of, until
from tests.rocketchat.plain_server import Person, PlainServer, Room
from tests.rocketchat.test_doctor import Doctor
from tests.scenario.scene import Line

BBB = "http://bbb.example"
OPTIONAL = (
    ("settings.public", "subscriptions.getOne", "rooms.isMember", "chat.react"),
    ("rooms.get", "rooms.roles", "chat.getMessage"),
    ("rooms.membersOrderedByRole", "rooms.roles"),
)
"""Calls that another version, or an administrator, may take away without taking commands away."""


@dataclass
class Office:
    """A channel with three people and the bot in it."""

    server: PlainServer
    adapter: Any
    bot: Person
    ana: Person
    ben: Person
    team: Room

    async def answered(self, times: int, room: Room | None = None) -> list[str]:
        """What the bot has said in the room, once it is so much."""
        there = room or self.team
        await until(lambda: len(self.server.said_by(self.bot, there)) >= times)
        return self.server.said_by(self.bot, there)


@asynccontextmanager
async def office(directory: Path, mode: Mode = Mode.LIVE, **changes: Any) -> AsyncIterator[Office]:
    """With the bot at work, which hears in this way."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(PlainServer(**changes))
        bot, ana, ben = (server.add_user(name) for name in ("bbb", "ana", "ben"))
        team = server.add_room("team", "c", (bot, ana, ben))
        team.roles[ana.id] = ["owner"]
        await server.say(ana, team, "!bbb help")  # history
        store = await open_store(directory / "data")
        stack.push_async_callback(store.close)
        line = Line(SimulatedBBB(canary.BBB_SECRET, now=utc_now, public_url=BBB))
        client = Client(
            name="one",
            url=f"{BBB}/bigbluebutton/api/",
            secrets=[canary.BBB_SECRET],
            bot_version="test",
            transport=line,
        )
        servers = ServerPool(
            {"one": client}, chosen="one", origins=[BBB], now=lambda: utc_now().timestamp()
        )
        stack.push_async_callback(servers.close)
        rhythm = replace(RHYTHM, look_without_all=0.2)
        adapter: Any = adapter_of(server, bot, rhythm=rhythm)  # type: ignore[arg-type]
        program = Bot(
            store=store,
            adapters=[adapter],
            servers=servers,
            policy=Policy(public_url="https://calls.example.org"),
            keys=Secrets(canary.LINK_KEY, canary.PSEUDONYM_KEY),
            clock=utc_now,
        )
        stack.push_async_callback(program.stop)
        await program.start()
        await until(lambda: adapter.mode is mode)
        yield Office(server, adapter, bot, ana, ben, team)


async def use(place: Office) -> None:
    """A command, a private call, and a command by direct message without a prefix."""
    await place.server.say(place.ana, place.team, "!bbb help")
    assert len(await place.answered(1)) == 1
    await place.server.say(place.ana, place.team, '!bbb call @ben "Budget"')
    for who in (place.ana, place.ben):
        await until(lambda who=who: place.server.direct(place.bot, who) is not None)
        room = place.server.direct(place.bot, who)
        assert room
        (link,) = await place.answered(1, room)
        assert "https://calls.example.org/j/" in link
    own = place.server.direct(place.bot, place.ana)
    assert own
    await place.server.say(place.ana, own, "help")
    await place.answered(2, own)
    await place.answered(2)
    assert not [text for text in place.server.said_by(place.bot, place.team) if "/j/" in text]


@pytest.mark.parametrize("version", ["6.14", "8.8", "9.0"])
async def test_the_least_that_a_server_may_say_is_enough(tmp_path: Path, version: str) -> None:
    async with office(tmp_path, version=version) as place:
        await use(place)


@pytest.mark.parametrize("calls", OPTIONAL)
async def test_without_calls_that_may_be_missing_it_works_all_the_same(
    tmp_path: Path, calls: tuple[str, ...]
) -> None:
    async with office(tmp_path, missing=calls) as place:
        await use(place)


async def test_what_was_said_while_the_connection_was_away_is_answered_once(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await place.server.hang_up()
        await until(lambda: place.adapter.mode is not Mode.LIVE)
        await place.server.say(place.ana, place.team, "!bbb help")
        await until(lambda: place.adapter.mode is Mode.LIVE)
        await place.answered(1)
        await place.server.say(place.ana, place.team, "!bbb help")
        assert len(await place.answered(2)) == 2


async def test_without_a_realtime_service_it_asks(tmp_path: Path) -> None:
    async with office(tmp_path, Mode.POLLING, missing=["websocket"]) as place:
        await use(place)


async def test_a_direct_message_of_two_is_known_by_its_members_or_not_at_all(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        pair = place.server.add_room(None, "d", (place.bot, place.ana))
        assert await place.adapter.is_dm(pair.id)
        for told in ({"usersCount": 3}, {"usernames": ["ana", "bbb", "gone"]}, {"uids": []}):
            pair.told = told
            assert not await place.adapter.is_dm(pair.id), "somebody is not listed"
        group = place.server.add_room(None, "d", (place.bot, place.ana, place.ben))
        assert not await place.adapter.is_dm(group.id)


async def test_an_owner_is_known_wherever_the_roles_are_told(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await place.server.say(place.ben, place.team, "!bbb")
        await place.answered(1)
        await place.server.say(place.ana, place.team, "!bbb end")
        assert "ended" in " ".join(await place.answered(2))


async def test_the_doctor_finds_nothing_broken_but_the_roles(tmp_path: Path) -> None:
    async with PlainServer() as server:
        doctor = Doctor(server, server.add_user("bbb"), tmp_path)  # type: ignore[arg-type]
        await doctor.examine("rocketchat")
        assert doctor.wrong == {"roles": Level.WARN}
        assert doctor.found("version").text == "8.8"


async def test_the_doctor_does_not_take_a_limit_of_everybody_for_one_of_the_bot(
    tmp_path: Path,
) -> None:
    async with PlainServer(info_status=429) as server:
        doctor = Doctor(server, server.add_user("bbb"), tmp_path)  # type: ignore[arg-type]
        await doctor.examine("rocketchat")
        assert doctor.wrong == {"roles": Level.WARN}
        assert doctor.found("version").text == "the workspace does not tell its version"
