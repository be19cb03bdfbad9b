"""Measures our bot beside a floor bot: on a real Synapse (and beside a textbook bot there), and in
Rocket.Chat, which our test server stands for.

Latency, bursts, memory, processor time.

    python bench/chat.py [--chat matrix|rocketchat] [--quick] [--rounds N] [--only floor]

Every command goes to each bot in turn, so that what disturbs one disturbs all.
The last line is one line of JSON: the figures of each bot by its name.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import bench.matrix.arena
import bench.rocketchat.arena
from bench.figures import milliseconds, paired_difference
from bench.running import FLOOR, OURS
from bench.stage import Stage
from bot.demo.synapse_files import LIFTED, LIFTED_LIMITS
from tests.our_bot import LIMITS_LIFTED

CHATS = {"matrix": bench.matrix.arena, "rocketchat": bench.rocketchat.arena}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done: `sequential` commands and one `burst` per bot and round, `cards` in all."""

    only: Sequence[str]
    rounds: int
    sequential: int
    burst: int
    cards: int


def plan_of(arguments: Sequence[str]) -> tuple[Plan, str]:
    """What is done, and in which chat."""
    parser = argparse.ArgumentParser(description="Measure bots in chats.")
    parser.add_argument("--chat", choices=list(CHATS), default="matrix")
    parser.add_argument("--quick", action="store_true", help="30 sequential, a burst of 100, once")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 5, quick 1)")
    parser.add_argument("--only", help="bots, by comma (default: all)")
    given = parser.parse_args(arguments)
    known = CHATS[given.chat].NAMES
    only = given.only.split(",") if given.only else known
    if unknown := set(only) - set(known):
        parser.error(f"no such bot: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if given.quick:
        return Plan(only, given.rounds or 1, sequential=30, burst=100, cards=10), given.chat
    return Plan(only, given.rounds or 5, sequential=100, burst=500, cards=20), given.chat


async def run(plan: Plan, chat: str) -> dict[str, dict[str, float]]:
    """Measure and tell; the figures of each bot."""
    names = [name for name in CHATS[chat].NAMES if name in plan.only]
    with tempfile.TemporaryDirectory() as directory:
        async with AsyncExitStack() as ending:
            stages = await CHATS[chat].Arena(Path(directory), ending).open(names)
            for number in range(plan.rounds):
                await one_round(stages, plan, number)
                tell_round(stages, number)
            for stage in (stage for stage in stages if stage.name == OURS):
                for room in range(plan.cards):
                    await stage.one_card(room)
            tell_differences(stages)
            return {stage.name: stage.measured.figures() for stage in stages}


async def one_round(stages: Sequence[Stage], plan: Plan, number: int) -> None:
    """Single commands to one bot after the other, then a burst for each; the order rotates."""
    with ExitStack() as counting:
        for stage in stages:
            counting.enter_context(stage.working())
        for turn in range(plan.sequential):
            for stage in rotated(stages, turn):
                await stage.one_help()
    for stage in rotated(stages, number):
        with stage.working():
            await stage.burst(plan.burst)


def rotated(stages: Sequence[Stage], by: int) -> list[Stage]:
    first = by % len(stages)
    return [*stages[first:], *stages[:first]]


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell_what_is_lifted(chat: str) -> None:
    if chat == "matrix":
        tell(f"lifted at Synapse, to {json.dumps(LIFTED)} each: {', '.join(LIFTED_LIMITS)}")
    else:
        tell("lifted at Rocket.Chat, by the role bot: the limits of REST and of sending")
    tell(f"lifted in the configuration of {OURS}: {json.dumps(LIMITS_LIFTED)}")


def tell_round(stages: Sequence[Stage], number: int) -> None:
    for stage in stages:
        measured = stage.measured
        tell(
            f"round {number + 1}  {stage.name:<9} burst {measured.bursts[-1]:5.1f} replies/s, "
            f"{measured.lost_in_bursts[-1]} lost"
        )


def tell_differences(stages: Sequence[Stage]) -> None:
    """The difference to the floor, command by command: steadier than that of two medians."""
    floor = next((stage for stage in stages if stage.name == FLOOR), None)
    for stage in stages:
        if floor and stage is not floor:
            behind = paired_difference(stage.measured.latencies, floor.measured.latencies)
            tell(f"{stage.name}: median paired difference to {FLOOR} {milliseconds(behind):+} ms")


def keep_byte_code() -> None:
    """Compile what the bots import, as an installation does: else it costs memory for good."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    modules = (
        "bot.app, bot.cli, bot.demo.bbb.run, bench.matrix.floor, bench.matrix.textbook, "
        "bench.rocketchat.floor"
    )
    subprocess.run([sys.executable, "-c", f"import {modules}"], check=True)


def main() -> None:
    began = time.monotonic()
    keep_byte_code()
    plan, chat = plan_of(sys.argv[1:])
    tell_what_is_lifted(chat)
    result = asyncio.run(run(plan, chat))
    tell(f"took {time.monotonic() - began:.0f} s")
    tell(json.dumps(result))


if __name__ == "__main__":
    main()
