"""A lock for each of many: people, rooms."""

import asyncio
from weakref import WeakValueDictionary


class Locks:
    """`async with locks.of(key)`: one at a time for each key. Locks nobody holds are forgotten."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """The same for all who hold it or wait for it."""
        return self._locks.setdefault(key, asyncio.Lock())
