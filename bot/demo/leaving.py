"""The wish to leave, by Ctrl-C or SIGTERM."""

import asyncio
import signal


def leave_on_signals() -> asyncio.Event:
    """An event that is set by the first SIGINT or SIGTERM."""
    left = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, left.set)
    return left
