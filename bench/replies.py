"""Watches all rooms and knows when which command was answered, and how often."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from tests.matrix.client import Observer, Seen


class Replies(Observer):
    """`times` of the answers, on the monotonic clock, by the id of the command's event."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.times: dict[str, list[float]] = defaultdict(list)
        self.bodies: dict[str, str] = {}
        self.messages: dict[str, list[Seen]] = defaultdict(list)
        self._last = time.monotonic()

    def saw(self, one: Seen) -> None:
        if one.event["type"] != "m.room.message":
            return
        self.messages[one.room].append(one)
        if one.answers:
            self.times[one.answers].append(one.at)
            self.bodies[one.answers] = one.body
            self._last = one.at

    async def answer_to(self, command: str, *, seconds: float) -> float | None:
        """When the command was first answered, or None when it was not in this time."""
        await self.until(lambda _: command in self.times, seconds=seconds)
        return self.times[command][0] if command in self.times else None

    async def answers_to(self, commands: Collection[str], *, silence: float) -> None:
        """Wait until all are answered, or nothing was for so many seconds."""
        self._last = time.monotonic()

        def all_answered(_: object) -> bool:
            return all(command in self.times for command in commands)

        while not await self.until(all_answered, seconds=1.0):
            if time.monotonic() - self._last > silence:
                return
