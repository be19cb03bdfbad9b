"""Measures the button: joins a second and their latency, and looks while many pages wait.

    python bench/join.py [--quick] [--rounds N]

BBB answers at once, membership is asked of a real Synapse each time. In the same rounds a floor is
measured: a bare handler that asks Synapse once and redirects. The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bench.chat import keep_byte_code, tell
from bench.clicks import Click, Clicked, Door, all_at_once, in_turn, steadily
from bench.figures import milliseconds
from bench.meter import Meter
from bot.demo.synapse import Account, Synapse
from bot.keys import open_data_dir, open_keys
from commands.links import fingerprint, token
from commands.messages import LinkTo
from storage.open import open_store
from storage.records import Channel, Link, LinkKind, Person, Room, RoomKind
from tests.matrix.client import Visitor
from tests.matrix.our_bot import write_config
from tests.our_bot import BOT, Process, free_port

ROOMS = 6
PEOPLE = 30
A_SECOND = 50.0
HANDS = 20
WAITING = 500
OPENED_AT_ONCE = 25
UP_SECONDS = 60.0
SEE_OTHER, OK = 303, 200


@dataclass(frozen=True, slots=True)
class Plan:
    """So much a round: clicks `steady` at 50 a second, clicks in a `burst`, `looks`."""

    rounds: int
    steady: int
    burst: int
    looks: int


def plan_of(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(description="Measure the way through the join page.")
    parser.add_argument("--quick", action="store_true", help="one round of 100 and 100 clicks")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 3, quick 1)")
    given = parser.parse_args(arguments)
    if given.quick:
        return Plan(given.rounds or 1, steady=100, burst=100, looks=50)
    return Plan(given.rounds or 3, steady=1000, burst=1000, looks=500)


@dataclass(slots=True)
class Contestant:
    """Who is measured: its clicks, and what came of them; processor time is its own process's."""

    name: str
    clicks: list[Click]
    meter: Meter
    steady: Clicked = field(default_factory=Clicked)
    burst: Clicked = field(default_factory=Clicked)
    a_second: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0

    async def one_round(self, plan: Plan) -> None:
        clicks, before = in_turn(self.clicks), self.meter.cpu_seconds()
        await steadily(clicks, self.steady, wanted=SEE_OTHER, number=plan.steady, a_second=A_SECOND)
        rate = await all_at_once(
            clicks, self.burst, wanted=SEE_OTHER, number=plan.burst, hands=HANDS
        )
        self.a_second.append(rate)
        self.cpu_seconds += self.meter.cpu_seconds() - before

    def figures(self) -> dict[str, float]:
        return {
            "joins_per_s": round(median(self.a_second), 1),
            **self.steady.figures("join"),
            **self.burst.figures("burst"),
            "cpu_ms_per_join": milliseconds(
                self.cpu_seconds / len(self.steady.seconds + self.burst.seconds)
            ),
            "wrong": self.steady.wrong + self.burst.wrong,
        }


@dataclass(frozen=True, slots=True)
class Hall:
    """A channel with its room, and a link for each member."""

    channel: str
    members: Sequence[Account]
    links: Sequence[str]


