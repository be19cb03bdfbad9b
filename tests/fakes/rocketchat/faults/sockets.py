"""The realtime link on its bad days: sockets that end, hang, refuse, or keep quiet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aiohttp import web

from tests.fakes.rocketchat.faults.rest import PROXY_PAGE, reset
from tests.fakes.rocketchat.seams import Seam
from tests.fakes.rocketchat.wire import Json

if TYPE_CHECKING:
    from tests.fakes.rocketchat.ddp.session import Session

NoReady = Literal["never", "not-allowed", "not-found", "error", "too-many-requests"]
Fits = Callable[[Json], bool]
End = int | Literal["cut", "reset"]

NOSUB: dict[str, Json] = {
    "not-allowed": {"error": "not-allowed", "message": "[not-allowed]"},
    "not-found": {"error": 404, "reason": "Subscription not found", "message": "[404]"},
    "error": {"error": 500, "reason": "Internal server error", "message": "[500]"},
    "too-many-requests": {
        "error": "too-many-requests",
        "reason": "Error, too many requests. Please slow down.",
        "message": "[too-many-requests]",
        "details": {"timeToReset": 1000},
    },
}


@dataclass(eq=False)
class Order:
    """What is done to the frames that fit, so many times (None: until stopped)."""

    fits: Fits
    times: int | None = None
    struck: int = 0

    def takes(self, frame: Json) -> bool:
        """Whether it strikes this frame; counted if so."""
        if (self.times is not None and self.struck >= self.times) or not self.fits(frame):
            return False
        self.struck += 1
        return True

    def stop(self) -> None:
        self.times = self.struck


@dataclass(eq=False)
class _Refusal(Order):
    """A frame of the client that the server itself does not get to see."""

    answer: Callable[[Json], Json | None] = lambda _: None


@dataclass(eq=False)
class _Ending(Order):
    end: End = "cut"


@dataclass(eq=False)
class _Withheld(Order):
    """Messages by `_id`, so that every socket and every later version of one counts once."""

    ids: set[str] | None = None

    def keeps(self, frame: Json) -> bool:
        message_id = _message_id(frame)
        if message_id is None:
            return False
        self.ids = self.ids or set()
        if message_id not in self.ids and self.takes(frame):
            self.ids.add(message_id)
        return message_id in self.ids


class Held(Order):
    """Frames that wait, and everything behind them on their socket, until `release()`."""

    def __init__(self, fits: Fits) -> None:
        super().__init__(fits)
        self._open = asyncio.Event()

    def release(self) -> None:
        self.stop()
        self._open.set()

    async def wait(self) -> None:
        await self._open.wait()


class SocketFaults(Seam):
    """What is ordered holds for sockets open now, or for frames and sockets to come; see each."""

    def __init__(self) -> None:
        self._sessions: list[Session] = []
        self._stuck: set[Session] = set()
        self._frames_left: dict[Session, int] = {}
        self._waiting: dict[Session, list[str]] = {}
        self._news = asyncio.Event()
        self.stop()

    def stop(self) -> None:
        """End whatever is ordered; what happened to a socket stays."""
        self._closed_door: Order | None = None
        self._refusals: list[_Refusal] = []
        self._endings: list[_Ending] = []
        self._withheld: list[_Withheld] = []
        self._held: list[Held] = []
        self._flap: tuple[int, Order] | None = None
        self._together = 0

    # --- how a link ends

    def close(self, code: int = 4000, reason: str = "") -> int:
        """Close every open socket; how many. 4000 is an idle one's, 1001 that of a restart."""
        for session in self._sessions:
            session.close(code, reason)
        return len(self._sessions)

    def cut(self, *, rst: bool = True) -> int:
        """End every open socket without a close frame (1006), by RST or by FIN; how many."""
        for session in self._sessions:
            _end(session, "reset" if rst else "cut")
        return len(self._sessions)

    def half_open(self) -> int:
        """Open sockets stay open and dead: nothing goes out, nothing is heard, nothing closes.

        Not even that the client goes is noticed; they end with the server, or by `cut`.
        """
        for session in self._sessions:
            self._stuck.add(session)
            if transport := _transport(session):
                transport.pause_reading()
        return len(self._sessions)

    def flap(self, frames: int, *, times: int | None = None) -> Order:
        """Each socket to come is reset after it was sent so many frames."""
        order = Order(lambda _: True, times)
        self._flap = (frames, order)
        return order

    def end_at(self, msg: str, end: End = "reset", *, times: int | None = 1) -> Order:
        """Instead of hearing the client's next `sub`, `connect`, `method` ..., end its socket.

        `end` is a close code, "reset" or "cut". At `sub` it ends between login and ready.
        """
        order = _Ending(lambda frame: frame.get("msg") == msg, times, end=end)
        self._endings.append(order)
        return order

    def refuse_connections(self, *, times: int | None = None) -> Order:
        """The websocket is answered with the page of a proxy, until `stop()` of what this gives."""
        self._closed_door = Order(lambda _: True, times)
        return self._closed_door

    # --- what is not answered, or wrongly

    def mute_login(self, *, times: int | None = 1) -> Order:
        """A login without an answer; the server heard nothing of it."""
        return self._refuse(lambda frame: frame.get("method") == "login", lambda _: None, times)

    def ready(self, how: NoReady, stream: str = "", *, times: int | None = None) -> Order:
        """Subscriptions of streams whose name or event has `stream` in it get this for `ready`."""

        def fits(frame: Json) -> bool:
            target = f"{frame.get('name')} {frame.get('params')}"
            return frame.get("msg") == "sub" and stream in target

        def answer(frame: Json) -> Json | None:
            if how == "never":
                return None
            head = {"isClientSafe": True, "errorType": "Meteor.Error"}
            return {"msg": "nosub", "id": frame.get("id"), "error": {**head, **NOSUB[how]}}

        return self._refuse(fits, answer, times)

    def _refuse(
        self, fits: Fits, answer: Callable[[Json], Json | None], times: int | None
    ) -> Order:
        order = _Refusal(fits, times, answer=answer)
        self._refusals.append(order)
        return order

    def ready_together(self, number: int) -> None:
        """The first subscriptions of each socket to come get one `ready`, with so many ids."""
        self._together = number

    # --- what does not arrive, or late, or as nonsense

    def withhold(self, *, times: int | None = 1, fits: Fits = lambda _: True) -> Order:
        """The next messages are stored and never delivered, nor any later version of them.

        So it is when a real server's access check throws. `fits` gets the `changed` frame.
        """
        order = _Withheld(fits, times)
        self._withheld.append(order)
        return order

    def hold(self, text: str) -> Held:
        """Frames with this text in them wait, with all behind them on their socket."""
        held = Held(lambda frame: text in json.dumps(frame))
        self._held.append(held)
        return held

    def send(self, frame: str | bytes) -> int:
        """Send whatever this is on every open socket, past all checks; on how many."""
        for session in self._sessions:
            session.send_raw(frame)
        return len(self._sessions)

    # --- waiting

    async def are_open(self, number: int, *, seconds: float = 30.0) -> None:
        """Wait until so many sockets are open."""
        async with asyncio.timeout(seconds):
            while len(self._sessions) != number:
                self._news.clear()
                await self._news.wait()

    # --- the seam

    async def connecting(self, request: web.Request) -> web.StreamResponse | None:
        if self._closed_door is None or not self._closed_door.takes({}):
            return None
        page = PROXY_PAGE.format("502 Bad Gateway")
        return web.Response(text=page, status=502, content_type="text/html")

    def opened(self, session: Session) -> None:
        self._sessions.append(session)
        self._news.set()
        if self._together:
            self._waiting[session] = []
        if self._flap is not None and self._flap[1].takes({}):
            self._frames_left[session] = self._flap[0]

    def closed(self, session: Session) -> None:
        self._sessions.remove(session)
        self._stuck.discard(session)
        self._frames_left.pop(session, None)
        self._waiting.pop(session, None)
        self._news.set()

    async def incoming(self, session: Session, text: str) -> str | None:
        if not (self._endings or self._refusals):
            return text
        frame = _object(text)
        if ending := next((one for one in self._endings if one.takes(frame)), None):
            _finish(session, ending.end)
            return None
        if refusal := next((one for one in self._refusals if one.takes(frame)), None):
            if answer := refusal.answer(frame):
                session.send_raw(json.dumps(answer))
            return None
        return text

    async def outgoing(self, session: Session, text: str) -> str | None:
        if session in self._stuck:
            await asyncio.Event().wait()
        if self._withheld or self._held:
            frame = _object(text)
            if any(one.keeps(frame) for one in self._withheld):
                return None
            for held in [one for one in self._held if one.takes(frame)]:
                await held.wait()
        if session in self._waiting and _object(text).get("msg") == "ready":
            return self._gathered(session, _object(text))
        if session in self._frames_left:
            self._frames_left[session] -= 1
            if self._frames_left[session] < 0:
                _end(session, "reset")
                return None
        return text

    def _gathered(self, session: Session, ready: Json) -> str | None:
        """One `ready` for all that were asked for, once they are complete."""
        waiting = self._waiting[session]
        waiting += ready["subs"]
        if len(waiting) < self._together:
            return None
        del self._waiting[session]
        return json.dumps({**ready, "subs": waiting})


def _object(text: str) -> Json:
    try:
        frame = json.loads(text)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}


def _message_id(frame: Json) -> str | None:
    if frame.get("collection") != "stream-room-messages":
        return None
    message_id: str = frame["fields"]["args"][0]["_id"]
    return message_id


def _finish(session: Session, end: End) -> None:
    if isinstance(end, int):
        session.close(end)
    else:
        _end(session, end)


def _end(session: Session, end: Literal["cut", "reset"]) -> None:
    if transport := _transport(session):
        reset(transport) if end == "reset" else transport.close()


def _transport(session: Session) -> asyncio.Transport | None:
    """None where the connection is gone already."""
    transport = session.request.transport if session.request else None
    return transport if isinstance(transport, asyncio.Transport) else None
