"""Lines that somebody types, or that come through a pipe or from a file."""

import asyncio
import os
from collections.abc import AsyncIterator


async def lines_of(fd: int) -> AsyncIterator[str]:
    """The lines of a terminal, a pipe or a file, as they come.

    No thread reads: one that waits for a line would hold up the end of the program.
    """
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def take() -> None:
        piece = _piece(fd)
        pieces.put_nowait(piece)
        if not piece:
            loop.remove_reader(fd)

    try:
        loop.add_reader(fd, take)
    except PermissionError:  # a plain file never makes anybody wait, so epoll does not take it
        while piece := _piece(fd):
            pieces.put_nowait(piece)
        pieces.put_nowait(b"")
    try:
        rest = b""
        while piece := await pieces.get():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")
        if rest:
            yield rest.decode(errors="replace")
    finally:
        loop.remove_reader(fd)


def _piece(fd: int) -> bytes:
    """What can be read now; nothing at the end, also when the terminal went away."""
    try:
        return os.read(fd, 4096)
    except OSError:
        return b""
