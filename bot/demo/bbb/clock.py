"""The simulated server's own clock: real time, faster, or standing still and moved by hand."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Starts at the present moment. With `speed` 0 it moves only by `forward`."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed < 0:
            raise ValueError("a clock cannot run backwards")
        self._speed = speed
        self._start = datetime.now(UTC)
        self._started = time.monotonic()
        self._moved = timedelta()

    def __call__(self) -> datetime:
        """The time, in UTC."""
        passed = (time.monotonic() - self._started) * self._speed
        return self._start + timedelta(seconds=passed) + self._moved

    def forward(self, seconds: float) -> None:
        """Move on by `seconds` of the simulated time."""
        self._moved += timedelta(seconds=seconds)
