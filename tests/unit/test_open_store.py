"""A database that cannot be used is refused in words, and not one byte of it changes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

import storage
from storage.migrations import STEPS
from storage.open import open_store
from storage.records import Channel, Command, Kind, Person
from storage.sqlite.driver import sqlite
from storage.sqlite.files import APPLICATION_ID
from storage.store import StoreError

HOLDER = """
import asyncio, sys
from pathlib import Path
from storage.open import open_store

async def main():
    store = await open_store(Path(sys.argv[1]))
    sys.stdout.write("open\\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    await store.close()

asyncio.run(main())
"""


@pytest.fixture
async def used(tmp_path: Path) -> Path:
    """The file of a database that was in use, with enough rows for many pages."""
    store = await open_store(tmp_path)
    commands = [
        Command(
            id=f"matrix:${number}",
            kind=Kind.MESSAGE,
            channel=Channel("matrix", "!team"),
            person=Person("matrix", "@ana"),
            text="x" * 500,
            origin="$1",
            sent_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        for number in range(200)
    ]
    await store.accept("matrix", "s1", commands)
    await store.close()
    return tmp_path / "bbb-bot.db"


def cut_to_nothing(path: Path) -> None:
    path.write_bytes(b"")


def write_text(path: Path) -> None:
    path.write_text("This is not a database, but a letter to the admin.\n" * 99)


def cut_the_header(path: Path) -> None:
    os.truncate(path, 50)


def cut_the_end(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def write_over_pages(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(range(256)) * 256)


def write_over_the_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xff" * 16)


def belong_to_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite.connect(path)) as raw:
        raw.executescript("PRAGMA journal_mode = WAL; CREATE TABLE theirs (a)")


def come_from_the_future(path: Path) -> None:
    with closing(sqlite.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {len(STEPS) + 1}")


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, bytes_: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes_)


def modes(directory: Path) -> dict[str, int]:
    """Who may do what with each file."""
    return {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}


def lose(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut_to_nothing, "is empty.*Nothing was changed.*copy a backup to"),
        (write_text, "is not a SQLite database.*Nothing was changed.*copy a backup to"),
        (cut_the_header, "is not a SQLite database.*Nothing was changed.*copy a backup to"),
        (write_over_the_header, "is not a SQLite database.*Nothing was changed.*copy a backup to"),
        (cut_the_end, "is damaged.*Nothing was changed.*copy a backup to"),
        (write_over_pages, "is damaged.*Nothing was changed.*copy a backup to"),
        (belong_to_another_program, "of another program.*Nothing was changed.*directory of its"),
        (come_from_the_future, "a newer bbb-bot.*Nothing was changed.*Start the newer bbb-bot"),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else "",
)
async def test_a_database_that_cannot_be_used_is_refused_and_not_touched(
    used: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(used)
    before = content(used)
    for _ in range(2):
        with pytest.raises(StoreError) as refused:
            await open_store(used.parent)
        assert re.search(said, str(refused.value))
        assert str(used) in str(refused.value)
        assert content(used) == before


async def test_a_lost_database_is_not_made_anew_without_a_word(used: Path) -> None:
    lose(used)
    with pytest.raises(StoreError, match="is gone, though.*backup.*delete bbb-bot.db.made too"):
        await open_store(used.parent)
    assert used.name not in modes(used.parent)
    lose(used.with_name("bbb-bot.db.made"))
    await (await open_store(used.parent)).close()


async def test_a_left_over_log_is_not_played_into_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "bbb-bot.db-wal").write_bytes(b"old")
    with pytest.raises(StoreError, match="is gone"):
        await open_store(tmp_path)
    assert (tmp_path / "bbb-bot.db-wal").read_bytes() == b"old"


async def test_a_directory_in_place_of_the_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bbb-bot.db").mkdir()
    with pytest.raises(StoreError, match="is not a file"):
        await open_store(tmp_path)


async def test_a_restored_backup_is_taken_up_in_an_empty_directory(
    used: Path, tmp_path: Path
) -> None:
    fresh = tmp_path / "fresh"
    put(fresh / "bbb-bot.db", content(used))
    store = await open_store(fresh)
    assert len(await store.waiting()) == 200
    await store.close()
    (fresh / "bbb-bot.db").unlink()
    with pytest.raises(StoreError, match="is gone"):
        await open_store(fresh)


async def test_a_creation_cut_short_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "bbb-bot.db.new").write_bytes(b"half a database")
    store = await open_store(tmp_path)
    await store.check()
    await store.close()
    assert not (tmp_path / "bbb-bot.db.new").exists()


async def test_a_new_database_is_ours_and_private(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "a" / "b")
    await store.check()
    found = modes(tmp_path / "a" / "b")
    await store.close()
    with closing(sqlite.connect(tmp_path / "a" / "b" / "bbb-bot.db")) as raw:
        assert raw.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert raw.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    del found["bbb-bot.db.made"]  # holds no secret
    names = ["bbb-bot.db", "bbb-bot.db-wal", "bbb-bot.db-shm", "bbb-bot.lock"]
    assert found == dict.fromkeys(names, 0o600)


async def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreError, match="cannot be used as data directory"):
        await open_store(tmp_path / "data")


# --- one process at a time


def start(directory: Path) -> subprocess.Popen[str]:
    """Another process that opens the store, says so, and keeps it until a line comes in."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(storage.__file__).parents[1])},
    )


def hold(directory: Path) -> subprocess.Popen[str]:
    """Another process that has the store open by now."""
    process = start(directory)
    assert process.stdout and process.stdout.readline() == "open\n"
    return process


async def test_a_second_process_is_refused_at_once(used: Path) -> None:
    with hold(used.parent) as holder:
        before = content(used)
        began = time.monotonic()
        with pytest.raises(StoreError, match="Another bbb-bot.*Nothing was changed. Stop it"):
            await open_store(used.parent)
        assert time.monotonic() - began < 1
        assert content(used) == before
        holder.communicate("\n")
    assert holder.returncode == 0
    await (await open_store(used.parent)).close()


def test_of_processes_that_start_at_once_in_a_new_directory_one_wins(tmp_path: Path) -> None:
    processes = [start(tmp_path) for _ in range(3)]
    first_lines = [process.stdout.readline() for process in processes if process.stdout]
    ends = [process.communicate("\n") for process in processes]
    assert sorted(first_lines) == ["", "", "open\n"]
    assert sorted(process.returncode for process in processes) == [0, 1, 1]
    assert sum("Another bbb-bot is running" in errors for _, errors in ends) == 2


async def test_the_lock_of_a_killed_process_is_free(used: Path) -> None:
    with hold(used.parent) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        store = await open_store(used.parent)
        assert len(await store.waiting()) == 200
        await store.close()


async def test_a_refused_database_leaves_the_directory_unlocked(used: Path) -> None:
    whole = content(used)
    cut_to_nothing(used)
    with pytest.raises(StoreError, match="is empty"):
        await open_store(used.parent)
    put(used, whole)
    await (await open_store(used.parent)).close()


async def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    with pytest.raises(StoreError, match="Another bbb-bot"):
        await open_store(tmp_path)
    await store.close()
