"""What a browser sees after join: the room, the lobby, the end; and the server's front page."""

import json
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.bbb.join_call import COOKIE
from bot.demo.bbb.meeting import Presence
from bot.demo.bbb.paper import HEADERS, page, see
from bot.demo.bbb.state import Seat, State

_PAGE = {
    Presence.EXPECTED: "inside.html",
    Presence.INSIDE: "inside.html",
    Presence.WAITING: "waiting.html",
    Presence.DENIED: "out.html",
    Presence.LEFT: "out.html",
}


class ClientPages:
    """All of them need the session's token and its cookie. `base` gives our own address."""

    def __init__(self, state: State, base: Callable[[Request], str]) -> None:
        self._state = state
        self._base = base

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/", self.front),
            Route("/html5client/", self.client),
            Route("/html5client/state", self.now),
            Route("/html5client/leave", self.leave, methods=["POST"]),
            Route("/html5client/end", self.end, methods=["POST"]),
            Route("/html5client/decide", self.decide, methods=["POST"]),
        ]

    async def front(self, request: Request) -> Response:
        """Where BBB sends people by default; says what went wrong if the address tells."""
        return page("front.html", messages=_messages(request.query_params.get("errors", "")))

    async def client(self, request: Request) -> Response:
        """The session's page. Opening it is what brings somebody into the meeting."""
        seat = self._seat(request, request.query_params.get("sessionToken", ""))
        if seat is None:
            return page("no_session.html", 401)
        self._state.arrive(seat)
        over = seat.meeting.is_over
        template = "out.html" if over else _PAGE[seat.attendee.presence]
        return page(
            template,
            topic=seat.meeting.plan.name,
            meeting=seat.meeting,
            me=seat.attendee,
            ended=over,
            denied=seat.attendee.presence is Presence.DENIED,
            way_back=self._way_back(seat, request),
            fingerprint=_fingerprint(seat),
        )

    async def now(self, request: Request) -> Response:
        """What the page's script asks every two seconds. Changes nothing."""
        seat = self._seat(request, request.query_params.get("sessionToken", ""))
        if seat is None:
            return JSONResponse({}, 401, HEADERS)
        people = [{"name": one.name, "role": one.role_in_words} for one in seat.meeting.inside]
        return JSONResponse({"people": people, "fingerprint": _fingerprint(seat)}, 200, HEADERS)

    async def leave(self, request: Request) -> Response:
        """The button "Leave"."""
        seat = await self._posted_seat(request)
        if seat is None:
            return page("no_session.html", 401)
        self._state.leave(seat)
        return _back_to(seat)

    async def end(self, request: Request) -> Response:
        """The button "End for everybody"."""
        seat = await self._posted_seat(request)
        if seat is None or not _may_moderate(seat):
            return page("no_session.html", 401)
        self._state.end(seat.meeting)
        return _back_to(seat)

    async def decide(self, request: Request) -> Response:
        """The buttons beside somebody who waits."""
        seat = await self._posted_seat(request)
        if seat is None or not _may_moderate(seat):
            return page("no_session.html", 401)
        form = await request.form()
        guest = str(form.get("guest", ""))
        self._state.decide(seat.meeting, guest, admit=form.get("answer") == "admit")
        return _back_to(seat)

    async def _posted_seat(self, request: Request) -> Seat | None:
        form = await request.form()
        return self._seat(request, str(form.get("sessionToken", "")))

    def _seat(self, request: Request, token: str) -> Seat | None:
        return self._state.seat(token, request.cookies.get(COOKIE, ""))

    def _way_back(self, seat: Seat, request: Request) -> str:
        """The session's or the meeting's logoutURL, else the front page."""
        wanted = seat.attendee.wish.logout_url or seat.meeting.plan.logout_url
        filled = (
            wanted.replace("%%MEETINGID%%", seat.meeting.meeting_id)
            .replace("%%USERID%%", seat.attendee.user_id)
            .replace("%%USERNAME%%", seat.attendee.name)
        )
        is_web = filled.startswith(("https://", "http://"))
        return filled if is_web else f"{self._base(request)}/"


def _back_to(seat: Seat) -> Response:
    return see(f"/html5client/?sessionToken={seat.attendee.session_token}")


def _may_moderate(seat: Seat) -> bool:
    return seat.attendee.moderator and seat.attendee.presence is Presence.INSIDE


def _fingerprint(seat: Seat) -> str:
    """Changes when the page must be loaded anew; who is inside is brought by the script."""
    waiting = [one.internal_id for one in seat.meeting.waiting] if seat.attendee.moderator else []
    said = len(seat.meeting.messages)
    return "/".join([seat.attendee.presence, str(seat.meeting.is_over), str(said), *waiting])


def _messages(errors: str) -> list[str]:
    """The messages of `errors=[{"key":..., "message":...}]`; the address may hold anything."""
    try:
        found = json.loads(errors or "[]")
    except ValueError:
        return []
    items = found if isinstance(found, list) else []
    return [str(item["message"]) for item in items if isinstance(item, dict) and "message" in item]
