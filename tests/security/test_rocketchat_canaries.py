"""An evening full of trouble in Rocket.Chat lets nothing out, and a link for one person is for one.

The scan itself is tests/canary.py: whatever is logged, printed, kept and sent here goes through it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo.bbb import SimulatedBBB
from commands.handlers.buttons import BUTTONS
from commands.links import Links
from commands.messages import Address, Document, LinkTo
from commands.ports import Outgoing
from storage.open import open_store
from storage.records import LinkKind
from tests import canary
from tests.canary import AVIARY
from tests.fakes.rocketchat import RocketChat
from tests.scenario.conftest import BBB, on_rocketchat
from tests.scenario.rocketchat import RocketChatStage
from tests.scenario.scene import TEAM, Clock, Line, Scene, link_in
from tests.security.permission_table import ROWS


@pytest.fixture
def debug() -> Iterator[None]:
    """Everybody tells everything, the libraries as well."""
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(before)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        clock = Clock()
        bbb = SimulatedBBB(canary.BBB_SECRET, now=clock, public_url=BBB)
        line = Line(bbb)
        store = await open_store(tmp_path / "data")
        stack.push_async_callback(store.close)
        stage, bot = await on_rocketchat(clock, store, line, stack)
        scene = Scene(bot, bbb, line, clock, stage)
        await scene.begin()
        yield scene


def stage_of(scene: Scene) -> RocketChatStage:
    assert isinstance(scene.stage, RocketChatStage)
    return scene.stage


async def test_an_evening_full_of_trouble_lets_nothing_out(
    scene: Scene, tmp_path: Path, debug: None
) -> None:
    """All that can be typed: in a group, a direct message of three and one of two."""
    stage = stage_of(scene)
    server, group = stage.server, stage.group("alice", "bob")
    for where in (TEAM, group, await stage.direct("alice")):
        for number, row in enumerate(row for row in ROWS.values() if row.form not in BUTTONS):
            scene.clock.now += timedelta(minutes=1)
            trouble(server, number)
            await scene.says("alice", f"!bbb {row.typed.replace(':here.example', '')}", where)
    server.faults.stop()
    while (await scene.bot.world.store.letter_counts())[0]:
        await scene.forward(minutes=1)
    await scene.bot.world.store.backup(tmp_path / "copy")
    await scene.says("alice", "!bbb my", group)
    assert link_in((await scene.told("alice"))[-1]) in AVIARY.private
    for where in (TEAM, group):
        assert len(await stage.messages(where)) > 20


def trouble(server: RocketChat, number: int) -> None:
    """Another kind each time, for what is asked and sent next."""
    server.faults.rest.stop()
    faults = server.faults.rest
    match number % 6:
        case 0:
            faults.fail("chat.sendMessage", status=502, after_storing=True)
        case 1:
            faults.drop("chat.sendMessage", after_storing=True)
        case 2:
            faults.fail("dm.create", status=400)
        case 3:
            faults.limit("chat.sendMessage", reset="missing")
        case 4:
            faults.fail("*", status=500, times=2)


async def test_a_link_for_one_person_does_not_follow_a_thread_into_public(scene: Scene) -> None:
    """The server would post into the room of the thread, whatever room it is asked for."""
    stage = stage_of(scene)
    question = await scene.says("bob", "!bbb help")
    [adapter] = scene.bot.adapters
    direct = await adapter.open_dm(stage.person("bob"))
    goal = LinkTo(LinkKind.PERSONAL, "room-1", 1, stage.person("bob"))
    address = Links(canary.LINK_KEY, "https://calls.example.org").address(goal)
    document = Document(((Address(address, "Join"),),))
    for number, more in enumerate(({"thread": question}, {"reply_to": question})):
        ref = await adapter.send(Outgoing(f"letter-{number}", direct, document, **more))
        posted = stage.server.message(ref)
        assert posted is not None
        assert (posted["rid"], "tmid" in posted) == (direct, False)
        assert link_in(posted["msg"]) in AVIARY.private


async def test_in_a_direct_message_of_three_a_link_for_one_comes_elsewhere(scene: Scene) -> None:
    stage = stage_of(scene)
    group = stage.group("alice", "bob")
    await scene.says("alice", "!bbb my", group)
    assert "I am sending you the link in a direct message" in await scene.last(group)
    assert link_in((await scene.told("alice"))[-1]) in AVIARY.private
