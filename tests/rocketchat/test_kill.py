"""SIGKILLs and lost answers while hundreds of commands are answered: one answer to each."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.faults.kills import SILENCE_SECONDS, Deaths, come_to_life
from tests.faults.lives import Lives
from tests.faults.points import POINTS
from tests.rocketchat.kill import Verdict, config_for, gathered, judge, ordeal

STEPS = ("receive", "store.finish", "send", "mark")
CHAT_POINTS = [point for point in POINTS if point.rpartition(".")[0] in STEPS]


@pytest.mark.promise(
    "Killed at any moment in Rocket.Chat, with answers lost on the way, the bot answers each"
    " command once.",
    weight=6,
)
async def test_each_command_is_answered_once_whenever_the_bot_is_killed(
    tmp_path: Path, seed: int, proof: Proof
) -> None:
    kills, commands = proof.amount(5, long=120), proof.amount(200, long=4000)
    verdict = await ordeal(tmp_path, seed=seed, kills=kills, commands=commands)
    proof.measured(
        seed=seed,
        kills=kills,
        answers_lost_on_the_way=verdict.answers_lost,
        commands=verdict.asked,
        lost=len(verdict.lost),
        answered_twice=len(verdict.doubled),
    )
    assert verdict.asked == commands
    assert verdict.answers_lost
    assert (verdict.lost, verdict.doubled) == ((), ())
    assert len(verdict.texts) == 1, "something else than help was answered"
    assert verdict.exit_code == 0


@pytest.mark.promise(
    "Killed at any step in Rocket.Chat, the bot answers each command once.", weight=3
)
async def test_dying_at_each_step_it_answers_once(tmp_path: Path, proof: Proof) -> None:
    def goes_on(done: int) -> bool:
        return done < proof.amount(1, long=40) and proof.in_time()

    verdict, rounds = await die_at(tmp_path, CHAT_POINTS, goes_on)
    proof.measured(
        kills=rounds * len(CHAT_POINTS),
        points=len(CHAT_POINTS),
        commands=verdict.asked,
        lost=len(verdict.lost),
        answered_twice=len(verdict.doubled),
    )
    assert (verdict.lost, verdict.doubled) == ((), ())
    assert len(verdict.texts) == 1, "something else than help was answered"


async def test_a_bot_with_another_id_at_each_try_is_caught_repeating_itself(tmp_path: Path) -> None:
    verdict, _ = await die_at(tmp_path, ["send.after"], once, broken="another id")
    assert verdict.doubled


async def test_a_bot_that_notes_done_before_it_sends_is_caught_losing_answers(
    tmp_path: Path,
) -> None:
    verdict, _ = await die_at(tmp_path, ["send.before"], once, broken="done before sent")
    assert verdict.lost


def once(done: int) -> bool:
    return done < 1


async def die_at(
    directory: Path, points: Sequence[str], goes_on: Callable[[int], bool], *, broken: str = ""
) -> tuple[Verdict, int]:
    """Die at each point in turn, for as many rounds as it goes on; their number."""
    lives, rounds = Lives(directory), 0
    async with gathered(random.Random(0), rooms=4) as crowd:
        config = config_for(crowd, directory)
        begin = partial(lives.on, "rocketchat", config, broken=broken)
        life = begin()
        await come_to_life(crowd, crowd.rooms[0], lives.last_words)
        assert await life.stop() == 0, lives.last_words()
        deaths = Deaths(crowd, lives, begin, silence=3.0 if broken else SILENCE_SECONDS)
        while goes_on(rounds):
            await deaths.at_each(points, [crowd.rooms[0::2], crowd.rooms[1::2]])
            rounds += 1
        return judge(crowd, deaths.asked), rounds
