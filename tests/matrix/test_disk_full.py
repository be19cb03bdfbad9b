"""The disk with the data fills up under commands: the bot says so, lives, and loses nothing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from bot.demo.synapse import Synapse
from tests.conftest import Proof
from tests.faults.elsewhere import require_namespaces, seen_by, with_small
from tests.matrix.endurance import Endurance, endurance

SIZE = "6m"
ENOUGH_SECONDS = 60.0
MOST_COMMANDS = 200


@pytest.mark.promise("A full disk: the bot says so, loses nothing, and goes on when there is room.")
async def test_the_disk_fills_up_and_is_emptied_again(
    synapse: Synapse, tmp_path: Path, proof: Proof
) -> None:
    require_namespaces()
    async with endurance(synapse, tmp_path, within=with_small(tmp_path / "data", SIZE)) as bot:
        filler = seen_by(bot.bot.pid, tmp_path / "data") / "filler"
        bot.data = None  # nobody else's SQLite finds the way there
        fill(filler)
        while await state_of(bot) != "down":
            assert bot.said < MOST_COMMANDS, "the disk was never full"
            await bot.ask(1)
        await bot.ask(10)
        filler.unlink()
        began = time.monotonic()
        while await state_of(bot) != "ok":
            assert time.monotonic() - began < ENOUGH_SECONDS
            await asyncio.sleep(0.1)
        found = await bot.count()
        seconds = time.monotonic() - began
    assert (found.commands, found.lost, found.answered_twice) == (bot.said, 0, 0)
    assert "Traceback" not in bot.bot.output.read_text()
    proof.measured(
        commands=found.commands,
        lost=found.lost,
        answered_twice=found.answered_twice,
        seconds_until_all_were_answered=round(seconds, 1),
    )


def fill(file: Path) -> None:
    """Write until nothing more can be written."""
    with file.open("wb", buffering=0) as target:
        for size in (65536, 1):
            try:
                while target.write(bytes(size)):
                    pass
            except OSError:
                continue


async def state_of(bot: Endurance) -> str:
    """What the bot says of its database."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(f"{bot.pages}/readyz")
    return str(answer.json()["parts"]["database"])
