"""One socket from its opening to its end: the protocol, as the profile speaks it."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.rocketchat.ddp import frames
from tests.fakes.rocketchat.ddp.methods import MethodError, called
from tests.fakes.rocketchat.ddp.streams import refusal
from tests.fakes.rocketchat.profiles import Heartbeat, Profile
from tests.fakes.rocketchat.records import Token, User
from tests.fakes.rocketchat.seams import Seam
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.wire import Json, ddp_text, milliseconds

STREAMS_A_WINDOW = 40
"""On the monolith: so many subscriptions in so many seconds on one socket."""


@dataclass(frozen=True, slots=True)
class Subscription:
    id: str
    stream: str
    event_name: str


class Session:
    """Frames go out in order, through the seams, one at a time.

    `user` is None until the login. `ws` is for those who want to spoil something.
    """

    def __init__(
        self, state: State, profile: Profile, heartbeat: Heartbeat, seams: list[Seam]
    ) -> None:
        self.state = state
        self.profile = profile
        self.seams = seams
        self.id: str | None = None
        self.user: User | None = None
        self.token: Token | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self.ws = web.WebSocketResponse(timeout=1.0, max_msg_size=0)
        self.request: web.Request | None = None
        self._heartbeat = heartbeat
        self._timer: asyncio.TimerHandle | None = None
        self._out: asyncio.Queue[str | Raw | Close] = asyncio.Queue()
        self._granted: list[int] = []

    # --- the socket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """From the upgrade to the end."""
        for seam in self.seams:
            if answer := await seam.connecting(request):
                return answer
        self.request = request
        await self.ws.prepare(request)
        for seam in self.seams:
            seam.opened(self)
        writer = asyncio.create_task(self._write())
        try:
            self._open()
            await self._read()
        finally:
            self._stop_timer()
            writer.cancel()
            await asyncio.wait([writer])
            for seam in self.seams:
                seam.closed(self)
        return self.ws

    async def _read(self) -> None:
        async for message in self.ws:
            text: str | None = None
            if message.type is WSMsgType.TEXT:
                text = message.data
            elif message.type is WSMsgType.BINARY:
                text = message.data.decode(errors="replace")
            for seam in self.seams:
                if text is not None:
                    text = await seam.incoming(self, text)
            if text is not None:
                self._received(text)

    async def _write(self) -> None:
        while True:
            frame = await self._out.get()
            try:
                if isinstance(frame, Close):
                    await self._end(frame)
                    return
                if isinstance(frame, Raw):
                    await self._write_raw(frame.content)
                    continue
                passed = await self._passed(frame)
                if passed is not None:
                    await self.ws.send_str(passed)
            except ConnectionError:
                return

    async def _write_raw(self, content: str | bytes) -> None:
        if isinstance(content, bytes):
            await self.ws.send_bytes(content)
        else:
            await self.ws.send_str(content)

    async def _passed(self, frame: str) -> str | None:
        text: str | None = frame
        for seam in reversed(self.seams):
            if text is not None:
                text = await seam.outgoing(self, text)
        return text

    async def _end(self, close: Close) -> None:
        if close.code is None:
            self.abort()
        else:
            await self.ws.close(code=close.code, message=close.reason.encode())

    def send(self, frame: str) -> None:
        """Put a frame behind those that wait."""
        self._out.put_nowait(frame)

    def send_raw(self, content: str | bytes) -> None:
        """Put whatever this is behind the frames that wait, past the seams."""
        self._out.put_nowait(Raw(content))

    def close(self, code: int | None, reason: str = "") -> None:
        """End the socket after what waits to be sent; without a code by a reset."""
        self._out.put_nowait(Close(code, reason))

    def abort(self) -> None:
        """End the connection at once, with no goodbye."""
        if self.request and self.request.transport:
            self.request.transport.abort()

    # --- silence

    def _open(self) -> None:
        if self.profile.greeting is not None:
            self.send(ddp_text(self.profile.greeting))
        if self._heartbeat.early is not None:
            self._after(self._heartbeat.early, self._ping)

    def _after(self, seconds: float, then: Any) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _ping(self) -> None:
        self.send(ddp_text({"msg": "ping"}))
        self._after(self._heartbeat.close, self._give_up)

    def _give_up(self) -> None:
        if self.profile.streamer:
            self.close(4000, "TIMEOUT")
        else:
            self.close(1000)

    # --- the protocol

    def _received(self, text: str) -> None:
        self._after(self._heartbeat.ping, self._ping)
        try:
            frame = json.loads(text)
        except ValueError:
            self._broken(1007, "UNSUPPORTED_DATA", "Parse error", None)
            return
        kind = frame.get("msg") if isinstance(frame, dict) else None
        if kind == "connect":
            self._connect(frame)
        elif self.id is None:
            self._broken(1002, "CLOSE_PROTOCOL_ERROR", "Must connect first", frame)
        elif kind == "ping":
            self.send(ddp_text({**frame, "msg": "pong"}))
        elif kind == "sub":
            self._subscribe(frame)
        elif kind == "unsub":
            self._unsubscribe(frame)
        elif kind == "method":
            self._call(frame)
        elif kind != "pong" and not self.profile.streamer:
            self._say_error("Bad request" if kind else "Parse error", frame)

    def _broken(self, code: int, close_reason: str, reason: str, frame: Any) -> None:
        """The streamer closes, the monolith says what it did not like."""
        if self.profile.streamer:
            self.close(code, close_reason)
        else:
            self._say_error(reason, frame)

    def _say_error(self, reason: str, frame: Any) -> None:
        said: Json = {"msg": "error", "reason": reason}
        if frame is not None:
            said["offendingMessage"] = frame
        self.send(ddp_text(said))

    def _connect(self, frame: Json) -> None:
        if self.id is not None:
            if not self.profile.streamer:
                self._say_error("Already connected", frame)
            return
        if not self.profile.streamer and frame.get("version") != "1":
            self.send(ddp_text({"msg": "failed", "version": "1"}))
            self.close(1000)
            return
        self.id = str(uuid.uuid4())
        self.send(ddp_text({"msg": "connected", "session": self.id}))

    def _subscribe(self, frame: Json) -> None:
        identity, stream = str(frame.get("id")), str(frame.get("name"))
        params = frame.get("params") or []
        if not self.profile.streamer and identity in self.subscriptions:
            return
        why = self._paced() or refusal(self.state, self.user, stream, params)
        if why:
            self.send(frames.nosub(identity, why))
            return
        event_name = params[0] if params else ""
        self.subscriptions[identity] = Subscription(identity, stream, event_name)
        self.send(frames.ready(identity))

    def _paced(self) -> Json | None:
        """Why the monolith refuses one subscription too many."""
        if self.profile.streamer:
            return None
        now, window = milliseconds(self.state.now()), STREAMS_A_WINDOW * 1000
        self._granted = [when for when in self._granted if when > now - window]
        if len(self._granted) < STREAMS_A_WINDOW:
            self._granted.append(now)
            return None
        wait = self._granted[0] + window - now
        reason = (
            "Error, too many requests. Please slow down. "
            f"You must wait {-(-wait // 1000)} seconds before trying again."
        )
        return frames.error("too-many-requests", reason, details={"timeToReset": wait})

    def _unsubscribe(self, frame: Json) -> None:
        if self.subscriptions.pop(str(frame.get("id")), None):
            self.send(frames.nosub(str(frame["id"])))

    def _call(self, frame: Json) -> None:
        identity, name = str(frame.get("id")), str(frame.get("method"))
        answer: Json = {"msg": "result", "id": identity}
        try:
            answer["result"] = called(self, name, frame.get("params") or [])
        except MethodError as refused:
            answer["error"] = frames.error(refused.code, refused.reason)
        said = [ddp_text(answer), frames.updated(identity)]
        for text in reversed(said) if self.profile.updated_first else said:
            self.send(text)


@dataclass(frozen=True, slots=True)
class Raw:
    """What a fault says in the server's place; bytes go as a binary frame."""

    content: str | bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The end, in its place among the frames."""

    code: int | None
    reason: str
