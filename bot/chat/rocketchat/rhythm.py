"""How often what is done, and when the next look is due."""

import asyncio
import math
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what is done, in seconds."""

    look: float = 180.0
    """While live: the server may drop a message without a word."""
    look_without_all: float = 15.0
    """While live on rooms one by one: some may not be subscribed to yet. While polling: at all
    rooms, whatever is told to have changed."""
    poll: float = 3.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    steady: float = 60.0
    """So long live, and the next loss is a new one."""
    hopeless: float = 300.0
    """Until the next try when only an administrator can help."""


class Due:
    """When the next look is due: at once in the beginning."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._stirred = asyncio.Event()

    def within(self, seconds: float) -> None:
        """In so many seconds at the latest."""
        self._at = min(self._at, time.monotonic() + seconds)
        self._stirred.set()

    async def come(self) -> None:
        """Return when it is due; then none is, until somebody says so."""
        while (left := self._at - time.monotonic()) > 0:
            self._stirred.clear()
            await set_within(self._stirred, left)
        self._at = math.inf


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set, or so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
