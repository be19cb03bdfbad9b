"""Opens the store in a data directory: locked, examined, brought up to date."""

import asyncio
from datetime import timedelta
from pathlib import Path

from storage.lock import DirectoryLock
from storage.queries import outbox
from storage.sqlite.store import SqliteStore
from storage.sqlite.thread import DatabaseThread
from storage.store import Store, StoreError

BUSY_TIMEOUT = timedelta(seconds=5)
"""How long a write waits for somebody else's lock on the database."""


async def open_store(directory: Path, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> Store:
    """The store kept in `directory`, made if need be; close it to let the next process in.

    Raises StoreError, in words for the admin, when another process has it or when what is there
    cannot be used; nothing is then changed.
    """
    lock = await asyncio.to_thread(_lock, directory)
    try:
        thread = await DatabaseThread.start(directory / "bbb-bot.db", busy_timeout)
    except BaseException:
        lock.release()
        raise
    # Under the lock there is no other worker: what is leased was taken by a process that died.
    await thread.write(outbox.free_leases)
    return SqliteStore(thread, lock)


def _lock(directory: Path) -> DirectoryLock:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return DirectoryLock(directory)
    except OSError as error:
        raise StoreError(
            f"{directory} cannot be used as data directory ({error.strerror})."
            " Make it a directory that the bot may write to."
        ) from error
