"""A clock for the test server where the test's own stands still: no two messages have one time."""

from collections.abc import Callable
from datetime import datetime, timedelta

TICK = timedelta(milliseconds=1)


class Ticking:
    """Later each time it is asked, and never earlier than `clock`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._last = clock()

    def __call__(self) -> datetime:
        self._last = max(self._last + TICK, self._clock())
        return self._last
