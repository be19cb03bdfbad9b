"""One realtime socket, from connecting to its end."""

import asyncio
import logging
import os
import ssl as tls
from collections.abc import Callable
from socket import gaierror
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from bot.chat.rocketchat.ddp.events import Event, Lost
from bot.chat.rocketchat.ddp.frames import Send
from bot.chat.rocketchat.ddp.protocol import Session

MAX_FRAME_BYTES = 2 * 2**20
"""After decompression: more might take over 50 ms to read. A larger frame ends the connection; the
next look by REST has its message.
"""


async def converse(
    url: str,
    session: Session,
    *,
    ssl: tls.SSLContext | None,
    on_event: Callable[[Event], None],
) -> Lost:
    """Connect to the workspace at `url` (as people open it) and talk until the connection is over.

    `on_event` gets everything but the end, on the loop and between two frames: it must return at
    once. `ssl` is needed for https. Cancel it to hang up, which takes at most `timings.close`.
    Raises only what `on_event` raises.
    """
    address, timings = address_of(url), session.timings
    try:
        async with _Connect(
            address,
            ssl=ssl if address.startswith("wss") else None,
            open_timeout=timings.step,
            close_timeout=timings.close,
            ping_interval=None,  # the protocol has pings of its own
            user_agent_header="bbb-bot",
            proxy=None,  # no connection of the bot heeds those of the environment
            max_size=MAX_FRAME_BYTES,
            logger=_Discreet(logging.getLogger(__name__), {}),
        ) as socket:
            return await _talk(socket, session, on_event)
    except (OSError, WebSocketException) as error:
        return session.over(_told(error))


def address_of(url: str) -> str:
    """The address of the realtime service of a workspace, whose path may have a prefix."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/websocket"


async def _talk(
    socket: ClientConnection, session: Session, on_event: Callable[[Event], None]
) -> Lost:
    clock = asyncio.get_running_loop().time
    output = session.opened(clock())
    while True:
        for one in output:
            if isinstance(one, Lost):
                return one
            if isinstance(one, Send):
                async with asyncio.timeout(session.timings.step):
                    await socket.send(one.text)
            else:
                on_event(one)
        await asyncio.sleep(0)  # frames that came together would otherwise keep everybody waiting
        frame = await _next_frame(socket, session.timings.tick)
        output = session.received(frame, clock()) if frame is not None else []
        output += session.tick(clock())


async def _next_frame(socket: ClientConnection, seconds: float) -> str | bytes | None:
    try:
        async with asyncio.timeout(seconds):
            return await socket.recv()
    except TimeoutError:
        return None


class _Connect(connect):
    """Follows no redirect: it would hand the token to whoever the answer names."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The answer is the failure it is."""
        return exc


class _Discreet(logging.LoggerAdapter[logging.Logger]):
    """Does not tell frames, which the library would at debug: one of them is the login."""

    def isEnabledFor(self, level: int) -> bool:
        """Nothing under a warning, whatever is set up."""
        return level >= logging.WARNING and super().isEnabledFor(level)


def _told(error: OSError | WebSocketException) -> str:
    """What happened, in a sentence without what the error may hold (headers, proxies, frames)."""
    match error:
        case ConnectionClosed():
            return _told_close(error)
        case InvalidStatus():
            status = error.response.status_code
            hint = ": configure the address it redirects to" if 300 <= status < 400 else ""
            return f"the realtime service answered with HTTP {status}{hint}"
        case tls.SSLCertVerificationError():
            return f"the server's certificate is refused ({error.verify_message})"
        case tls.SSLError():
            return f"no TLS there ({error.reason})"
        case TimeoutError():
            return "the realtime service did not answer in time"
        case gaierror():
            return "the server's name is not known"
        case OSError():
            return (
                f"no connection ({os.strerror(error.errno) if error.errno else 'on any address'})"
            )
    return f"this is no realtime service ({type(error).__name__})"


def _told_close(error: ConnectionClosed) -> str:
    if error.rcvd is not None:
        return f"the server closed the connection ({error.rcvd.code} {error.rcvd.reason})"
    if error.sent is not None:
        return f"the server broke the protocol ({error.sent.code})"
    return "the connection broke off"
