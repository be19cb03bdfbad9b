"""Waiting pages: kept open until a press would be answered, counted, and ended with the bot.

Pages that wait for the same share their looks, or five hundred guests would ask as many times.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from bot.metrics import Metrics

Ready = Callable[[], Awaitable[bool]]


class Beat(Enum):
    """What a waiting page hears."""

    STILL = auto()  # nothing new; sending it finds out who has left
    READY = auto()  # press again
    OVER = auto()  # nobody looks any more: the bot stops, or it took too long


@dataclass(frozen=True, slots=True)
class Pace:
    """How waiting pages are served; times in seconds.

    A look comes `every` so often, the first not at once: if look and press disagree, the page must
    not press as fast as it can. Where the server does not answer, the first comes after `rest`.
    Above `crowd` pages each is told up to `spread` later, so that not all press at once.
    """

    every: float = 2.0
    rest: float = 5.0
    longest: float = 1800.0
    most: int = 500
    most_per_address: int = 20
    crowd: int = 20
    spread: float = 3.0


@dataclass(slots=True)
class _Look:
    """The newest look for all `pages` that wait for the same; `at` is when it began."""

    pages: int = 0
    at: float = float("-inf")
    answer: "asyncio.Task[bool] | None" = None


class WaitingRoom:
    """Watches on behalf of waiting pages; each takes one place while it is open."""

    def __init__(self, *, stop: asyncio.Event, pace: Pace, metrics: Metrics) -> None:
        self._stop = stop
        self._pace = pace
        self._metrics = metrics
        self._places: Counter[str] = Counter()
        self._looks: dict[Hashable, _Look] = {}

    def has_place(self, address: str) -> bool:
        """Whether one more page of this address may wait."""
        free = self._places.total() < self._pace.most
        return free and self._places[address] < self._pace.most_per_address

    async def watch(
        self, address: str, what: Hashable, ready: Ready, *, rest: bool
    ) -> AsyncGenerator[Beat, None]:
        """Beats, the last of them READY or OVER; `rest` is for a server that does not answer.

        Pages with an equal `what` wait for the same: the `ready` of one of them speaks for all.
        """
        over_at = asyncio.get_running_loop().time() + self._pace.longest
        with self._place(address), self._shared(what) as look:
            yield Beat.STILL
            await self._pause(self._pace.rest if rest else self._pace.every)
            while not self._over(over_at):
                if await self._is_ready(look, ready):
                    await self._pause(self._jitter())
                    yield Beat.READY
                    return
                yield Beat.STILL
                await self._pause(self._pace.every)
            yield Beat.OVER

    @contextmanager
    def _place(self, address: str) -> Iterator[None]:
        self._places[address] += 1
        self._metrics.waiting_pages.inc()
        try:
            yield
        finally:
            self._metrics.waiting_pages.dec()
            self._places[address] -= 1
            if not self._places[address]:
                del self._places[address]

    @contextmanager
    def _shared(self, what: Hashable) -> Iterator[_Look]:
        look = self._looks.setdefault(what, _Look())
        look.pages += 1
        try:
            yield look
        finally:
            look.pages -= 1
            if not look.pages:
                del self._looks[what]

    async def _is_ready(self, look: _Look, ready: Ready) -> bool:
        """What the newest look says; a new one begins when that is half a pause old."""
        now = asyncio.get_running_loop().time()
        if look.answer is None or now - look.at >= self._pace.every / 2:
            look.at, look.answer = now, asyncio.ensure_future(ready())
        # A page that is closed meanwhile must not take the look from the others.
        return await asyncio.shield(look.answer)

    def _over(self, over_at: float) -> bool:
        return self._stop.is_set() or asyncio.get_running_loop().time() >= over_at

    def _jitter(self) -> float:
        crowded = self._places.total() > self._pace.crowd
        return random.uniform(0, self._pace.spread) if crowded else 0  # noqa: S311  (jitter)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but wake when the bot stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return
