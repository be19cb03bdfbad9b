"""A listener for a moment where the bot will stand, to see whether the public address leads here.

It answers whatever is asked with one random word.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Landing:
    """`busy`: somebody else listens there, maybe the bot itself."""

    def __init__(self) -> None:
        self.busy = False
        self._word = secrets.token_hex(16).encode()

    @classmethod
    @asynccontextmanager
    async def at(cls, host: str, port: int) -> "AsyncIterator[Landing]":
        """Listen while the context is open, where that is possible."""
        landing = cls()
        try:
            server = await asyncio.start_server(landing._answer, host, port)
        except OSError:
            landing.busy = True
            yield landing
            return
        try:
            yield landing
        finally:
            server.close()

    def is_ours(self, body: bytes) -> bool:
        """Whether this is what we answered."""
        return body.strip() == self._word

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._word)}\r\nConnection: close\r\n"
            writer.write(head.encode() + b"Content-Type: text/plain\r\n\r\n" + self._word)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
