"""When a BBB server that does not answer is left alone: a circuit breaker. Pure.

closed ──five failures in a row, or one that took long──> open ──its rest is over──> half open
half open: one question passes ──answered──> closed
                               ──failed──> open, for twice as long
"""

from dataclasses import dataclass
from enum import StrEnum

FAILURES = 5
"""So many in a row open the circuit."""
LONG = 5.0
"""Seconds after which one failure is enough: the next person in the channel waits behind it."""
FIRST_REST, LONGEST_REST = 5.0, 30.0
TRIAL = 10.0
"""Seconds until another question may pass when nothing was heard of the one that did."""


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, slots=True)
class Circuit:
    """All times are seconds of one clock that never goes back."""

    failures: int = 0
    """In a row, while it is closed."""
    rest: float = 0.0
    """How long it rests; 0 when it is closed."""
    tries_at: float = 0.0
    """When one question may pass, while it is not closed."""
    since: float = float("-inf")
    """The last answer or the last opening: what was asked before says nothing new by failing."""

    def state(self, now: float) -> State:
        """HALF_OPEN when one question may pass now."""
        if not self.rest:
            return State.CLOSED
        return State.HALF_OPEN if now >= self.tries_at else State.OPEN

    def asked(self, now: float) -> "Circuit":
        """A question passes: in a half-open circuit it is the only one for a while."""
        if not self.rest:
            return self
        return Circuit(self.failures, self.rest, now + TRIAL, self.since)

    def answered(self, now: float) -> "Circuit":
        """The server said something that makes sense, whenever it was asked: it is there."""
        return Circuit(since=now)

    def failed(self, began: float, now: float) -> "Circuit":
        """A question asked at `began` has failed."""
        if began < self.since:
            return self
        if self.rest:
            return self._opened(min(self.rest * 2, LONGEST_REST), now)
        failures = self.failures + (FAILURES if now - began >= LONG else 1)
        if failures >= FAILURES:
            return self._opened(FIRST_REST, now)
        return Circuit(failures, since=self.since)

    def _opened(self, rest: float, now: float) -> "Circuit":
        return Circuit(0, rest, now + rest, now)
