"""The wall clock goes back an hour and forward three days, under a whole bot.

Nothing waits an hour, nothing is said twice or a hundred times, no link outlives its day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import time_machine

from bot.clock import utc_now
from commands.errors import ChatBusy, ChatTrouble, ChatUnavailable
from commands.ports import Outgoing
from commands.visits import Go, NotFound
from storage.store import Store
from tests.scenario.conftest import Opening, clock, on_console, scene, store
from tests.scenario.console import ConsoleStage
from tests.scenario.scene import TEAM, Clock, Scene

__all__ = ["clock", "scene", "store"]

HOUR = timedelta(hours=1)
THREE_DAYS = timedelta(days=3)


@pytest.fixture
def opening(clock: Clock) -> Opening:
    """These scenarios are played in the local chat."""
    return partial(on_console, clock)


async def set_clock(scene: Scene, by: timedelta) -> None:
    """Somebody sets the clock; the bot notices within a second, and does what is due."""
    scene.clock.now += by
    await scene.bot.clock_watch.tick()
    await scene.settle()


def fail_next_sends(scene: Scene, *troubles: ChatTrouble) -> None:
    """The chat has these troubles, one after the other, before it works again."""
    assert isinstance(scene.stage, ConsoleStage)
    left, inner = list(troubles), scene.stage.chat.send

    async def send(message: Outgoing) -> str:
        if left:
            raise left.pop(0)
        return await inner(message)

    scene.stage.chat.send = send  # type: ignore[method-assign]


# --- back an hour


async def test_an_answer_that_waits_for_its_next_try_goes_out_in_time(scene: Scene) -> None:
    fail_next_sends(scene, ChatUnavailable("away"))
    await scene.says("alice", "!bbb rooms")
    assert await scene.said() == []
    await set_clock(scene, -HOUR)
    await scene.forward(seconds=60)
    assert len(await scene.said()) == 1


async def test_a_chat_that_wants_us_to_wait_is_waited_for_no_longer(scene: Scene) -> None:
    fail_next_sends(scene, ChatBusy(timedelta(seconds=5)))
    await scene.says("alice", "!bbb rooms")
    await set_clock(scene, -HOUR)
    await scene.says("bob", "!bbb rooms")
    await scene.forward(seconds=20)
    assert len(await scene.said()) == 2


async def test_a_card_still_follows_its_call(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb join")
    await set_clock(scene, -HOUR)
    await scene.press((await scene.told("alice"))[-1])
    await scene.forward(seconds=60)
    card = (await scene.seen())[0]
    assert (card.edits, "1 person in the call" in card.text) == (1, True)
    await scene.leaves("Alice Martin")
    await scene.forward(minutes=3)
    card = (await scene.seen())[0]
    assert "ended" in card.text
    assert card.edits <= 3


async def test_who_was_slowed_down_waits_as_long_as_told(scene: Scene) -> None:
    for _ in range(12):
        await scene.says("bob", "!bbb rooms")
    before = len(await scene.said())
    await set_clock(scene, -HOUR)
    await scene.forward(minutes=1)
    await scene.says("bob", "!bbb rooms")
    said = await scene.said()
    assert len(said) == before + 1
    assert "Too many" not in said[-1]


async def test_a_question_is_not_open_for_another_hour(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    for who in ("alice", "bob"):
        await scene.says(who, "!bbb join")
        await scene.press((await scene.told(who))[-1])
    await scene.says("alice", "!bbb end")
    await set_clock(scene, -HOUR)
    await scene.forward(seconds=61)
    await scene.says("alice", "!bbb end sure")
    assert "Alice Martin" in await scene.inside()
    await scene.says("alice", "!bbb end sure")
    await scene.forward(seconds=10)
    assert await scene.inside() == {}


@pytest.mark.parametrize("by", [-HOUR, THREE_DAYS, -THREE_DAYS], ids=str)
async def test_a_personal_link_dies_after_a_day_unused(scene: Scene, by: timedelta) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb join")
    link = (await scene.told("alice"))[-1]
    await set_clock(scene, by)
    if by < timedelta(0):
        assert isinstance(await scene.press(link), Go)
        await scene.says("bob", "!bbb join")
        link = (await scene.told("bob"))[-1]
        scene.clock.now += timedelta(hours=25)
    assert isinstance(await scene.press(link), NotFound)


async def test_set_back_while_no_bot_ran_it_is_noticed_at_the_start(scene: Scene) -> None:
    await scene.says("alice", "!bbb rooms")
    fail_next_sends(scene, ChatUnavailable("away"))
    await scene.says("bob", "!bbb rooms")
    scene.clock.now -= HOUR
    await scene.bot.clock_watch.begin()
    await scene.forward(seconds=60)
    assert len(await scene.said()) == 2


# --- forward three days, and a suspend


async def test_three_days_forward_make_no_mass_of_messages(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb create Help desk")
    before = await scene.said()
    await set_clock(scene, THREE_DAYS)
    await scene.forward(minutes=10)
    assert len(await scene.said()) == len(before)
    await scene.says("alice", "!bbb rooms")
    assert len(await scene.said()) == len(before) + 1


async def test_of_what_was_said_during_a_suspend_a_part_is_named_and_nothing_is_done(
    scene: Scene,
) -> None:
    commands = [await scene.command("alice", f"create Room {n}") for n in range(100)]
    await set_clock(scene, THREE_DAYS)
    await scene.bot.inbox.accept(scene.stage.platform, None, commands)
    await scene.settle()
    said = await scene.said()
    assert 1 <= len(said) <= 10
    assert all("I was away" in text for text in said)
    await scene.says("alice", "!bbb rooms")
    assert "Room 1" not in (await scene.said())[-1]


async def test_a_command_from_before_a_suspend_is_told_in_each_channel(scene: Scene) -> None:
    for channel in ("alice", "bob"):
        command = await scene.command(channel, "create Late")
        scene.clock.now += timedelta(seconds=1)
        await scene.arrives(replace(command, sent_at=command.sent_at - THREE_DAYS))
    assert len([text for text in await scene.said() if "I was away" in text]) == 2


# --- the real loops of a whole bot


@pytest.mark.parametrize("by", [-HOUR, THREE_DAYS, -THREE_DAYS], ids=str)
async def test_the_loops_of_a_running_bot_go_on(
    scene: Scene, store: Store, clock: Clock, by: timedelta
) -> None:
    """All clocks of the process are set; only the steady one goes on."""
    with time_machine.travel(utc_now(), tick=True) as machine:
        clock.__class__ = type("Real", (Clock,), {"__call__": lambda _: utc_now()})
        await scene.bot.start()
        fail_next_sends(scene, ChatUnavailable("away"))
        await scene.stage.says("alice", TEAM, "!bbb rooms")
        await asyncio.sleep(0.1)
        machine.shift(by)
        await _until(lambda: _said(scene, 1))
        await scene.stage.says("alice", TEAM, "!bbb")
        await _until(lambda: _said(scene, 2))
        await scene.bot.stop()
    assert len(await scene.said()) == 2


async def _said(scene: Scene, count: int) -> bool:
    return len(await scene.said()) >= count


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        held = await holds()
        while not held:
            await asyncio.sleep(0.02)
            held = await holds()
