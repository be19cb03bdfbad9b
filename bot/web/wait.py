"""The page of somebody who has to wait, and the events that end the wait.

With JavaScript the page listens to `/j/TOKEN/live` and presses again by itself. Without it the page
itself is held open and at last gets a button: never an address of BBB, which is a credential.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.web.desk import RETRY, Desk, Render
from bot.web.waiting import Beat, WaitingRoom
from commands.visits import Press, Wait, WaitFor

_UNBUFFERED = {"X-Accel-Buffering": "no"}

# The waiting page is cut here: what follows is sent when the wait is over.
_HOLD = "<!--hold-->"
_ENDINGS = {Beat.STILL: "", Beat.READY: "ready", Beat.OVER: "over"}

_EVENTS = {Beat.STILL: ":\n\n", Beat.READY: "event: ready\ndata:\n\n", Beat.OVER: ":\n\n"}
_RECONNECT = "retry: 3000\n\n"


@dataclass(frozen=True, slots=True)
class WaitPages:
    desk: Desk
    room: WaitingRoom

    def page(self, request: Request, press: Press, wait: Wait) -> Response:
        """The answer to a press that has to wait; held open while there is a place for it."""
        address = self.desk.address(request)
        watched = self.room.has_place(address)
        silent = wait.reason is WaitFor.SERVER

        def content(render: Render) -> str | AsyncIterator[str]:
            def show(beat: Beat) -> str:
                return render(
                    "waiting",
                    press=press,
                    reason=wait.reason.value,
                    live=self._live(press, wait),
                    watched=watched,
                    ending=_ENDINGS[beat],
                    hold=_HOLD,
                )

            if not watched:
                return show(Beat.STILL)
            return _held(show, self._beats(address, press, rest=silent))

        return self.desk.page(
            request,
            wait.view,
            content,
            status=HTTPStatus.SERVICE_UNAVAILABLE if silent else HTTPStatus.OK,
            headers=_UNBUFFERED | RETRY if silent else _UNBUFFERED,
        )

    async def live(self, request: Request) -> Response:
        """Server-sent events: `ready` once, when pressing again is worth it."""
        if busy := self.desk.busy(request):
            return busy
        if not await self.desk.look(request):
            return self.desk.nowhere(request)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        address = self.desk.address(request)
        if not self.room.has_place(address):
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=RETRY)
        press = Press(self.desk.token(request), self.desk.cookies.browser(request))
        silent = request.query_params.get("for") == WaitFor.SERVER
        events = _events(self._beats(address, press, rest=silent))
        return StreamingResponse(events, media_type="text/event-stream", headers=_UNBUFFERED)

    def _live(self, press: Press, wait: Wait) -> str:
        return self.desk.site.path(f"/j/{press.token}/live?for={wait.reason}")

    def _beats(self, address: str, press: Press, *, rest: bool) -> AsyncGenerator[Beat, None]:
        what = (press.token, press.cookie)
        return self.room.watch(address, what, lambda: self.desk.joining.ready(press), rest=rest)


async def _held(
    show: Callable[[Beat], str], beats: AsyncGenerator[Beat, None]
) -> AsyncIterator[str]:
    """A page up to the cut, signs of life, and the rest of the page as it is in the end."""
    yield show(Beat.STILL).partition(_HOLD)[0]
    async with aclosing(beats):
        async for beat in beats:
            still = beat is Beat.STILL
            yield "<!-- -->\n" if still else show(beat).partition(_HOLD)[2]


async def _events(beats: AsyncGenerator[Beat, None]) -> AsyncIterator[str]:
    yield _RECONNECT
    async with aclosing(beats):
        async for beat in beats:
            yield _EVENTS[beat]
