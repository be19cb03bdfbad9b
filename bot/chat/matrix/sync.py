"""The sync loop: asks for what is new, hands it on, and moves on only when it was kept."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bot.chat.backoff import Backoff
from bot.chat.base import ChatMisconfigured
from bot.chat.matrix.answers import MatrixError, waiting_time
from bot.chat.matrix.client import Client
from bot.chat.matrix.filters import SYNC
from bot.chat.shapes import Json
from commands.errors import ChatUnavailable
from storage.store import StoreError

log = logging.getLogger(__name__)

FIRST_SYNC_SECONDS = 180.0
HEALTHY_SECONDS = 120.0
_POLL_SECONDS = 30
_GRACE_SECONDS = 15.0
_STOP_SECONDS = 5.0

Step = Callable[[], Awaitable[None]]
Take = Callable[[Json, str | None], Awaitable[None]]
"""Keeps a sync answer for good; with the position it was asked from, None for the very first."""


class _Stopped(Exception):
    """The loop was asked to end while it waited."""


class SyncLoop:
    """Runs until stopped, or until trying is useless: then `trouble` says what to do."""

    def __init__(
        self, client: Client, *, prepare: Step, take: Take, backoff: Backoff | None = None
    ) -> None:
        self._client = client
        self._prepare = prepare
        self._take = take
        self._backoff = backoff or Backoff()
        self._since: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: asyncio.Future[Any] | None = None
        self._stopping = False
        self._last_success: float | None = None
        self._settled = asyncio.Event()
        self.trouble: str | None = None

    async def start(self, since: str | None) -> None:
        """Begin; returns when the first answer was taken, or the first try of anything failed.

        Raises ChatMisconfigured.
        """
        self._since = since
        self._task = asyncio.create_task(self._run(), name="matrix sync")
        await self._settled.wait()
        if self.trouble:
            raise ChatMisconfigured(self.trouble)

    async def stop(self) -> None:
        """Finish what is being received, then end."""
        self._stopping = True
        if self._waiting:
            self._waiting.cancel()
        if self._task:
            _, unfinished = await asyncio.wait({self._task}, timeout=_STOP_SECONDS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def healthy(self) -> bool:
        """Whether the homeserver answered a sync lately, and still lets us in."""
        if self.trouble or self._last_success is None:
            return False
        return time.monotonic() - self._last_success < HEALTHY_SECONDS

    async def _run(self) -> None:
        try:
            await self._until_done(self._prepare)
            await self._until_done(self._first)
            while not self._stopping:
                await self._until_done(self._next)
        except _Stopped:
            pass
        except ChatMisconfigured as error:
            self.trouble = str(error)
            log.critical("Matrix ended: %s", error, extra={"action": "matrix_misconfigured"})
        finally:
            self._settled.set()

    async def _until_done(self, step: Step) -> None:
        """Do a step, waiting longer after each failure."""
        while True:
            try:
                await step()
            except (_Stopped, ChatMisconfigured):
                raise
            except Exception as error:  # whatever it is, the loop must live, and never spin
                pause = self._pause_after(error)
            else:
                self._backoff.reset()
                return
            self._settled.set()
            await self._wait(asyncio.sleep(pause))

    def _pause_after(self, error: Exception) -> float:
        """How long to wait now, in seconds. Raises ChatMisconfigured when waiting cannot help."""
        if isinstance(error, MatrixError) and error.is_end_of_account:
            raise ChatMisconfigured(
                f"The homeserver refuses the access token ({error.errcode}). Log the bot in again "
                "and put the new device id and token into the configuration."
            ) from error
        if isinstance(error, MatrixError) and error.is_limit:
            pause = waiting_time(error).total_seconds()
        else:
            pause = self._backoff.next()
        expected = isinstance(error, MatrixError | ChatUnavailable | StoreError)
        log.warning(
            "sync failed: %s",
            error if expected else type(error).__name__,
            extra={"action": "sync_failed", "pause_s": round(pause, 1)},
            exc_info=not expected,
        )
        return pause

    async def _first(self) -> None:
        """The whole state of all rooms, and what is new since the kept position."""
        query = {"full_state": "true"} if self._since is not None else {}
        await self._receive({**query, "timeout": "0"}, FIRST_SYNC_SECONDS)
        self._settled.set()

    async def _next(self) -> None:
        began, since = time.monotonic(), self._since
        await self._receive({"timeout": str(_POLL_SECONDS * 1000)}, _POLL_SECONDS + _GRACE_SECONDS)
        if self._since == since and time.monotonic() - began < 1:
            raise ChatUnavailable("it answers at once with nothing new")

    async def _receive(self, query: dict[str, str], seconds: float) -> None:
        if self._since is not None:
            query = {**query, "since": self._since}
        ask = self._client.ask("GET", "/sync", query={**query, "filter": SYNC}, seconds=seconds)
        answer: Json = await self._wait(ask)
        position = answer.get("next_batch")
        if not isinstance(position, str):
            raise ChatUnavailable("a sync answer without a position")
        await self._take(answer, self._since)
        self._since = position
        self._last_success = time.monotonic()

    async def _wait(self, what: Awaitable[Any]) -> Any:
        """Await something that `stop` may interrupt."""
        self._waiting = asyncio.ensure_future(what)
        if self._stopping:
            self._waiting.cancel()
        try:
            return await self._waiting
        except asyncio.CancelledError:
            if self._stopping and self._waiting.cancelled():
                raise _Stopped from None
            raise
        finally:
            self._waiting = None