class Arena:
    """Synapse, an instant BBB, our bot and the floor, each in a process of its own."""

    def __init__(self, directory: Path, ending: AsyncExitStack) -> None:
        self._directory = directory
        self._ending = ending
        self._synapse = Synapse(directory / "synapse")
        self.halls: list[Hall] = []
        self.guest_link = ""

    async def open(self) -> None:
        """Everything is there and up, but for the contestants."""
        await self._ending.enter_async_context(self._synapse)
        self._bot = await self._synapse.register("bbb-bot")
        people = [await self._synapse.register(f"person-{n}") for n in range(PEOPLE)]
        channels = [await self._channel(people[n::ROOMS]) for n in range(ROOMS)]
        bbb = free_port()
        self._config = self._settings() | {"bbb": self._bbb(bbb)}
        await self._seed(channels, people)
        await self._start("bbb", ["-m", "bench.instant_bbb", str(bbb)], bbb)

    async def ours(self, http: aiohttp.ClientSession) -> tuple[Contestant, Door]:
        """Our bot, started, with a press of each person in turn, one hall after the other."""
        file = self._directory / "config.yaml"
        file.write_text(json.dumps(self._config))
        port = self._config["listen"]["port"]
        program = await self._start("bot", [*BOT[1:], "run", "--config", str(file)], port)
        door = Door(http, self._config["public_url"])
        links = [link for row in zip(*(h.links for h in self.halls), strict=True) for link in row]
        clicks: list[Click] = [partial(door.press, link, n) for n, link in enumerate(links)]
        return Contestant("bbb-bot", clicks, Meter.of(program.pid)), door

    async def floor(self, http: aiohttp.ClientSession) -> Contestant:
        """The bare handler, started, asked for the same people and rooms."""
        port = free_port()
        settings = {
            "port": port,
            "homeserver": self._synapse.url,
            "access_token": self._bot.access_token,
        }
        file = self._directory / "floor.json"
        file.write_text(json.dumps(settings))
        program = await self._start("floor", ["-m", "bench.join_floor", str(file)], port)
        rows = zip(*([(h.channel, m.user_id) for m in h.members] for h in self.halls), strict=True)
        clicks: list[Click] = [
            partial(_ask, http, f"http://127.0.0.1:{port}/join", room, person)
            for row in rows
            for room, person in row
        ]
        return Contestant("floor", clicks, Meter.of(program.pid))

    async def _channel(self, members: Sequence[Account]) -> str:
        first, *others = members
        async with Visitor(self._synapse.url, first) as owner:
            room = await owner.create_room(preset="public_chat", name=f"Hall of {first.user_id}")
        for account in (self._bot, *others):
            async with Visitor(self._synapse.url, account) as member:
                await member.join(room)
        return room

    def _settings(self) -> dict[str, Any]:
        url = self._synapse.url
        file = write_config(
            self._directory, self._bot, homeserver=url, bbb_port=1, bbb_secret="x" * 32
        )
        config: dict[str, Any] = json.loads(file.read_text())
        return config | {"trusted_proxies": ["127.0.0.1"]}

    def _bbb(self, port: int) -> dict[str, Any]:
        url = f"http://127.0.0.1:{port}/bigbluebutton/"
        return {"servers": [{"name": "instant", "url": url, "secret": secrets.token_hex(16)}]}

    async def _seed(self, channels: Sequence[str], people: Sequence[Account]) -> None:
        """Rooms and links as commands would have made them, before the bot is started."""
        data = Path(self._config["data_dir"])
        key, store = open_keys(open_data_dir(data)).link, await open_store(data)

        async def room(number: int, channel: str, kind: RoomKind) -> Room:
            return await store.put_room(
                Room(
                    id=f"room-{number}",
                    kind=kind,
                    channel=Channel("matrix", channel),
                    name=f"Room {number}",
                    meeting_id=f"bench-{number}-{secrets.token_hex(8)}",
                    owner=Person("matrix", people[0].user_id),
                    created_at=datetime.now(UTC),
                    cause=f"bench:{number}",
                )
            )

        async def link(goal: LinkTo) -> str:
            made, now = token(key, goal), datetime.now(UTC)
            ends = now + timedelta(days=1)
            row = Link(fingerprint(made), goal.kind, goal.room, goal.person, 1, now, ends)
            await store.put_link(row)
            return made

        for number, channel in enumerate(channels):
            hall = await room(number, channel, RoomKind.DEFAULT)
            members = people[number::ROOMS]
            goals = [
                LinkTo(LinkKind.PERSONAL, hall.id, 1, Person("matrix", member.user_id))
                for member in members
            ]
            links = [await link(goal) for goal in goals]
            self.halls.append(Hall(channel, members, links))
        empty = await room(ROOMS, channels[0], RoomKind.NAMED)
        self.guest_link = await link(LinkTo(LinkKind.GUEST, empty.id, 1))
        await store.close()

    async def _start(self, name: str, command: Sequence[str], port: int) -> Process:
        """Started, and listening. Raises TimeoutError with its last words."""
        program = Process((sys.executable, *command), self._directory / f"{name}.txt")
        program.start()
        self._ending.push_async_callback(program.stop)
        deadline = time.monotonic() + UP_SECONDS
        while not await _listens(port):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not listen; it said:\n{program.last_words()}")
            await asyncio.sleep(0.05)
        return program


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _ask(http: aiohttp.ClientSession, url: str, room: str, person: str) -> int:
    query = urlencode({"room": room, "person": person})
    async with http.post(f"{url}?{query}", allow_redirects=False) as answer:
        await answer.read()
        return answer.status


