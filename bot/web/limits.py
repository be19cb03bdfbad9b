"""How often an address or a link may ask, checked before anything is asked outside."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from commands.limits import Limiter

_MINUTE = timedelta(minutes=1)
_MOST_BARRED = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a minute; the addresses are shared by a whole school or company."""

    per_address: int = 240
    per_link: int = 600
    misses_per_address: int = 20


class Turnstile:
    """Counts requests to links, and links that led nowhere (somebody may be guessing)."""

    def __init__(self, limits: Limits) -> None:
        self._addresses = Limiter(limits.per_address, _MINUTE)
        self._links = Limiter(limits.per_link, _MINUTE)
        self._misses = Limiter(limits.misses_per_address, _MINUTE)
        self._barred: dict[str, datetime] = {}

    def delay(self, address: str, token: str, now: datetime) -> timedelta | None:
        """How long this request has to wait; None when it may go on, which is counted."""
        return (
            self.barred(address, now)
            or self._addresses.wait(address, now)
            or self._links.wait(token, now)
        )

    def barred(self, address: str, now: datetime) -> timedelta | None:
        """How long an address that missed too often stays outside."""
        left = self._barred.get(address, now) - now
        # Longer than any limit holds somebody out: the clock was set back meanwhile.
        return left if timedelta(0) < left <= _MINUTE else None

    def missed(self, address: str, now: datetime) -> None:
        """A link led nowhere."""
        if delay := self._misses.wait(address, now):
            self._forget_old(now)
            self._barred[address] = now + delay

    def _forget_old(self, now: datetime) -> None:
        if len(self._barred) >= _MOST_BARRED:
            self._barred = {a: until for a, until in self._barred.items() if until > now}
