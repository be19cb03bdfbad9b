"""The program with data it cannot use: refused in words with the way out, not a byte changed."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot.demo.synapse import Account
from bot.keys import open_keys
from storage.open import open_store
from tests import canary
from tests.contract.examples import command
from tests.faults.elsewhere import require_namespaces, with_read_only
from tests.faults.lives import KILLED, Life, Lives
from tests.matrix.our_bot import write_config
from tests.our_bot import BOT, free_port
from tests.unit.test_open_store import (
    belong_to_another_program,
    come_from_the_future,
    cut_the_end,
    cut_to_nothing,
    lose,
    write_over_pages,
    write_text,
)

NOBODY = Account("@bot:localhost", canary.ACCESS_TOKEN, "TESTS", "")


def config_for(directory: Path) -> Path:
    """A bot without a homeserver and without BBB, with `directory`/data."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    return write_config(
        directory, NOBODY, homeserver=nowhere, bbb_port=free_port(), bbb_secret="canary-secret"
    )


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """The data directory of a bot that ran before."""
    config_for(tmp_path)
    data = tmp_path / "data"
    open_keys(data)
    store = await open_store(data)
    await store.accept("matrix", "s1", [command(str(n), text="x" * 500) for n in range(200)])
    await store.close()
    return data


def address_of(config: Path) -> str:
    """Where the pages of the bot with this configuration stand."""
    return str(json.loads(config.read_text())["public_url"])


async def healthy(config: Path, life: Life) -> None:
    """Return when the bot answers. Raises AssertionError when it does not live to do so."""
    address = address_of(config)
    async with asyncio.timeout(30), httpx.AsyncClient() as browser:
        while True:
            assert life.process.is_alive()
            try:
                if (await browser.get(f"{address}/healthz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.02)


def all_of(directory: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut_to_nothing, ["is empty", "copy a backup to"]),
        (write_text, ["is not a SQLite database", "copy a backup to"]),
        (cut_the_end, ["is damaged", "copy a backup to"]),
        (write_over_pages, ["is damaged", "copy a backup to"]),
        (belong_to_another_program, ["of another program", "data directory of its own"]),
        (come_from_the_future, ["a newer bbb-bot", "Start the newer bbb-bot"]),
        (lose, ["is gone", "To begin anew on purpose"]),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else "",
)
async def test_a_database_that_cannot_be_used_is_refused(
    data: Path, spoil: Callable[[Path], None], said: list[str]
) -> None:
    spoil(data / "bbb-bot.db")
    before = all_of(data)
    lives = Lives(data.parent)
    assert await lives.on("matrix", data.parent / "config.yaml").end() == 1
    words = lives.last_words()
    for each in (*said, str(data / "bbb-bot.db"), "Nothing was changed."):
        assert each in words
    assert "Traceback" not in words
    after = all_of(data)
    assert {name: after.get(name) for name in before} == before


async def test_a_second_program_is_refused_and_after_a_kill_let_in(data: Path) -> None:
    lives, config = Lives(data.parent), data.parent / "config.yaml"
    first = lives.on("matrix", config)
    await healthy(config, first)
    assert await lives.on("matrix", config).end() == 1
    assert f"Another bbb-bot is running on {data}" in lives.last_words()
    assert await first.kill() == KILLED
    third = lives.on("matrix", config)
    await healthy(config, third)
    assert await third.stop() == 0


async def test_a_data_directory_that_cannot_be_written_is_refused(data: Path) -> None:
    require_namespaces()
    before = all_of(data)
    words = await _run(
        [*with_read_only(data), *BOT, "run", "--config", data.parent / "config.yaml"]
    )
    assert f"{data}: cannot be used as data directory" in words
    assert "that the bot may write to" in words
    assert "Traceback" not in words
    assert all_of(data) == before


async def _run(command: list[str | Path]) -> str:
    """A command that must fail by itself; what it printed."""
    ended = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode not in (0, -9)
    return ended.stderr + ended.stdout


async def test_a_log_that_a_crash_left_behind_is_taken_up(data: Path, tmp_path: Path) -> None:
    """The files as a crash leaves them: what was committed is only in the log."""
    store = await open_store(data)
    await store.accept("matrix", "only in the log", [])
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("bbb-bot.db", "bbb-bot.db-wal"):
        (crashed / name).write_bytes((data / name).read_bytes())
    await store.close()
    assert b"only in the log" not in (crashed / "bbb-bot.db").read_bytes()
    again = await open_store(crashed)
    assert await again.position("matrix") == "only in the log"
    await again.close()


async def test_the_half_frame_of_a_power_cut_is_left_out(data: Path, tmp_path: Path) -> None:
    store = await open_store(data)
    log = data / "bbb-bot.db-wal"
    await store.accept("matrix", "whole", [])
    whole = log.stat().st_size
    await store.accept("matrix", "half", [])
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    (crashed / "bbb-bot.db").write_bytes((data / "bbb-bot.db").read_bytes())
    (crashed / log.name).write_bytes(log.read_bytes()[: whole + 1000])
    await store.close()
    again = await open_store(crashed)
    assert await again.position("matrix") == "whole"
    await again.close()
