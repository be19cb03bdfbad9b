"""How long to wait before the next try."""

import random


class Backoff:
    """Seconds to wait, doubling from `first` to `longest`, each shortened by up to half: the bots
    of a server that was away do not all come back at once.
    """

    def __init__(self, *, first: float = 1.0, longest: float = 60.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def next(self) -> float:
        """The next waiting time."""
        full, self._next = self._next, min(self._next * 2, self._longest)
        return full * random.uniform(0.5, 1)  # noqa: S311  (jitter)

    def reset(self) -> None:
        """Begin again from the first."""
        self._next = self._first
