"""Knows when which command was answered, and how often; subclasses watch the rooms of one chat."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Protocol


class Said(Protocol):
    """A message as it came. `answers` is the id of the command it replies to."""

    room: str
    at: float

    @property
    def sender(self) -> str: ...

    @property
    def body(self) -> str: ...

    @property
    def answers(self) -> str | None: ...


class Replies(ABC):
    """`times` of the answers, on the monotonic clock, by the id of the command."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.bodies: dict[str, str] = {}
        self.messages: dict[str, list[Said]] = defaultdict(list)
        self._last = time.monotonic()

    @abstractmethod
    async def wait(self, done: Callable[[], bool], *, seconds: float) -> bool:
        """Watch until this holds, at most so long; whether it does."""

    def note(self, one: Said) -> None:
        """Take note of a message."""
        self.messages[one.room].append(one)
        if one.answers:
            self.times[one.answers].append(one.at)
            self.bodies[one.answers] = one.body
            self._last = one.at

    async def answer_to(self, command: str, *, seconds: float) -> float | None:
        """When the command was first answered, or None when it was not in this time."""
        await self.wait(lambda: command in self.times, seconds=seconds)
        return self.times[command][0] if command in self.times else None

    async def answers_to(self, commands: Collection[str], *, silence: float) -> None:
        """Wait until all are answered, or nothing was for so many seconds."""
        self._last = time.monotonic()

        def all_answered() -> bool:
            return all(command in self.times for command in commands)

        while not await self.wait(all_answered, seconds=1.0):
            if time.monotonic() - self._last > silence:
                return
