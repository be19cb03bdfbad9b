"""Locks by key: one at a time for each, side by side for others, and none that stays."""

from __future__ import annotations

import asyncio

from bot.chat.locks import Locks


async def test_one_at_a_time_for_each_key_and_none_is_kept() -> None:
    locks, inside, seen = Locks(), dict.fromkeys("ab", 0), []

    async def enter(key: str) -> None:
        async with locks.of(key):
            inside[key] += 1
            seen.append(tuple(inside.values()))
            await asyncio.sleep(0)
            inside[key] -= 1

    await asyncio.gather(*(enter(key) for key in "abab"))
    assert max(max(one) for one in seen) == 1
    assert (1, 1) in seen
    assert len(locks._locks) == 0
