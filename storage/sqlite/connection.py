"""The writer's connection: how it is set, and how queries speak to it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from storage.queries.connection import Row
from storage.sqlite.driver import sqlite
from storage.store import StoreError


def connect(path: Path, busy_timeout: timedelta) -> Database:
    """Open `path` for writing. Raises the driver's errors, StoreError where WAL is not possible."""
    # Without isolation level the driver begins no transaction of its own.
    raw = sqlite.connect(path, timeout=busy_timeout.total_seconds(), isolation_level=None)
    try:
        _set(raw)
        return Database(raw, execute_plugins=False)
    except BaseException:
        raw.close()
        raise


def _set(raw: sqlite.Connection) -> None:
    [(mode,)] = raw.execute("PRAGMA journal_mode = WAL").fetchall()
    if mode != "wal":
        raise StoreError(
            f"The database cannot keep a write-ahead log (mode {mode})."
            " Put the data directory on a local disk."
        )
    raw.execute("PRAGMA synchronous = FULL")  # NORMAL may lose the last commits at power loss
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA trusted_schema = OFF")
    raw.execute("PRAGMA secure_delete = ON")  # who is forgotten leaves no bytes in free pages


def connect_to_read(path: Path, busy_timeout: timedelta) -> sqlite.Connection:
    """A connection that can change nothing, not even by a checkpoint when it is closed."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite.connect(address, uri=True, timeout=busy_timeout.total_seconds())


class SqliteConnection:
    """`storage.queries.connection.Connection` on SQLite."""

    def __init__(self, raw: sqlite.Connection) -> None:
        self._raw = raw

    def rows(self, sql: str, /, **values: Any) -> list[Row]:
        with closing(self._raw.execute(sql, _bindable(values))) as cursor:
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, sql: str, /, **values: Any) -> Row | None:
        found = self.rows(sql, **values)
        return found[0] if found else None

    def run(self, sql: str, /, **values: Any) -> int:
        with closing(self._raw.execute(sql, _bindable(values))) as cursor:
            changed: int = cursor.rowcount
            return changed


@contextmanager
def transaction(raw: sqlite.Connection) -> Iterator[None]:
    """Begun with the lock in hand: one begun without cannot wait for it later (SQLITE_BUSY)."""
    raw.execute("BEGIN IMMEDIATE")
    try:
        yield
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:  # a full disk may have ended it already
            raw.execute("ROLLBACK")
        raise


def _bindable(values: dict[str, Any]) -> dict[str, Any]:
    """Half a character (a lone surrogate), which JSON can bring, becomes `?`: it has no UTF-8."""
    return {name: _encodable(value) for name, value in values.items()}


def _encodable(value: Any) -> Any:
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode()
    return value
