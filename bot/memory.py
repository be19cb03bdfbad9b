"""What keeps the process small, and its pauses short."""

import asyncio
import ctypes
import gc
from contextlib import suppress

_M_ARENA_MAX = -8  # glibc's malloc.h


def share_one_heap() -> None:
    """Have all threads take memory from one heap; before the first of them starts.

    glibc gives each thread a heap of its own, and none shrinks: over a line that breaks again and
    again they grew by 10 MiB in 10,000 messages (measured, bench/soak.py), one heap by 5.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


async def give_back() -> None:
    """Return free pages to the system: an evening of large answers leaves them between what stays.
    In a thread, since it may take milliseconds.
    """
    with suppress(OSError, AttributeError):
        await asyncio.to_thread(ctypes.CDLL(None).malloc_trim, 0)


def spare_the_collector() -> None:
    """What is there now stays: each full collection would walk all of it for nothing, and the loop
    would stand still for tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