async def run(plan: Plan) -> dict[str, dict[str, float]]:
    """Measure and tell; the figures of ours, of the floor, and of looks."""
    with tempfile.TemporaryDirectory() as directory:
        async with AsyncExitStack() as ending:
            arena = Arena(Path(directory), ending)
            await arena.open()
            connector, jar = aiohttp.TCPConnector(limit=0), aiohttp.DummyCookieJar()
            session = aiohttp.ClientSession(connector=connector, cookie_jar=jar)
            http = await ending.enter_async_context(session)
            ours, door = await arena.ours(http)
            contestants = [ours, await arena.floor(http)]
            await _warm_up(contestants)
            for number in range(plan.rounds):
                for contestant in contestants:
                    await contestant.one_round(plan)
                    tell(f"round {number + 1}  {contestant.name:<8} {contestant.figures()}")
            figures = {contestant.name: contestant.figures() for contestant in contestants}
            return figures | {"looks": await _looks(door, arena, plan)}


async def _warm_up(contestants: Sequence[Contestant]) -> None:
    """Every room opened once, every connection made."""
    for contestant in contestants:
        for click in contestant.clicks:
            status = await click()
            if status != SEE_OTHER:
                raise RuntimeError(f"{contestant.name} answered {status} instead of a way in")


async def _looks(door: Door, arena: Arena, plan: Plan) -> dict[str, float]:
    """Looks at personal links with nobody waiting, then with as many waiting pages as may be."""
    links = [link for hall in arena.halls for link in hall.links]
    looks: list[Click] = [partial(door.look, link, number) for number, link in enumerate(links)]
    alone, beside = Clicked(), Clicked()
    await steadily(in_turn(looks), alone, wanted=OK, number=plan.looks, a_second=A_SECOND)
    pages = await _waiting_pages(door, arena.guest_link)
    tell(f"{len(pages)} pages wait")
    await steadily(in_turn(looks), beside, wanted=OK, number=plan.looks, a_second=A_SECOND)
    waiting = sum(not page.content.is_eof() for page in pages)
    for page in pages:
        page.close()
    return {
        **alone.figures("look"),
        **beside.figures("look_with_waiting"),
        "waiting": waiting,
        "wrong": alone.wrong + beside.wrong,
    }


async def _waiting_pages(door: Door, link: str) -> list[aiohttp.ClientResponse]:
    """Guests before a call that nobody is in; twenty of one address, as a school has it."""
    pages: list[aiohttp.ClientResponse] = []
    for begin in range(0, WAITING, OPENED_AT_ONCE):
        numbers = range(begin, begin + OPENED_AT_ONCE)
        waits = [door.wait(link, 1000 + number // 20) for number in numbers]
        pages += await asyncio.gather(*waits)
    return pages


def main() -> None:
    began = time.monotonic()
    keep_byte_code()
    result = asyncio.run(run(plan_of(sys.argv[1:])))
    tell(f"took {time.monotonic() - began:.0f} s")
    tell(json.dumps(result))


if __name__ == "__main__":
    main()
