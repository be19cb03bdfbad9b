"""Loops over what is due: letters, card edits, meetings. They sleep by the steady clock."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from commands.errors import ServerTrouble
from storage.store import StoreError

log = logging.getLogger(__name__)

AT_LEAST_EVERY = 1.0
"""Seconds between two looks when nothing stirs; each is one indexed question to the database."""
PATIENCE = 1.0
"""Seconds a tick gets to end when the bot stops."""


class Clockwork:
    """Runs one tick again and again: at every stir, and at least once a second."""

    def __init__(self, name: str, tick: Callable[[], Awaitable[bool]]) -> None:
        """`tick` gives whether more may be due now: then it is run again at once."""
        self._name = name
        self._tick = tick
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def stir(self) -> None:
        """Something may be due now."""
        self._stirred.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Stop after the tick under way, or amid one that takes too long. Never raises."""
        if self._task is None:
            return
        self._stopping = True
        self.stir()
        await asyncio.wait([self._task], timeout=PATIENCE)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping:
            self._stirred.clear()
            if not await self._safely() and not self._stopping:
                await self._pause()

    async def _safely(self) -> bool:
        try:
            return await self._tick()
        except (StoreError, ServerTrouble) as error:
            extra = {"action": "tick_failed", "job": self._name, "error": str(error)}
            log.warning("a job has to wait", extra=extra)
        except Exception:
            log.exception("a job failed", extra={"action": "tick_failed", "job": self._name})
        return False

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(AT_LEAST_EVERY):
                await self._stirred.wait()
        except TimeoutError:
            pass
