"""Measures the button: joins a second and their latency, and looks while many pages wait.

    python bench/join.py [--quick] [--rounds N]

BBB answers at once, membership is asked of a real Synapse each time. In the same rounds a floor is
measured: a bare handler that asks Synapse once and redirects. The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
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
from bench.meter import Meter
from bot.demo.synapse import Account, Synapse
from bot.keys import open_data_dir, open_keys
from commands.links import fingerprint, token
from commands.messages import LinkTo
from storage.open import open_store
from storage.records import Channel, Link, LinkKind, Person, Room, RoomKind
from tests.matrix.client import Visitor
from tests.matrix.our_bot import BOT, Process, free_port, write_config

ROOMS = 10
PEOPLE = 50
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
    parser.add_argument("--quick", action="store_true", help="one round of 150 and 150 clicks")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 3, quick 1)")
    given = parser.parse_args(arguments)
    if given.quick:
        return Plan(given.rounds or 1, steady=150, burst=150, looks=100)
    return Plan(given.rounds or 3, steady=1000, burst=1000, looks=500)


@dataclass(slots=True)
class Contestant:
    """Who is measured: its clicks, and what came of them."""

    name: str
    clicks: list[Click]
    steady: Clicked = field(default_factory=Clicked)
    burst: Clicked = field(default_factory=Clicked)
    a_second: list[float] = field(default_factory=list)

    async def one_round(self, plan: Plan) -> None:
        clicks = in_turn(self.clicks)
        await steadily(clicks, self.steady, wanted=SEE_OTHER, number=plan.steady, a_second=A_SECOND)
        rate = await all_at_once(
            clicks, self.burst, wanted=SEE_OTHER, number=plan.burst, hands=HANDS
        )
        self.a_second.append(rate)

    def figures(self) -> dict[str, float]:
        return {
            "joins_per_s": round(median(self.a_second), 1),
            **self.steady.figures("join"),
            **self.burst.figures("burst"),
            "wrong": self.steady.wrong + self.burst.wrong,
        }


@dataclass(frozen=True, slots=True)
class Hall:
    """A channel with its room: a link for each member, and one for guests."""

    channel: str
    members: Sequence[Account]
    links: Sequence[str]
    guest_link: str


class Arena:
    """Synapse, an instant BBB, our bot and the floor, each in a process of its own."""

    def __init__(self, directory: Path, ending: AsyncExitStack) -> None:
        self._directory = directory
        self._ending = ending
        self._synapse = Synapse(directory / "synapse")
        self.pid = 0

    async def open(self) -> tuple[list[Hall], str, str]:
        """The halls, the address of our gateway, the address of the floor."""
        await self._ending.enter_async_context(self._synapse)
        bot = await self._synapse.register("bbb-bot")
        people = [await self._synapse.register(f"person-{n}") for n in range(PEOPLE)]
        channels = [await self._channel(bot, people[n::ROOMS]) for n in range(ROOMS)]
        bbb, config = free_port(), self._config(bot)
        config |= {"bbb": self._bbb(bbb)}
        file = self._directory / "config.yaml"
        file.write_text(json.dumps(config))
        halls = await self._seed(Path(config["data_dir"]), channels, people)
        await self._start("bbb", ["-m", "bench.instant_bbb", str(bbb)], bbb)
        ours = await self._start(
            "bot", [*BOT[1:], "run", "--config", str(file)], config["listen"]["port"]
        )
        self.pid = ours.pid
        return halls, config["public_url"], await self._floor(bot)

    async def _channel(self, bot: Account, members: Sequence[Account]) -> str:
        first, *others = members
        async with Visitor(self._synapse.url, first) as owner:
            room = await owner.create_room(preset="public_chat", name=f"Hall of {first.user_id}")
        for account in (bot, *others):
            async with Visitor(self._synapse.url, account) as member:
                await member.join(room)
        return room

    def _config(self, bot: Account) -> dict[str, Any]:
        file = write_config(
            self._directory, bot, homeserver=self._synapse.url, bbb_port=1, bbb_secret="x" * 32
        )
        config: dict[str, Any] = json.loads(file.read_text())
        return config | {"trusted_proxies": ["127.0.0.1"]}

    def _bbb(self, port: int) -> dict[str, Any]:
        url = f"http://127.0.0.1:{port}/bigbluebutton/"
        return {"servers": [{"name": "instant", "url": url, "secret": secrets.token_hex(16)}]}

    async def _seed(
        self, data: Path, channels: Sequence[str], people: Sequence[Account]
    ) -> list[Hall]:
        """Rooms and links as commands would have made them, before the bot is started."""
        key = open_keys(open_data_dir(data)).link
        store = await open_store(data)
        now = datetime.now(UTC)
        halls = []
        for number, channel in enumerate(channels):
            members = people[number::ROOMS]
            room = Room(
                id=f"room-{number}",
                kind=RoomKind.DEFAULT,
                channel=Channel("matrix", channel),
                name=f"Hall {number}",
                meeting_id=f"bench-{number}-{secrets.token_hex(8)}",
                owner=Person("matrix", members[0].user_id),
                created_at=now,
                cause=f"bench:{number}",
            )
            await store.put_room(room)
            goals = [
                LinkTo(LinkKind.PERSONAL, room.id, 1, Person("matrix", member.user_id))
                for member in members
            ]
            ends = now + timedelta(days=1)
            goals.append(LinkTo(LinkKind.GUEST, room.id, 1))
            links = [token(key, goal) for goal in goals]
            for goal, link in zip(goals, links, strict=True):
                row = Link(fingerprint(link), goal.kind, room.id, goal.person, 1, now, ends)
                await store.put_link(row)
            halls.append(Hall(channel, members, links[:-1], links[-1]))
        await store.close()
        return halls

    async def _floor(self, bot: Account) -> str:
        port = free_port()
        settings = {
            "port": port, "homeserver": self._synapse.url, "access_token": bot.access_token,
        }  # fmt: skip
        file = self._directory / "floor.json"
        file.write_text(json.dumps(settings))
        await self._start("floor", ["-m", "bench.join_floor", str(file)], port)
        return f"http://127.0.0.1:{port}"

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


async def run(plan: Plan) -> dict[str, dict[str, float]]:
    """Measure and tell; the figures of ours, of the floor, and of looks."""
    with tempfile.TemporaryDirectory() as directory:
        async with AsyncExitStack() as ending:
            arena = Arena(Path(directory), ending)
            halls, ours, floor = await arena.open()
            connector = aiohttp.TCPConnector(limit=0)
            jar = aiohttp.DummyCookieJar()
            http = aiohttp.ClientSession(connector=connector, cookie_jar=jar)
            await ending.enter_async_context(http)
            door = Door(http, ours)
            contestants = [
                Contestant("bbb-bot", _presses(door, halls)),
                Contestant("floor", _questions(http, floor, halls)),
            ]
            await _warm_up(contestants)
            for number in range(plan.rounds):
                for contestant in contestants:
                    await contestant.one_round(plan)
                    tell(f"round {number + 1}  {contestant.name:<8} {contestant.figures()}")
            figures = {contestant.name: contestant.figures() for contestant in contestants}
            meter = Meter.of(arena.pid)
            figures["looks"] = await _looks(door, halls, plan) | {
                "rss_mib": round(meter.rss_mib(), 1)
            }
            return figures


def _presses(door: Door, halls: Sequence[Hall]) -> list[Click]:
    """A press of each person in turn, one hall after the other."""
    links = [link for hall in zip(*(hall.links for hall in halls), strict=True) for link in hall]
    return [partial(door.press, link, number) for number, link in enumerate(links)]


def _questions(http: aiohttp.ClientSession, url: str, halls: Sequence[Hall]) -> list[Click]:
    """The same people and rooms, asked for at the floor."""

    async def ask(room: str, person: str) -> int:
        query = urlencode({"room": room, "person": person})
        async with http.post(f"{url}/join?{query}", allow_redirects=False) as answer:
            await answer.read()
            return answer.status

    pairs = [
        (hall.channel, member.user_id)
        for members in itertools.zip_longest(*(hall.members for hall in halls))
        for hall, member in zip(halls, members, strict=True)
        if member
    ]
    return [partial(ask, room, person) for room, person in pairs]


async def _warm_up(contestants: Sequence[Contestant]) -> None:
    """Every room opened once, every connection made."""
    for contestant in contestants:
        for click in contestant.clicks:
            status = await click()
            if status != SEE_OTHER:
                raise RuntimeError(f"{contestant.name} answered {status} instead of a way in")


async def _looks(door: Door, halls: Sequence[Hall], plan: Plan) -> dict[str, float]:
    """Looks at personal links with nobody waiting, then with as many waiting pages as may be."""
    links = [link for hall in halls for link in hall.links]
    looks = [partial(door.look, link, number) for number, link in enumerate(links)]
    alone, beside = Clicked(), Clicked()
    await steadily(in_turn(looks), alone, wanted=OK, number=plan.looks, a_second=A_SECOND)
    pages = await _waiting_pages(door, halls)
    tell(f"{len(pages)} pages wait")
    await steadily(in_turn(looks), beside, wanted=OK, number=plan.looks, a_second=A_SECOND)
    still = sum(not page.content.at_eof() for page in pages)
    for page in pages:
        page.close()
    return {
        **alone.figures("look"),
        **beside.figures("look_with_waiting"),
        "waiting": still,
        "wrong": alone.wrong + beside.wrong,
    }


async def _waiting_pages(door: Door, halls: Sequence[Hall]) -> list[aiohttp.ClientResponse]:
    """Guests before calls that nobody is in; twenty of one address, as a school has it."""
    pages: list[aiohttp.ClientResponse] = []
    for begin in range(0, WAITING, OPENED_AT_ONCE):
        numbers = range(begin, begin + OPENED_AT_ONCE)
        links = [halls[number % len(halls)].guest_link for number in numbers]
        waits = [
            door.wait(link, 1000 + number // 20)
            for link, number in zip(links, numbers, strict=True)
        ]
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
