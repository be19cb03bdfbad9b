"""The line to one chat, shared by letters and card edits: how much it takes, and when."""

import asyncio
import random
from datetime import datetime, timedelta

from bot.jobs.pace import Budget
from commands.errors import ChatBusy
from commands.ports import Chat, Clock, Pace

AT_ONCE = 16
"""Sends under way at the same time, per chat."""
MOST_WAIT = 60.0
"""Seconds between two tries at most."""
AFTER_BREAKING = (timedelta(seconds=15), timedelta(seconds=45))
"""A chat that breaks (500) on a message is given it again after this; the next time it is dead.

Spread over a minute, so that a chat which is ill for a moment loses nothing."""


class Line:
    """`crowded` says that letters nobody waits for wait for room; edits then leave it to them."""

    def __init__(self, chat: Chat, clock: Clock, pace: Pace | None) -> None:
        self.chat = chat
        self.platform = chat.platform
        self.gate = asyncio.Semaphore(AT_ONCE)
        self.crowded = False
        self._clock = clock
        self._budget = Budget(pace)
        self._quiet_until: datetime | None = None

    def is_awake(self) -> bool:
        """Whether the chat has not asked us to wait."""
        return self._quiet_until is None or self._quiet_until <= self._clock()

    def slow_down(self, busy: ChatBusy) -> datetime:
        """The chat asks us to wait; gives until when."""
        now = self._clock()
        self._quiet_until = now + busy.retry_after
        self._budget.refused(now, busy.retry_after)
        return self._quiet_until

    def spare(self) -> int:
        """How much may be sent now that nobody waits for."""
        return self._budget.spare(self._clock())

    def spend(self, events: int) -> None:
        """So many are about to go out."""
        self._budget.spend(self._clock(), events)

    def clock_went_back(self, by: timedelta) -> None:
        """The chat is not waited for any longer than it asked."""
        if self._quiet_until is not None:
            self._quiet_until -= by


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 … 60 s, each between half and all of it."""
    whole = min(MOST_WAIT, 2.0 ** min(attempts, 10))
    return timedelta(seconds=whole * random.uniform(0.5, 1.0))  # noqa: S311  (jitter)
