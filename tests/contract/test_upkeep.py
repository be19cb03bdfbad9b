"""Pruning, backups, health; and a store that is busy, killed or closed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

import storage
from storage.open import open_store
from storage.records import Confirmation, DeadReason, LinkKind
from storage.sqlite.driver import sqlite
from storage.store import Store, StoreBusy, StoreError, StoreFull
from tests.contract.examples import ANA, MINUTE, NOW, browser, command, letter, link, room

DAY = timedelta(days=1)
WRITER = Path(__file__).with_name("writer.py")


# --- pruning


async def finished(store: Store, name: str, at: int) -> None:
    """A command finished, and its letter sent, so many minutes after NOW."""
    await store.accept("matrix", None, [command(name)])
    await store.finish(command(name).id, [letter(name)], at=NOW + at * MINUTE)
    await store.letter_sent(name, f"${name}", at=NOW + at * MINUTE)


async def test_what_is_finished_and_old_is_pruned(store: Store) -> None:
    await finished(store, "old", 0)
    await finished(store, "young", 9)
    assert await store.prune(before=NOW + MINUTE) == 2
    assert await store.prune(before=NOW + MINUTE) == 0
    known = await store.accept("matrix", None, [command("old"), command("young")])
    assert known == [command("old")]
    assert await store.say([letter("old"), letter("young")]) == ["old"]


async def test_what_waits_is_never_pruned(store: Store) -> None:
    await store.accept("matrix", "s1", [command("waits")])
    await store.say([letter("waits"), letter("dead")])
    await store.letter_dead("dead", at=NOW, reason=DeadReason.REFUSED, error="403")
    assert await store.prune(before=NOW + DAY) == 0
    assert await store.waiting() == [command("waits")]
    assert await store.letter_counts() == (1, 1)


async def test_expired_browsers_questions_and_buried_commands_are_pruned(store: Store) -> None:
    await store.sign_in(browser("a"), most=3)
    await store.ask_to_confirm(Confirmation(ANA, "end", "room", NOW))
    await store.accept("matrix", "s1", [command("a")])
    await store.bury(command("a").id, "why")
    assert await store.prune(before=NOW) == 0
    assert await store.prune(before=NOW + MINUTE) == 2
    assert await store.prune(before=NOW + DAY + MINUTE) == 1


async def test_of_expired_links_the_newest_generation_stays(with_room: Store) -> None:
    for name, generation in [("1", 1), ("2", 2)]:
        await with_room.put_link(link(name, generation=generation, expires_at=NOW))
    await with_room.put_link(link("3", kind=LinkKind.ROOM, person=None))
    assert await with_room.prune(before=NOW + MINUTE) == 1
    assert await with_room.link("hash-1") is None
    newest = await with_room.newest_link(LinkKind.PERSONAL, "room-1", ANA)
    assert newest == link("2", generation=2, expires_at=NOW)
    assert await with_room.link("hash-3") is not None


# --- backups


async def test_a_backup_taken_while_writing_is_whole(store: Store, tmp_path: Path) -> None:
    begun, stop = asyncio.Event(), asyncio.Event()

    async def write() -> int:
        number = 0
        while not stop.is_set():
            batch = [command(f"{number}-{part}") for part in range(3)]
            await store.accept("matrix", f"s{number}", batch)
            begun.set()
            number += 1
        return number

    writing = asyncio.create_task(write())
    await begun.wait()
    targets = [tmp_path / f"backup-{number}" / "bbb-bot.db" for number in range(5)]
    for target in targets:
        target.parent.mkdir()
        await store.backup(target)
    stop.set()
    assert await writing > 1
    for target in targets:
        assert [path.name for path in target.parent.iterdir()] == ["bbb-bot.db"]
        assert target.stat().st_mode & 0o077 == 0
        copy = await open_store(target.parent)
        batches = int((await copy.position("matrix") or "")[1:]) + 1
        assert len(await copy.waiting()) == 3 * batches
        await copy.close()


async def test_a_backup_never_overwrites(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"precious")
    with pytest.raises(StoreError, match="exists. Nothing was changed. Name a file"):
        await store.backup(target)
    assert target.read_bytes() == b"precious"


async def test_a_backup_into_nowhere_says_so_and_leaves_nothing(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        await store.backup(tmp_path / "missing" / "backup.db")
    assert not (tmp_path / "missing").exists()


# --- health


async def test_a_store_that_can_be_written_passes_its_check(store: Store) -> None:
    await store.check()
    await store.check()


async def test_closing_again_does_nothing_and_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.close()
    await store.close()
    for call in (store.waiting(), store.check()):
        with pytest.raises(StoreError, match="closed"):
            await call


async def test_what_was_begun_before_closing_is_kept(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    writes = [
        asyncio.create_task(store.accept("matrix", None, [command(str(n))])) for n in range(20)
    ]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)
    again = await open_store(tmp_path)
    assert len(await again.waiting()) == 20
    await again.close()


async def test_a_killed_bot_has_kept_all_it_acknowledged(tmp_path: Path) -> None:
    """Several times on one database: each start reads what the one before wrote."""
    acknowledged: list[str] = []
    for _ in range(4):
        acknowledged += await asyncio.to_thread(write_until_killed, tmp_path)
        store = await open_store(tmp_path)
        kept = [each.id for each in await store.waiting()]
        last = await store.position("matrix")
        await store.close()
        assert set(acknowledged) <= set(kept)
        assert len(kept) == len(set(kept))
        assert last == kept[-1]


def write_until_killed(directory: Path) -> list[str]:
    env = {**os.environ, "PYTHONPATH": path_of_tests_and_storage()}
    process = subprocess.Popen(
        [sys.executable, WRITER, directory], stdout=subprocess.PIPE, text=True, env=env
    )
    assert process.stdout
    with process, process.stdout:
        seen = [process.stdout.readline() for _ in range(40)]
        process.kill()
        seen += process.stdout.readlines()
    return [line.strip() for line in seen if line.endswith("\n")]


def path_of_tests_and_storage() -> str:
    roots = {Path(__file__).parents[2], Path(storage.__file__).parents[1]}
    return os.pathsep.join(map(str, roots))


# --- SQLite's own trouble


class Intruder:
    """Another program that holds the write lock of the database.

    Through the store's own driver: two SQLite libraries in one process undo each other's locks.
    """

    def __init__(self, directory: Path) -> None:
        self._raw = sqlite.connect(
            directory / "bbb-bot.db", isolation_level=None, check_same_thread=False
        )
        self._raw.execute("BEGIN IMMEDIATE")
        self._raw.execute("INSERT INTO sync_position VALUES (hex(randomblob(8)), 'intruder')")

    def let_go(self) -> None:
        self._raw.execute("COMMIT")
        self._raw.close()

    def let_go_in(self, seconds: float) -> None:
        threading.Timer(seconds, self.let_go).start()


async def worst_lag_while(work: asyncio.Future[object]) -> float:
    """By how many seconds the loop was late at worst, asked every 5 ms."""
    loop, worst = asyncio.get_running_loop(), 0.0
    while not work.done():
        due = loop.time() + 0.005
        await asyncio.sleep(0.005)
        worst = max(worst, loop.time() - due)
    return worst


async def test_a_locked_database_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    lags = []
    for attempt in range(3):  # a busy machine may be late by itself, once
        intruder = Intruder(tmp_path)
        intruder.let_go_in(1.0)
        began = asyncio.get_running_loop().time()
        work = asyncio.ensure_future(store.accept("matrix", None, [command(str(attempt))]))
        lags.append(await worst_lag_while(work))  # type: ignore[arg-type]
        assert work.result() == [command(str(attempt))]
        assert asyncio.get_running_loop().time() - began > 0.9
        if lags[-1] < 0.05:
            break
    await store.close()
    assert min(lags) < 0.05


async def test_a_write_that_reads_first_waits_for_the_lock_too(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    intruder = Intruder(tmp_path)
    intruder.let_go_in(0.1)
    assert await store.put_room(room("1")) == room("1")
    await store.close()


async def test_a_database_locked_for_long_is_busy_and_can_still_be_read(tmp_path: Path) -> None:
    store = await open_store(tmp_path, busy_timeout=timedelta(milliseconds=50))
    await store.accept("matrix", "s1", [command("a")])
    intruder = Intruder(tmp_path)
    with pytest.raises(StoreBusy):
        await store.accept("matrix", "s2", [command("b")])
    with pytest.raises(StoreBusy):
        await store.check()
    assert await store.waiting() == [command("a")]
    await store.backup(tmp_path / "backup")
    intruder.let_go()
    await store.check()
    assert await store.accept("matrix", "s2", [command("b")]) == [command("b")]
    await store.close()


async def test_on_a_full_disk_nothing_is_half_written_and_reading_works(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.accept("matrix", "s1", [command("a")])
    await allow_pages(store, 1)  # never fewer than there are
    huge = command("huge", text="x" * 500_000)
    with pytest.raises(StoreFull):
        await store.accept("matrix", "s2", [command("b"), huge])
    assert await store.position("matrix") == "s1"
    assert await store.waiting() == [command("a")]
    await allow_pages(store, 1_000_000)
    assert await store.accept("matrix", "s2", [huge]) == [huge]
    await store.close()


async def allow_pages(store: Store, most: int) -> None:
    """What a small disk does, without one."""
    thread = store._thread  # type: ignore[attr-defined]
    await thread.read(lambda connection: connection.rows(f"PRAGMA max_page_count = {most}"))


async def test_the_connection_is_set_for_safety(tmp_path: Path) -> None:
    store = await open_store(tmp_path, busy_timeout=timedelta(seconds=5))
    thread = store._thread  # type: ignore[attr-defined]

    async def pragma(name: str) -> object:
        rows = await thread.read(lambda connection: connection.rows(f"PRAGMA {name}"))
        return next(iter(rows[0].values()))

    names = ["journal_mode", "synchronous", "foreign_keys", "busy_timeout", "trusted_schema"]
    assert [await pragma(name) for name in names] == ["wal", 2, 1, 5000, 0]
    with closing(sqlite.connect(tmp_path / "bbb-bot.db")) as raw:
        tables = raw.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
        assert {name for name, strict in tables if not strict and name[0] != "_"} == {
            "sqlite_schema"
        }
    await store.close()
