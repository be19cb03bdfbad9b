"""How much a chat takes from us now, and what of it is kept for answers."""

import math
from datetime import datetime, timedelta

from commands.ports import Pace

KEPT_FOR_ANSWERS = 3
"""So many messages an answer can always send at once, whatever else there is to say."""


class Budget:
    """Counts as the chat does: each message, edit and reaction is one.

    Answers spend what there is and more (the chat then says when); all else asks for `spare`.
    """

    def __init__(self, pace: Pace | None) -> None:
        """None: this chat has no limit that we know of."""
        self._pace = pace
        self._tokens = float(pace.burst) if pace else math.inf
        self._at: datetime | None = None

    def spare(self, now: datetime) -> int:
        """How much may be sent now that nobody waits for."""
        left = self._left(now) - KEPT_FOR_ANSWERS
        return int(max(0, left)) if math.isfinite(left) else 2**31

    def spend(self, now: datetime, events: int) -> None:
        """So many are about to go out."""
        self._tokens = max(0.0, self._left(now) - events)

    def refused(self, now: datetime, retry_after: timedelta) -> None:
        """The chat counts more than we do: it takes the next one after this time."""
        if self._pace:
            self._tokens = 1 - retry_after.total_seconds() * self._pace.rate
            self._at = now

    def _left(self, now: datetime) -> float:
        """By a clock that may jump: back gives nothing, forward the whole burst at most."""
        if self._pace:
            passed = max(0.0, (now - (self._at or now)).total_seconds())
            self._tokens = min(self._pace.burst, self._tokens + passed * self._pace.rate)
            self._at = now
        return self._tokens
