"""The schema: from the first one on, with rows in it, it comes to what a new database has."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from storage.migrations import STEPS, Step, in_order
from storage.open import open_store
from storage.sqlite.driver import sqlite
from storage.sqlite.files import APPLICATION_ID
from storage.sqlite.migrate import migrations
from storage.store import Store, StoreError
from tests.contract.examples import command, letter

# The first schema as it was published, typed by hand: it is never derived from the code.
FIRST = """
CREATE TABLE _sqlite_migrations (
    id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT
);
CREATE UNIQUE INDEX idx__sqlite_migrations_migration_set_name
    ON _sqlite_migrations (migration_set, name);
INSERT INTO _sqlite_migrations (migration_set, name, applied_at)
    VALUES ('bbb-bot', '001 inbox and outbox', '2026-01-01 12:00:00.000000+00:00');
CREATE TABLE sync_position (
    platform TEXT NOT NULL PRIMARY KEY,
    position TEXT NOT NULL
) STRICT;
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('message', 'reaction', 'welcome', 'gone')),
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    person_platform TEXT NOT NULL,
    person TEXT NOT NULL,
    text TEXT NOT NULL,
    origin TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    direct INTEGER NOT NULL CHECK (direct IN (0, 1)),
    thread TEXT,
    target TEXT,
    attempts INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'dead')),
    error TEXT NOT NULL DEFAULT '',
    done_ms INTEGER
) STRICT;
CREATE INDEX inbox_waiting ON inbox (seq) WHERE state = 'waiting';
CREATE INDEX inbox_done ON inbox (done_ms) WHERE state = 'done';
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    platform TEXT NOT NULL,
    channel TEXT,
    person TEXT,
    content TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    reply_to TEXT,
    thread TEXT,
    priority INTEGER NOT NULL,
    card TEXT,
    fallback TEXT,
    fallback_channel TEXT,
    state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'dead')),
    attempts INTEGER NOT NULL,
    next_try_ms INTEGER NOT NULL,
    error TEXT NOT NULL,
    ref TEXT,
    leased_ms INTEGER NOT NULL DEFAULT 0,
    woken INTEGER NOT NULL DEFAULT 0 CHECK (woken IN (0, 1)),
    sent_ms INTEGER,
    CHECK ((channel IS NULL) <> (person IS NULL))
) STRICT;
CREATE INDEX outbox_due ON outbox (platform, priority, created_ms, seq) WHERE state = 'due';
CREATE INDEX outbox_sent ON outbox (sent_ms) WHERE state = 'sent';
CREATE INDEX outbox_person ON outbox (platform, person) WHERE person IS NOT NULL;
CREATE TABLE pulse (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    beats INTEGER NOT NULL
) STRICT;
INSERT INTO sync_position VALUES ('matrix', 's1');
INSERT INTO inbox (id, kind, platform, channel, person_platform, person, text, origin, sent_ms,
                   direct, attempts)
    VALUES ('matrix:$old', 'message', 'matrix', '!team:example.org', 'matrix',
            '@ana:example.org', 'start', '$old', 1772366400250, 0, 0);
INSERT INTO outbox (id, platform, channel, content, created_ms, priority, state, attempts,
                    next_try_ms, error)
    VALUES ('old', 'matrix', '!team:example.org', '{"key":"old"}', 1772366400250, 0, 'due', 0,
            0, '');
PRAGMA user_version = 1;
"""


def lay(directory: Path, script: str) -> Path:
    """A database file of ours in `directory`, made by `script` alone."""
    path = directory / "bbb-bot.db"
    with closing(sqlite.connect(path)) as raw:
        raw.executescript(f"PRAGMA application_id = {APPLICATION_ID}; {script}")
    return path


def shape(path: Path) -> dict[str, Any]:
    """Columns, indexes and rules of every table, without how the text was broken into lines."""
    with closing(sqlite.connect(path)) as raw:
        rows = raw.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        version = raw.execute("PRAGMA user_version").fetchone()
        tables = [name for (name, sql) in rows if sql.startswith("CREATE TABLE")]
        columns = {name: raw.execute(f"PRAGMA table_xinfo({name})").fetchall() for name in tables}
    rules = {name: " ".join(sql.split()) for name, sql in rows if not name.startswith("idx__")}
    del rules["_sqlite_migrations"]
    return {"version": version, "columns": columns, "rules": rules}


async def opened(directory: Path) -> Store:
    return await open_store(directory)


@pytest.fixture
async def new_shape(tmp_path: Path) -> dict[str, Any]:
    """What a database made today has."""
    store = await opened(tmp_path / "new")
    await store.close()
    return shape(tmp_path / "new" / "bbb-bot.db")


async def test_the_first_schema_with_rows_comes_to_todays(
    tmp_path: Path, new_shape: dict[str, Any]
) -> None:
    path = lay(tmp_path, FIRST)
    store = await opened(tmp_path)
    assert await store.waiting() == [command("old")]
    assert await store.position("matrix") == "s1"
    assert await store.say([letter("old")]) == []
    await store.close()
    assert shape(path) == new_shape


async def test_an_empty_database_of_ours_comes_to_todays(
    tmp_path: Path, new_shape: dict[str, Any]
) -> None:
    path = lay(tmp_path, "")
    store = await opened(tmp_path)
    await store.close()
    assert shape(path) == new_shape


@pytest.mark.parametrize("step", STEPS[1:], ids=lambda step: f"before {step.name}")
async def test_from_every_step_the_rest_is_applied(
    step: Step, tmp_path: Path, new_shape: dict[str, Any]
) -> None:
    path = lay(tmp_path, "")
    with closing(Database(path, execute_plugins=False)) as database:
        migrations().apply(database, stop_before=step.name)
    assert shape(path) != new_shape
    store = await opened(tmp_path)
    await store.close()
    assert shape(path) == new_shape


async def test_opening_again_changes_nothing(tmp_path: Path, new_shape: dict[str, Any]) -> None:
    path = tmp_path / "new" / "bbb-bot.db"
    store = await opened(path.parent)
    await store.close()
    assert shape(path) == new_shape


async def test_of_four_that_open_a_new_directory_at_once_one_wins(tmp_path: Path) -> None:
    made = await asyncio.gather(*(opened(tmp_path) for _ in range(4)), return_exceptions=True)
    stores = [each for each in made if not isinstance(each, BaseException)]
    refused = [each for each in made if isinstance(each, StoreError)]
    assert (len(stores), len(refused)) == (1, 3)
    await stores[0].check()
    await stores[0].close()


@pytest.mark.parametrize("names", [["002 b"], ["001 a", "003 c"], ["001 a", "001 b"]])
def test_a_gap_in_the_numbers_is_an_error(names: list[str]) -> None:
    with pytest.raises(ValueError, match="is called"):
        in_order(*(Step(name, ()) for name in names))


def test_every_table_is_written_for_both_engines() -> None:
    """Only the placeholders differ, so SQLite's own words may not stand in the steps."""
    for step in STEPS:
        for statement in step.statements:
            words = statement.upper()
            assert "AUTOINCREMENT" not in words and "WITHOUT ROWID" not in words
            assert not words.startswith("CREATE TABLE") or "{STRICT}" in words
            assert "_MS INTEGER" not in words
