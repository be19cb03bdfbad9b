"""The one SQLite driver: the module that sqlite-utils took, and what its errors mean.

sqlite-utils takes pysqlite3 where it is installed, and then the exceptions are not those of the
standard `sqlite3`, nor subclasses of them. So nobody else in the project imports either module.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.store import Conflict, StoreBusy, StoreError, StoreFull

if TYPE_CHECKING:
    import sqlite3 as sqlite
else:
    from sqlite_utils.utils import sqlite3 as sqlite

log = logging.getLogger(__name__)

FIXED_VERSION = (3, 51, 3)
"""Before it a database in WAL mode could be damaged by a rare race (sqlite.org/wal.html)."""

_BUSY, _LOCKED, _FULL = 5, 6, 13
_OUTSIDE = {8: "read-only", 10: "disk error", 11: "damaged", 14: "cannot be opened", 26: "foreign"}
_UNIQUE = "UNIQUE constraint failed: "

__all__ = ["log_version", "sqlite", "translated"]


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the world does to a database into StoreError; what is a bug of ours passes."""
    try:
        yield
    except sqlite.DatabaseError as error:
        raise _translation(error) from error


def _translation(error: sqlite.DatabaseError) -> Exception:
    # pysqlite3 gives only the first byte of the extended code, and the text says the rest.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    said = str(error)
    if said.startswith(_UNIQUE):
        return Conflict(said.removeprefix(_UNIQUE))
    if code in (_BUSY, _LOCKED):
        return StoreBusy("the database stayed locked by another program")
    if code == _FULL:
        return StoreFull("the disk with the database is full")
    if code in _OUTSIDE:
        return StoreError(f"the database cannot be used: {_OUTSIDE[code]} ({said})")
    return error


def log_version() -> None:
    """Say which SQLite this is, and warn of one that can damage a database."""
    fields = {"action": "sqlite_version", "version": sqlite.sqlite_version}
    if sqlite.sqlite_version_info < FIXED_VERSION:
        log.warning(
            "this SQLite can damage a database in a rare race; pysqlite3 brings a newer one",
            extra=fields,
        )
    else:
        log.info("SQLite is new enough", extra=fields)
