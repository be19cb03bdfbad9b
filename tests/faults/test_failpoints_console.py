"""The bot dies at every named point; each command is answered once, each call is made once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.faults.lives import KILLED
from tests.faults.ordeal import Ordeal, ordeal
from tests.faults.points import POINTS, SAY_POINTS
from tests.scenario.scene import link_in

CLICK_STEPS = ("store.plan", "bbb.create", "store.created")
FORGOTTEN_SECONDS = 600
KILLS_IN_A_ROW = 5
"""Then a life may end: a command that was begun in ten lives without an end is given up, as is
right, and what is left to be done must not grow for ever."""


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Ordeal]:
    async with ordeal(tmp_path) as one:
        yield one


async def test_an_undisturbed_life_is_judged_well(bot: Ordeal) -> None:
    bot.ask()
    await bot.finish()
    bot.judge()


@pytest.mark.parametrize("point", POINTS)
async def test_dying_there_again_and_again_it_answers_once_and_leaves_no_orphan(
    bot: Ordeal, point: str
) -> None:
    await die_at(bot, point, times=3)


@pytest.mark.promise(
    "Killed between any two steps, the bot answers once and leaves no orphan.", weight=3
)
async def test_dying_at_every_point_it_answers_once_and_leaves_no_orphan(
    tmp_path: Path, proof: Proof
) -> None:
    """At length; in short it is done above, point by point."""
    times, points, kills, commands = proof.amount(1, long=20), 0, 0, 0
    for point in POINTS if proof.long else POINTS[:1]:
        if proof.in_time():
            directory = tmp_path / point
            directory.mkdir()
            async with ordeal(directory) as bot:
                await die_at(bot, point, times=times)
                points, kills = points + 1, kills + times
                commands += len(bot.paper.asked)
    proof.measured(
        points=points, kills=kills, commands=commands, lost=0, answered_twice=0, orphans=0
    )


async def die_at(bot: Ordeal, point: str, *, times: int) -> None:
    """At its first pass and at its second, with what the life before left to be done."""
    for number in range(times):
        bot.ask()
        nth = 1 + number % 2
        assert await bot.die(point, nth), f"there is no pass {nth} of {point}"
        if number % KILLS_IN_A_ROW == KILLS_IN_A_ROW - 1:
            await bot.finish()
    await bot.finish()
    bot.judge()


@pytest.mark.parametrize("point", SAY_POINTS)
async def test_dying_while_it_says_something_in_a_call_it_says_it_once_at_most(
    bot: Ordeal, point: str
) -> None:
    """BBB takes no id for what is said: the person is told, and nothing is repeated."""
    bot.paper.say("#team", "start")
    await bot.finish()
    [meeting] = bot.made
    bot.bbb.join(meeting.meeting_id, "Zoe")
    for number in range(3):
        said = bot.paper.say("#team", f"say Line {number}")
        assert await bot.die(point, 1)
        await bot.finish()
        assert "interrupted while saying it" in bot.paper.answer(said)
    assert len(bot.bbb.messages_in(meeting.meeting_id)) == (3 if point.endswith("after") else 0)
    assert (bot.paper.lost(), bot.paper.answered_twice()) == ([], [])


@pytest.mark.parametrize("point", [p for p in POINTS if p.startswith(CLICK_STEPS)])
async def test_dying_under_a_click_that_brings_a_call_back_it_makes_one_call(
    bot: Ordeal, point: str
) -> None:
    """Nobody had come, BBB forgot the call; whoever pressed presses again."""
    bot.paper.say("#team", "start")
    bot.paper.say("#team", "join")
    await bot.finish()
    [link] = bot.paper.posts_in("dm:ada")
    press = link_in(link)
    for number in range(3):
        bot.bbb.forward(FORGOTTEN_SECONDS)
        assert await bot.die(point, 1, press=press)
        await bot.finish(press=press)
        assert len(bot.open_calls()) == 1
        assert len(bot.made) == 2 + number
    assert len(bot.paper.posts_in("#team")) == 2, "the card goes on, nothing new was said"


@pytest.mark.promise("Killed at any moment, the bot answers each command once.", weight=6)
async def test_killed_at_random_it_answers_once_and_leaves_no_orphan(
    bot: Ordeal, proof: Proof, seed: int
) -> None:
    """At moments spread evenly over what an undisturbed life takes on this machine."""
    rng = random.Random(seed)
    whole = await _seconds_of_a_life(bot)
    kills, wanted = 0, proof.amount(15, long=1000)
    while kills < wanted and proof.in_time():
        bot.ask()
        life = bot.begin()
        await asyncio.sleep(rng.uniform(0, whole))
        code = await life.kill()
        assert code in (0, KILLED), bot.lives.last_words()
        kills += code == KILLED
        if kills % KILLS_IN_A_ROW == 0:
            await bot.finish()
    await bot.finish()
    lost, twice = bot.paper.lost(), bot.paper.answered_twice()
    proof.measured(
        seed=seed,
        kills=kills,
        commands=len(bot.paper.asked),
        lost=len(lost),
        answered_twice=len(twice),
        calls_made=len(bot.made),
    )
    bot.judge()


@pytest.mark.parametrize(
    ("broken", "point", "noticed"),
    [
        ("another id", "send.after", lambda bot: bot.paper.answered_twice()),
        ("two commits", "store.finish.after", lambda bot: bot.paper.lost()),
        ("another call", "bbb.create.after", lambda bot: len(bot.made) > 3),
    ],
)
async def test_a_bot_that_breaks_its_promise_is_caught(
    bot: Ordeal, broken: str, point: str, noticed: Callable[[Ordeal], object]
) -> None:
    bot.broken = broken
    bot.ask()
    assert await bot.die(point, 1)
    await bot.finish()
    assert noticed(bot)
    with pytest.raises(AssertionError):
        bot.judge()


async def _seconds_of_a_life(bot: Ordeal) -> float:
    """The second one: the first made the database and warmed the machine up."""
    for _ in range(2):
        bot.ask()
        began = time.monotonic()
        await bot.finish()
    return time.monotonic() - began
