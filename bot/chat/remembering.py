"""Answers remembered for a moment, and asked once however many want them."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from commands.errors import ChatTrouble

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")

FRESH_SECONDS = 10.0
MOST = 10_000


class Remembered(Generic[KeyT, ValueT]):
    """What `ask` gives for a key, at most `seconds` old, counted from when it was asked.

    Whoever asks for the same meanwhile shares the answer, or the error; errors are not remembered.
    """

    def __init__(
        self,
        ask: Callable[[KeyT], Coroutine[Any, Any, ValueT]],
        *,
        seconds: float = FRESH_SECONDS,
        most: int = MOST,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._seconds = seconds
        self._most = most
        self._steady = steady
        self._known: OrderedDict[KeyT, tuple[float, ValueT]] = OrderedDict()
        self._asking: dict[KeyT, asyncio.Task[ValueT]] = {}

    def last(self, key: KeyT) -> ValueT | None:
        """The answer of whatever age, None where there is none."""
        known = self._known.get(key)
        return known[1] if known else None

    async def __call__(self, key: KeyT) -> ValueT:
        """A fresh answer. Raises what `ask` raises."""
        known = self._known.get(key)
        if known and self._steady() - known[0] < self._seconds:
            return known[1]
        if key not in self._asking:
            task = asyncio.create_task(self._asked(key))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(self._asking[key])

    async def or_last(self, key: KeyT) -> ValueT:
        """A fresh answer; where the chat cannot be asked, the last one. Raises ChatTrouble."""
        try:
            return await self(key)
        except ChatTrouble:
            if key in self._known:
                return self._known[key][1]
            raise

    async def _asked(self, key: KeyT) -> ValueT:
        at = self._steady()
        value = await self._ask(key)
        self._known[key] = (at, value)
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return value

    def _done(self, key: KeyT, task: asyncio.Task[ValueT]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it; perhaps nobody does any more
