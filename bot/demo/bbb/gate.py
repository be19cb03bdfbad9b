"""Stands before the application: writes down each request, and breaks what is to be broken."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, MutableSequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.demo.bbb.faults import DAMAGED, INSTEAD, Fault, Faults, too_long

API = "/bigbluebutton/api"
LONGEST_ADDRESS = 8 * 1024
REMEMBERED = 10_000
DRIP_SECONDS = 0.05
"""Between two bytes of a dripping answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came: `target` is path and query, not decoded."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)

    @property
    def call(self) -> str | None:
        """The API call it was for, "" for the root, None for a page."""
        return call_of(self.target.partition("?")[0])


class Cables:
    """The connections that can really be cut, by the address of the other end."""

    def __init__(self) -> None:
        self._cuts: dict[tuple[str, int], Callable[[], None]] = {}

    def plug(self, peer: tuple[str, int], cut: Callable[[], None]) -> None:
        """A connection was made."""
        self._cuts[peer] = cut

    def unplug(self, peer: tuple[str, int]) -> None:
        """A connection has ended."""
        self._cuts.pop(peer, None)

    def cut(self, peer: tuple[str, int] | None) -> None:
        """Reset it. Raises ConnectionResetError where there is no network to do it in."""
        cut = self._cuts.get(peer) if peer else None
        if cut is None:
            raise ConnectionResetError("the simulated server cut the connection")
        cut()

    def cut_all(self) -> None:
        """Reset every one of them."""
        for cut in list(self._cuts.values()):
            cut()


def new_log() -> MutableSequence[Seen]:
    """Where requests are written down, the oldest forgotten first."""
    return deque(maxlen=REMEMBERED)


def call_of(path: str) -> str | None:
    """The name of the call in a path."""
    if path != API and not path.startswith(f"{API}/"):
        return None
    return path.removeprefix(API).strip("/")


class Gate:
    """ASGI middleware, outermost."""

    def __init__(
        self, app: ASGIApp, *, requests: MutableSequence[Seen], faults: Faults, cables: Cables
    ) -> None:
        self._app = app
        self._requests = requests
        self._faults = faults
        self._cables = cables

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = _seen(scope)
        self._requests.append(seen)
        if len(seen.target) > LONGEST_ADDRESS:
            return await too_long()(scope, receive, send)
        fault = None if seen.call is None else self._faults.take(seen.call)
        if fault is None:
            return await self._app(scope, receive, send)
        if fault is Fault.HANG:
            return await _until_gone(receive)
        if fault in INSTEAD:
            return await INSTEAD[fault]()(scope, receive, send)
        start, body = await self._worked(scope, receive)
        if fault in DAMAGED:
            return await _send(start, DAMAGED[fault](body), send)
        if fault is Fault.NEVER_TOLD:
            return await _until_gone(receive)
        if fault is Fault.DRIP:
            return await _drip(start, body, send)
        if fault is Fault.RESET:
            await send(start)
            await send({"type": "http.response.body", "body": body[:30], "more_body": True})
        self._cables.cut(scope["client"])
        await _until_gone(receive)

    async def _worked(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """Let the application answer, and keep the answer."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        return messages[0], b"".join(one.get("body", b"") for one in messages[1:])


def _seen(scope: Scope) -> Seen:
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Seen(scope["method"], f"{path}?{query}" if query else path, headers)


async def _send(start: Message, body: bytes, send: Send) -> None:
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    length = (b"content-length", str(len(body)).encode())
    await send({**start, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _drip(start: Message, body: bytes, send: Send) -> None:
    await send(start)
    for byte in body:
        await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await asyncio.sleep(DRIP_SECONDS)
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
