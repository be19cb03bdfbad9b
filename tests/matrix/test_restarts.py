"""The homeserver is killed and started under commands, or the line breaks: one answer to each."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

import pytest

from bot.demo.synapse import Synapse
from tests.conftest import Proof
from tests.matrix.breaking_line import BreakingLine
from tests.matrix.endurance import endurance
from tests.requirements import require_synapse

pytestmark = pytest.mark.synapse

COMMANDS_PER_RESTART = 30
MOST_OF_A_PAUSE = 1.0
SHARE_BROKEN = 0.25


@pytest.fixture
def rng() -> random.Random:
    """Its seed is printed with a failure; BBB_BOT_RESTART_SEED repeats one."""
    seed = int(os.environ.get("BBB_BOT_RESTART_SEED") or random.randrange(10**6))
    sys.stdout.write(f"BBB_BOT_RESTART_SEED={seed}\n")
    return random.Random(seed)


@pytest.mark.promise(
    "The homeserver restarted again and again: each command is answered once.", weight=12
)
async def test_a_homeserver_restarted_under_commands(
    tmp_path: Path, rng: random.Random, proof: Proof
) -> None:
    require_synapse()
    wanted = proof.amount(3, long=100)
    commands, restarts = COMMANDS_PER_RESTART * wanted, 0
    (tmp_path / "bot").mkdir()
    async with (
        Synapse(tmp_path / "synapse", database="homeserver.db") as synapse,
        endurance(synapse, tmp_path / "bot") as bot,
    ):
        asking = asyncio.create_task(bot.ask(commands))
        while restarts < wanted and proof.in_time():
            await bot.while_asking(
                asking, COMMANDS_PER_RESTART * restarts + COMMANDS_PER_RESTART // 2
            )
            await (synapse.kill if rng.random() < 0.5 else synapse.stop)()
            await asyncio.sleep(rng.uniform(0, MOST_OF_A_PAUSE))
            await synapse.start()
            restarts += 1
        bot.enough = restarts < wanted
        await asking
        found = await bot.count()
    proof.measured(
        restarts=restarts,
        commands=found.commands,
        lost=found.lost,
        answered_twice=found.answered_twice,
    )
    assert found.commands == bot.said
    assert (found.lost, found.answered_twice) == (0, 0), bot.bot.last_words()


async def test_a_line_that_breaks_at_every_fourth_request(
    synapse: Synapse, tmp_path: Path, rng: random.Random
) -> None:
    async with (
        BreakingLine(synapse.url, rng, share=0.0) as line,
        endurance(synapse, tmp_path, homeserver=line.url) as bot,
    ):
        line.share = SHARE_BROKEN
        await bot.ask(40)
        found = await bot.count()
    assert line.broken > 10
    assert (found.commands, found.lost, found.answered_twice) == (40, 0, 0), bot.bot.last_words()
