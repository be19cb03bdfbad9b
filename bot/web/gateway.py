"""A listener: uvicorn inside our own event loop, started and stopped by us alone."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

_GRACE_SECONDS = 2


class Gateway:
    """Serves one application. `stop` is the event that the application's held pages watch."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, stop: asyncio.Event) -> None:
        self._app = app
        self._host = host
        self._wanted = port
        self._stop = stop
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen; port 0 takes any free one, `port` says which. Raises OSError if that fails."""
        listener = _listen(self._host, self._wanted)
        self.port = listener.getsockname()[1]
        self._server = _Server(_config(self._app))
        self._serving = asyncio.create_task(self._server.serve([listener]))

    async def stop(self) -> None:
        """End the held pages, then the requests under way, within about two seconds."""
        self._stop.set()
        if self._server and self._serving:
            self._server.should_exit = True
            await self._serving


class _Server(uvicorn.Server):
    """Leaves the signals to the program: else SIGTERM closes the pages before the bot is done."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: ASGIApp) -> uvicorn.Config:
    """No websockets, no log of addresses, no word of proxies taken unasked."""
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Bound here, for uvicorn would end the whole program when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    listener.setblocking(False)
    # asyncio sets it only for sockets whose protocol was named; without it answers wait 40 ms for
    # the acknowledgement of their own headers. Accepted connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
