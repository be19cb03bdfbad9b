"""Notices that somebody set the wall clock, by the steady one; nothing then waits for an hour.

What is kept are times of the wall clock: of the next try, of a lease, of a link's end. Set forward
(or after a suspend) they come early, which does no harm. Set back they would all come late.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from commands.ports import Clock
from storage.store import Store

log = logging.getLogger(__name__)

SLACK = timedelta(seconds=5)
"""Less is left alone: clocks are corrected by a little all the time."""


class ClockWatch:
    """Its `tick` belongs into a loop; the steady clock never goes back and tells no date."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        told: Callable[[timedelta], None],
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`told` hears by how much the clock went back, for the times that are only in memory."""
        self._store = store
        self._clock = clock
        self._told = told
        self._steady = steady
        self._offset = self._ahead()

    async def begin(self) -> None:
        """Once, before anything runs: the clock may have been set back while no bot ran."""
        last = await self._store.last_event()
        if last is not None:
            await self._went_back(last - self._clock())

    async def tick(self) -> bool:
        """Compare the clocks; there is never more to do."""
        offset = self._ahead()
        await self._went_back(self._offset - offset)
        if offset - self._offset > SLACK:
            log.info(
                "the clock was set forward, or the machine slept",
                extra={"action": "clock_forward", "by_s": _seconds(offset - self._offset)},
            )
        self._offset = offset
        return False

    async def _went_back(self, by: timedelta) -> None:
        if by <= SLACK:
            return
        log.warning("the clock was set back", extra={"action": "clock_back", "by_s": _seconds(by)})
        await self._store.clock_went_back(by=by, now=self._clock())
        self._told(by)

    def _ahead(self) -> timedelta:
        """What the wall clock shows when the steady one shows zero, since 1970."""
        return timedelta(seconds=self._clock().timestamp() - self._steady())


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())
