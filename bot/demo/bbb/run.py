"""Serves a simulated BBB over real HTTP, until it is told to stop."""

import asyncio
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.demo.bbb.gate import API, Cables
from bot.demo.bbb.simulator import SimulatedBBB

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 2


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs it: it may be one of several in a process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.tried = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.tried.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    simulated: SimulatedBBB, host: str = LOOPBACK, port: int = 0
) -> AsyncIterator[str]:
    """Serve for the length of the block; gives scheme, host and port. Port 0 takes a free one.

    Raises OSError when the port is taken.
    """
    with socket.create_server((host, port)) as listener:
        server = _Server(_config(simulated))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.tried.wait()
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            simulated.cables.cut_all()
            await task


async def serve(simulated: SimulatedBBB, host: str, port: int) -> None:
    """Serve until cancelled. Raises OSError when the port is taken."""
    async with serving(simulated, host, port):
        await asyncio.Event().wait()


def main(port: int, secret: str, speed: float, version: str) -> None:
    """`bbb-bot simulate-bbb`: serve on loopback until SIGTERM or Ctrl-C.

    Exits with 2 when it is used wrong, or the port is taken.
    """
    try:
        simulated = SimulatedBBB(secret, version=version, speed=speed)
        asyncio.run(_until_signal(simulated, port))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


async def _until_signal(simulated: SimulatedBBB, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(simulated, port=port) as url:
        version = simulated.state.rules.bbb_version
        sys.stdout.write(f"Simulated BBB {version}: API {url}{API}/ and switches {url}/simulator\n")
        sys.stdout.flush()
        await stop.wait()


# --- uvicorn -------------------------------------------------------------------------------------


def _config(simulated: SimulatedBBB) -> uvicorn.Config:
    return uvicorn.Config(
        simulated.app,
        http=_protocol(simulated.cables),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _protocol(cables: Cables) -> type[asyncio.Protocol]:
    """HTTP whose connections can be cut by the simulated server."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client:
                cables.plug(self.client, lambda: _reset(transport))

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client:
                cables.unplug(self.client)
            super().connection_lost(exc)

    return Protocol


def _reset(transport: asyncio.Transport) -> None:
    """RST, not FIN: nobody could take this for an answer that has ended."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
