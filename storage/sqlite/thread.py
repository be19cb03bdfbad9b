"""The one thread that owns the connection; the event loop never waits for the disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlite_utils import Database

from storage.queries.connection import Connection
from storage.sqlite.connection import SqliteConnection, connect, transaction
from storage.sqlite.driver import log_version, sqlite, translated
from storage.sqlite.files import prepare
from storage.sqlite.migrate import migrate
from storage.store import StoreError

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """Runs queries one after the other. A cancelled `await` does not undo one that has begun."""

    def __init__(self, path: Path, busy_timeout: timedelta) -> None:
        self.path = path
        self.busy_timeout = busy_timeout
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")
        self._database: Database | None = None
        self._stopped = False

    @classmethod
    async def start(cls, path: Path, busy_timeout: timedelta) -> Self:
        """Prepare and open the database at `path`. Raises StoreError."""
        thread = cls(path, busy_timeout)
        try:
            await thread._call(thread._open)
        except BaseException:
            await thread.stop()
            raise
        return thread

    async def write(
        self,
        query: Callable[Concatenate[Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a query in a transaction of its own."""

        def work() -> T:
            raw = self._raw()
            with transaction(raw):
                return query(SqliteConnection(raw), *args, **kwargs)

        return await self._call(work)

    async def read(
        self,
        query: Callable[Concatenate[Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a query that changes nothing; it works while another program holds the lock."""

        def work() -> T:
            return query(SqliteConnection(self._raw()), *args, **kwargs)

        return await self._call(work)

    async def write_if(
        self, worth: Callable[[Connection], bool], query: Callable[[Connection], T], *, otherwise: T
    ) -> T:
        """Run a query in a transaction where `worth` says so, outside of one; else `otherwise`."""

        def work() -> T:
            raw = self._raw()
            if not worth(SqliteConnection(raw)):
                return otherwise
            with transaction(raw):
                return query(SqliteConnection(raw))

        return await self._call(work)

    async def stop(self) -> None:
        """Finish what was begun, and close. Again does nothing."""
        if self._stopped:
            return
        closing = self._call(self._close)
        self._stopped = True
        await closing
        self._executor.shutdown(wait=False)

    def _call(self, work: Callable[[], T]) -> asyncio.Future[T]:
        if self._stopped:
            raise StoreError("the store is closed")

        def guarded() -> T:
            with translated():
                return work()

        return asyncio.get_running_loop().run_in_executor(self._executor, guarded)

    def _open(self) -> None:
        log_version()
        prepare(self.path, self.busy_timeout)
        self._database = connect(self.path, self.busy_timeout)
        migrate(self._database)

    def _raw(self) -> sqlite.Connection:
        if self._database is None:
            raise StoreError("the store is closed")
        return self._database.conn

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
