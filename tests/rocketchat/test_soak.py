"""A long day over a line that breaks: each command is answered once, and memory does not grow."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.rocketchat.soak import LONG, SHORT, soak

MOST_GROWTH_MIB = 5.0


@pytest.mark.promise(
    "Thousands of messages in Rocket.Chat over a line that breaks: each command is answered once,"
    " and memory does not grow.",
    weight=6,
)
async def test_each_command_is_answered_once_over_a_line_that_breaks(
    tmp_path: Path, proof: Proof
) -> None:
    seed = random.randrange(10**6)
    sys.stdout.write(f"seed {seed}\n")
    plan = LONG if proof.long else SHORT
    soaked = await soak(tmp_path, plan, seed=seed)
    verdict = soaked.verdict
    proof.measured(
        seed=seed,
        messages=plan.messages,
        rooms=plan.rooms,
        line_broken=soaked.breaks,
        commands=verdict.asked,
        lost=len(verdict.lost),
        answered_twice=len(verdict.doubled),
        rss_growth_mib=round(soaked.growth, 1),
    )
    assert (verdict.lost, verdict.doubled, verdict.exit_code) == ((), (), 0)
    if proof.long:  # a bot that has just begun grows
        assert soaked.growth <= MOST_GROWTH_MIB
