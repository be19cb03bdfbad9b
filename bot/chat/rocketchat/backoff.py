"""How long to wait before the next try."""

import random


class Backoff:
    """Seconds, up to `first` and doubling up to `longest`, each anywhere below that: the bots of a
    server that was away do not all come back at once.
    """

    def __init__(self, *, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def next(self) -> float:
        """The next waiting time."""
        most, self._next = self._next, min(self._next * 2, self._longest)
        return random.uniform(0, most)  # noqa: S311  (jitter)

    def reset(self) -> None:
        """Begin again from the first."""
        self._next = self._first
