"""How often: token buckets kept in memory. Pure; the time is an argument."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

_ROUNDING = 1e-3
"""Of a token: who waited as long as they were told must not be sent away over the last digit."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


class Limiter:
    """`most` in each `window` per key, refilled evenly; beyond `keys` the least used go."""

    def __init__(self, most: int, window: timedelta, *, keys: int = 10_000) -> None:
        self._most = most
        self._window = window.total_seconds()
        self._rate = most / self._window
        self._keys = keys
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def wait(self, key: Hashable, now: datetime, cost: int = 1) -> timedelta | None:
        """Take `cost`; None when it was there, else how long until it is (and nothing is taken)."""
        bucket = self._bucket(key, now)
        missing = cost - bucket.tokens
        if missing <= _ROUNDING:
            bucket.tokens -= cost
            return None
        return timedelta(seconds=missing / self._rate)

    def give_back(self, key: Hashable, now: datetime, cost: int = 1) -> None:
        """What was taken came to nothing."""
        bucket = self._bucket(key, now)
        bucket.tokens = min(self._most, bucket.tokens + cost)

    def _bucket(self, key: Hashable, now: datetime) -> _Bucket:
        bucket = self._buckets.setdefault(key, _Bucket(self._most, now))
        passed = (now - bucket.at).total_seconds()
        if passed < -self._window:  # the clock was set back: nobody knows how long it was
            passed = self._window
        bucket.tokens = min(self._most, bucket.tokens + max(0.0, passed) * self._rate)
        bucket.at = now
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return bucket


class Breaker:
    """Silences us where we talk and talk: another bot may be answering, and we it.

    Where there were more than `most` posts in a `window`, the first to each person left out, there
    is silence for a while. The places least used are forgotten beyond `keys`.
    """

    def __init__(
        self, most: int, window: timedelta, silence: timedelta, *, keys: int = 10_000
    ) -> None:
        self.most = most
        self._window = window
        self._silence = silence
        self._keys = keys
        self._posts: OrderedDict[Hashable, deque[tuple[datetime, Hashable]]] = OrderedDict()
        self._silent: dict[Hashable, datetime] = {}

    def silent_until(self, place: Hashable, now: datetime) -> datetime | None:
        """Until when nothing is said there; None when we may speak."""
        until = self._silent.get(place)
        if until is not None and not now < until <= now + self._silence:
            del self._silent[place]
            return None
        return until

    def count(self, place: Hashable, asker: Hashable, posts: int, now: datetime) -> datetime | None:
        """Count posts that somebody asked for; until when to be silent, when they are too many."""
        seen = self._posts.setdefault(place, deque())
        self._posts.move_to_end(place)
        if len(self._posts) > self._keys:
            self._posts.popitem(last=False)
        seen.extend([(now, asker)] * posts)
        while seen and not now - self._window < seen[0][0] <= now:
            seen.popleft()
        if len(seen) - len({who for _, who in seen}) <= self.most:
            return None
        seen.clear()
        self._silent[place] = now + self._silence
        return self._silent[place]
