"""Whatever happens to the link: what was said before, meanwhile and after is heard, each once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from bot.chat.base import Mode
from bot.chat.rocketchat.ddp.protocol import Timings
from tests.fakes.rocketchat import RocketChat, Room, User
from tests.fakes.rocketchat.faults import malformed
from tests.fakes.rocketchat.faults.sockets import SocketFaults
from tests.matrix.intake import Inbox
from tests.rocketchat.receiving import OFTEN, RARELY, comes_to, receiving, until

RECONNECTS = replace(RARELY, look_without_all=0.3)
"""What was missed is found because the connection is new, and not by a look from time to time."""

IMPATIENT = Timings(step=0.5, ping_after=0.3, dead_after=0.8, tick=0.05, close=0.1)


@dataclass(frozen=True, slots=True)
class World:
    server: RocketChat
    bot: User
    ana: User
    room: Room
    inbox: Inbox

    def says(self, line: str) -> None:
        self.server.say(self.ana, self.room, f"!bbb {line}")

    async def hears(self, *lines: str) -> None:
        await self.inbox.until(lambda inbox: set(lines) <= set(inbox.texts()))
        assert sorted(self.inbox.texts()) == sorted(lines)


BOTH_FORMS = pytest.mark.parametrize("profile", ["streamer-6.14", "9.0"])


@pytest.fixture
def profile() -> str:
    return "streamer-6.14"


@pytest.fixture
async def world(profile: str) -> AsyncIterator[World]:
    async with RocketChat(profile=profile) as server:
        bot = server.add_user("bbb", roles=("bot", "user"))
        ana = server.add_user("ana")
        room = server.add_room("team", kind="c", owner=ana, members=(bot, ana))
        yield World(server, bot, ana, room, Inbox())


def then_cut(order: Callable[[SocketFaults], object]) -> Callable[[SocketFaults], object]:
    """Order something for the next socket, and end the one there is."""

    def both(sockets: SocketFaults) -> None:
        order(sockets)
        sockets.cut()

    return both


FAULTS = [
    pytest.param(lambda sockets: sockets.cut(), id="a reset"),
    pytest.param(lambda sockets: sockets.cut(rst=False), id="an end without a close"),
    pytest.param(lambda sockets: sockets.close(4000, "TIMEOUT"), id="closed as idle"),
    pytest.param(lambda sockets: sockets.close(1001), id="closed by a restart"),
    pytest.param(lambda sockets: sockets.close(1000), id="closed without a reason"),
    pytest.param(lambda sockets: sockets.close(1002), id="closed for a protocol error"),
    pytest.param(lambda sockets: sockets.close(1007), id="closed for broken JSON"),
    pytest.param(lambda sockets: sockets.half_open(), id="half open"),
    pytest.param(then_cut(lambda sockets: sockets.flap(12, times=4)), id="flapping"),
    pytest.param(then_cut(lambda sockets: sockets.end_at("connect")), id="cut at connect"),
    pytest.param(then_cut(lambda sockets: sockets.end_at("method", 1001)), id="closed at login"),
    pytest.param(then_cut(lambda sockets: sockets.end_at("sub")), id="cut before ready"),
    pytest.param(then_cut(lambda sockets: sockets.mute_login(times=2)), id="login unanswered"),
    pytest.param(then_cut(lambda sockets: sockets.ready("never", times=3)), id="ready never"),
    pytest.param(then_cut(lambda sockets: sockets.ready("error", times=3)), id="subs fail"),
    pytest.param(
        then_cut(lambda sockets: sockets.ready("too-many-requests", times=1)), id="too many"
    ),
    pytest.param(then_cut(lambda sockets: sockets.ready_together(3)), id="one ready for all"),
    pytest.param(then_cut(lambda sockets: sockets.refuse_connections(times=5)), id="refused"),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_command_once(world: World, fault: Callable[[SocketFaults], object]) -> None:
    async with receiving(
        world.server, world.bot, world.inbox, rhythm=RECONNECTS, timings=IMPATIENT
    ) as inflow:
        world.says("before")
        await world.hears("before")
        fault(world.server.faults.sockets)
        for number in range(5):
            world.says(f"meanwhile {number}")
            await asyncio.sleep(0.01)
        meanwhile = [f"meanwhile {number}" for number in range(5)]
        await world.hears("before", *meanwhile)
        await comes_to(inflow, Mode.LIVE)
        world.says("after")
        await world.hears("before", *meanwhile, "after")


@BOTH_FORMS
async def test_a_restart(world: World) -> None:
    async with receiving(
        world.server, world.bot, world.inbox, rhythm=OFTEN, timings=IMPATIENT
    ) as inflow:
        with world.server.faults.down():
            world.says("meanwhile")
            await until(lambda: inflow.mode is not Mode.LIVE)
        await world.hears("meanwhile")
        await comes_to(inflow, Mode.LIVE)


async def test_what_is_withheld_is_found(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        world.server.faults.sockets.withhold()
        world.says("lost")
        world.says("heard")
        await world.hears("lost", "heard")


@BOTH_FORMS
async def test_every_malformed_frame(world: World) -> None:
    """None ends the connection, and the next command is heard."""
    frames = malformed(world.room.id, world.ana.id)
    async with receiving(world.server, world.bot, world.inbox, rhythm=RARELY) as inflow:
        (session,) = world.server.sessions
        for name, frame in frames.items():
            world.server.faults.sockets.send(frame)
            world.says(f"after {name}")
            await world.inbox.command(f"after {name}")
        heard = world.inbox.texts()
        assert [line for line in heard if line != "help"] == [f"after {name}" for name in frames]
        assert heard.count("help") <= 1, "those with a message are all the same one"
        assert list(world.server.sessions) == [session]
        assert inflow.mode is Mode.LIVE
