"""The database file: made in one piece, and never touched when it is not a usable one of ours.

file      sentinel, or a left-over log    what happens
────────  ──────────────────────────────  ────────────────────────────────
missing   missing                         a new database, then the sentinel
missing   there                           refused: the database was lost
usable    missing                         the sentinel is written
anything else                             refused
"""

import os
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from storage.migrations import STEPS
from storage.sqlite.connection import connect, connect_to_read
from storage.sqlite.driver import sqlite
from storage.sqlite.migrate import migrate
from storage.store import StoreError

APPLICATION_ID = 0x42424221  # "BBB!"

_MAGIC = b"SQLite format 3\0"
_APPLICATION_ID_AT = 68  # sqlite.org/fileformat2.html, the database header
_HEADER_SIZE = 100

_SENTINEL_TEXT = (
    "A database was made in this directory. bbb-bot does not start when it is gone,\n"
    "rather than begin anew without a word. To begin anew on purpose, delete this file too.\n"
)


def prepare(path: Path, busy_timeout: timedelta) -> None:
    """See that a usable database is at `path`. Raises StoreError, leaving a file as it is."""
    if path.exists():
        _examine(path, busy_timeout)
    else:
        _refuse_when_lost(path)
        _create(path, busy_timeout)
    _write_sentinel(path)


def restoring(path: Path) -> str:
    """How to put a backup in the place of the database."""
    return (
        f"Move {path.name} and, where they are, {path.name}-wal and {path.name}-shm out of"
        f" {path.parent}, copy a backup to {path}, and start again."
    )


def sync_directory(directory: Path) -> None:
    """A new name survives a power cut only when its directory is written too."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- looking -----------------------------------------------------------------------------


def _examine(path: Path, busy_timeout: timedelta) -> None:
    _refuse_foreign(path)
    with closing(connect_to_read(path, busy_timeout)) as raw:
        try:
            [(verdict,), *_] = raw.execute("PRAGMA quick_check(1)").fetchall()
            [(version,)] = raw.execute("PRAGMA user_version").fetchall()
        except sqlite.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (11, 26):
                raise
            verdict, version = str(error), 0
    if verdict != "ok":
        raise _refusal(path, "is damaged", restoring(path))
    if version > len(STEPS):
        raise _refusal(
            path,
            f"was written by a newer bbb-bot (schema {version}, this one knows {len(STEPS)})",
            "Start the newer bbb-bot, or restore a backup from before it. " + restoring(path),
        )


def _refuse_foreign(path: Path) -> None:
    """By its first bytes: not even a foreign program's log beside it is touched."""
    if not path.is_file():
        raise _refusal(path, "is not a file", "Move it away.")
    with path.open("rb") as file:
        header = file.read(_HEADER_SIZE)
    if not header:
        raise _refusal(path, "is empty: the database was cut off", restoring(path))
    if not header.startswith(_MAGIC) or len(header) < _HEADER_SIZE:
        raise _refusal(path, "is not a SQLite database", restoring(path))
    if int.from_bytes(header[_APPLICATION_ID_AT:][:4]) != APPLICATION_ID:
        raise _refusal(
            path,
            "is the database of another program",
            "Give bbb-bot a data directory of its own.",
        )


def _refuse_when_lost(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    if _sentinel(path).exists() or log.exists():
        raise _refusal(
            path,
            "is gone, though a database was made here",
            f"{restoring(path)} To begin anew on purpose, delete {_sentinel(path).name} too.",
        )


def _refusal(path: Path, what: str, remedy: str) -> StoreError:
    return StoreError(f"{path} {what}. Nothing was changed. {remedy}")


# --- making ------------------------------------------------------------------------------


def _create(path: Path, busy_timeout: timedelta) -> None:
    """Under another name first, so that a crash in between leaves no half a database."""
    new = path.with_name(f"{path.name}.new")
    for left_over in (new, new.with_name(f"{new.name}-wal"), new.with_name(f"{new.name}-shm")):
        left_over.unlink(missing_ok=True)
    os.close(os.open(new, os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(new, busy_timeout)) as database:
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(database)
    os.rename(new, path)
    sync_directory(path.parent)


def _sentinel(path: Path) -> Path:
    return path.with_name(f"{path.name}.made")


def _write_sentinel(path: Path) -> None:
    if not _sentinel(path).exists():
        _sentinel(path).write_text(_SENTINEL_TEXT)
        sync_directory(path.parent)
