"""Looks into a database from outside, beside a running bot or none; changes nothing."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from storage.migrations import STEPS
from storage.queries.inbox import dead_commands
from storage.queries.outbox import letter_counts, oldest_waiting
from storage.sqlite.connection import SqliteConnection, connect_to_read
from storage.sqlite.driver import sqlite
from storage.store import StoreError

_PATIENCE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Look:
    """Letters that wait or were given up, commands that were given up."""

    waiting: int
    oldest: datetime | None
    dead_letters: int
    dead_commands: int


def look(path: Path) -> Look | None:
    """What the database at `path` holds; None where there is none yet. Raises StoreError."""
    if not path.exists():
        return None
    try:
        with closing(connect_to_read(path, _PATIENCE)) as raw:
            [(version,)] = raw.execute("PRAGMA user_version").fetchall()
            if version > len(STEPS):
                raise StoreError(f"was written by a newer bbb-bot (schema {version})")
            connection = SqliteConnection(raw)
            waiting, dead = letter_counts(connection)
            return Look(waiting, oldest_waiting(connection), dead, dead_commands(connection))
    except sqlite.DatabaseError as error:
        raise StoreError(f"cannot be read ({error})") from error
