"""Looks into a database from outside, beside a running bot or none; changes nothing."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from storage.migrations import STEPS
from storage.queries.values import from_ms
from storage.sqlite.connection import connect_to_read
from storage.sqlite.driver import sqlite
from storage.store import StoreError

_PATIENCE = timedelta(seconds=2)
_COUNTS = (
    "SELECT sum(state = 'due') AS waiting, sum(state = 'dead') AS dead,"
    " min(CASE WHEN state = 'due' THEN created_ms END) AS oldest FROM outbox"
)


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
            [(waiting, dead, oldest)] = raw.execute(_COUNTS).fetchall()
            [(commands,)] = raw.execute(
                "SELECT count(*) FROM inbox WHERE state = 'dead'"
            ).fetchall()
    except sqlite.DatabaseError as error:
        raise StoreError(f"cannot be read ({error})") from error
    return Look(waiting or 0, from_ms(oldest), dead or 0, commands)
