"""Two hundred live meetings, half of them on a dead server: the others are looked at in time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.chat.console import PLATFORM
from bot.core import Bot, Secrets
from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.transport import InProcess
from commands.ports import MeetingPlan, Policy
from commands.services.looking import AT_ONCE
from storage.open import open_store
from storage.records import Channel, Meeting, MeetingState, Person, Room, RoomKind
from storage.store import Store
from tests.canary import BBB_SECRET, LINK_KEY, PSEUDONYM_KEY
from tests.scenario.console import ConsoleStage
from tests.scenario.scene import Clock

ON_EACH = 100
PATIENCE = 30
ALICE = Person(PLATFORM, "alice")


class Line(httpx.AsyncBaseTransport):
    """To one server, which may be dead: then it takes every question and never answers."""

    def __init__(self, bbb: SimulatedBBB) -> None:
        self._inner = InProcess(bbb)
        self.dead = False
        self.asked = self.under_way = self.most_under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.dead:
                await asyncio.Event().wait()
            return await self._inner.handle_async_request(request)
        finally:
            self.under_way -= 1


@dataclass
class Town:
    """A bot with two servers."""

    store: Store
    clock: Clock
    servers: ServerPool
    lines: dict[str, Line]
    seconds: float = 0.0  # the circuits' clock, moved by hand
    bot: Bot = field(init=False)

    async def looked_at(self, server: str) -> int:
        """Meetings of a server that were looked at since they were made."""
        live = await self.store.live_meetings()
        return sum(
            one.next_look_at is not None and one.next_look_at > self.clock.now
            for one in live
            if one.server == server
        )

    async def until(self, done: Callable[[int], bool], server: str) -> None:
        """Raises TimeoutError when so many looks do not come."""
        async with asyncio.timeout(PATIENCE):
            looked = await self.looked_at(server)
            while not done(looked):
                await asyncio.sleep(0.02)
                looked = await self.looked_at(server)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    clock, store = Clock(), await open_store(tmp_path / "data")
    lines = {name: Line(SimulatedBBB(BBB_SECRET, now=clock)) for name in ("dead", "alive")}
    clients = {
        name: Client(
            name=name,
            url=f"https://{name}.example/bigbluebutton/api/",
            secrets=[BBB_SECRET],
            bot_version="test",
            transport=line,
            seconds=10 * PATIENCE,
        )
        for name, line in lines.items()
    }
    servers = ServerPool(clients, chosen="alive", origins=[], now=lambda: town.seconds)
    town = Town(store, clock, servers, lines)
    town.bot = Bot(
        store=store,
        adapters=[ConsoleStage(clock).chat],
        servers=servers,
        policy=Policy(public_url="https://calls.example.org"),
        keys=Secrets(LINK_KEY, PSEUDONYM_KEY),
        clock=clock,
    )
    yield town
    await servers.close()
    await store.close()


async def open_meeting(town: Town, server: str, number: int) -> None:
    """A meeting that runs on a server and is due to be looked at."""
    name = f"{server}-{number}"
    channel = Channel(PLATFORM, "#team")
    room = Room(name, RoomKind.NAMED, channel, name, f"xx-{name}", ALICE, town.clock.now, name)
    await town.store.put_room(room)
    made = await town.servers.create(server, MeetingPlan(room.meeting_id, name))
    meeting = Meeting(name, name, server, ALICE, town.clock.now, name)
    await town.store.plan_meeting(meeting)
    await town.store.meeting_created(
        name,
        internal_id=made.internal_id,
        create_time=made.create_time,
        next_look_at=town.clock.now,
    )


async def test_a_dead_server_holds_up_nobody_elses_looks(town: Town) -> None:
    for number in range(ON_EACH):
        for server in ("dead", "alive"):
            await open_meeting(town, server, number)
    dead, alive = town.lines["dead"], town.lines["alive"]
    dead.dead = True
    made = dead.asked
    await town.bot.start()
    try:
        # Not one answer has come from the dead server, nor has its time run out yet.
        await town.until(lambda looked: looked == ON_EACH, "alive")
        assert dead.asked - made <= AT_ONCE
        assert (dead.most_under_way, alive.most_under_way <= AT_ONCE) == (AT_ONCE, True)
    finally:
        dead.dead = False
        await town.bot.stop()


async def test_a_server_that_is_back_is_caught_up_with(town: Town) -> None:
    for number in range(12):
        await open_meeting(town, "dead", number)
    dead = town.lines["dead"]
    dead.dead = True
    for client in town.servers._clients.values():
        client.seconds = 0.02
    made = dead.asked
    for _ in range(20):
        await town.bot.settle()
    assert dead.asked - made <= 2 * AT_ONCE, "left alone after five failures"
    assert await town.looked_at("dead") <= 2 * AT_ONCE, "the others stay due"

    dead.dead = False
    town.clock.now += timedelta(minutes=1)
    town.seconds += 60
    for client in town.servers._clients.values():
        client.seconds = PATIENCE
    await town.bot.settle()
    assert await town.looked_at("dead") == 12


async def test_meetings_on_a_server_that_is_not_configured_any_more_are_over(town: Town) -> None:
    await open_meeting(town, "alive", 1)
    channel = Channel(PLATFORM, "#team")
    room = Room("r", RoomKind.NAMED, channel, "r", "xx-r", ALICE, town.clock.now, "r")
    await town.store.put_room(room)
    await town.store.plan_meeting(Meeting("m", "r", "gone", ALICE, town.clock.now, "m"))
    await town.bot.start()
    await town.bot.stop()
    found = {one.id: one.state for one in await town.store.live_meetings()}
    assert found == {"alive-1": MeetingState.OPEN}
