"""Copies the database while it is written to, by SQLite's online backup."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from storage.sqlite.connection import connect_to_read
from storage.sqlite.driver import sqlite, translated
from storage.sqlite.files import sync_directory
from storage.store import StoreError


def backup(path: Path, target: Path, busy_timeout: timedelta) -> None:
    """Copy what is committed now to the new file `target`; a crash leaves it empty, never half.

    On a connection of its own, all pages in one step: the writer is not held up, and the copy
    is of one moment. Raises StoreError, also when `target` exists.
    """
    with _reserved(target), _part_of(target) as part, translated():
        _copy(path, part, busy_timeout)
        os.replace(part, target)
    sync_directory(target.parent)


def _copy(path: Path, part: Path, busy_timeout: timedelta) -> None:
    with (
        closing(connect_to_read(path, busy_timeout)) as source,
        closing(sqlite.connect(part)) as copy,
    ):
        source.backup(copy)
        # One file, that any later start turns back into one with a write-ahead log.
        copy.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def _reserved(target: Path) -> Iterator[None]:
    """Hold the name, so that nothing that appears meanwhile is overwritten."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise StoreError(
            f"{target} exists. Nothing was changed. Name a file that does not exist."
        ) from None
    except OSError as error:
        raise StoreError(f"{target} cannot be written ({error.strerror}).") from error
    try:
        yield
    except BaseException:
        target.unlink(missing_ok=True)
        raise


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A file beside `target`, for the bot alone, gone afterwards."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)
