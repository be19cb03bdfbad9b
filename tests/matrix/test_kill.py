"""SIGKILLs while hundreds of commands are answered: one answer to each; faults would be seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.demo.synapse import Synapse
from tests.conftest import Proof
from tests.matrix.kill import ordeal

pytestmark = pytest.mark.synapse


@pytest.mark.promise(
    "Killed at any moment in real rooms, the bot answers each command once.", weight=6
)
async def test_each_command_is_answered_once_whenever_the_bot_is_killed(
    synapse: Synapse, tmp_path: Path, seed: int, proof: Proof
) -> None:
    kills, commands = proof.amount(5, long=60), proof.amount(300, long=1200)
    verdict = await ordeal(synapse, tmp_path, seed=seed, kills=kills, commands=commands)
    proof.measured(
        seed=seed,
        kills=kills,
        commands=verdict.asked,
        lost=len(verdict.lost),
        answered_twice=len(verdict.doubled),
    )
    assert verdict.asked == commands
    assert verdict.lost == ()
    assert verdict.doubled == ()
    assert len(verdict.texts) == 1, "something else than help was answered"
    assert (verdict.unreadable, verdict.in_clear, verdict.exit_code) == (0, 0, 0)


async def test_a_bot_with_another_id_at_each_try_is_caught_repeating_itself(
    synapse: Synapse, tmp_path: Path, seed: int
) -> None:
    verdict = await ordeal(synapse, tmp_path, seed=seed, start=variant("another id"))
    assert verdict.doubled


async def test_a_bot_that_notes_done_before_it_sends_is_caught_losing_answers(
    synapse: Synapse, tmp_path: Path, seed: int
) -> None:
    verdict = await ordeal(synapse, tmp_path, seed=seed, start=variant("done before sent"))
    assert verdict.lost


def variant(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.matrix.variants", name, "run")
