"""One simulated BBB server: its application, and handles to look at it and to push it."""

from collections.abc import Callable
from datetime import datetime

from starlette.types import ASGIApp

from bot.demo.bbb.app import application
from bot.demo.bbb.clock import Clock
from bot.demo.bbb.faults import Faults
from bot.demo.bbb.gate import Cables, Gate, Seen, new_log
from bot.demo.bbb.meeting import Attendee, ChatMessage, Meeting, Wish
from bot.demo.bbb.rules import rules_of
from bot.demo.bbb.state import Seat, State


class SimulatedBBB:
    """`app` is an ASGI application; `run.serving` gives it a port.

    `state.rules` and `state.secret` may be replaced at any time. `requests` holds every request,
    `faults` what is to go wrong, `cables` the network connections.
    """

    app: ASGIApp

    def __init__(
        self,
        secret: str,
        *,
        version: str = "3.0",
        now: Callable[[], datetime] | None = None,
        speed: float = 1.0,
        public_url: str = "",
    ) -> None:
        """`version` is 2.6 or 3.0, else ValueError. `now` gives aware times; without it the server
        has a clock of its own, `speed` times as fast as real time (0: moved by hand).
        `public_url` (scheme and host) is taken from each request where it is not given.
        """
        self._clock = Clock(speed) if now is None else None
        self.state = State(secret=secret, rules=rules_of(version), now=now or self._own_clock())
        self.faults = Faults()
        self.requests = new_log()
        self.cables = Cables()
        inner = application(
            self.state, self.faults, public_url=public_url.rstrip("/"), clock=self._clock
        )
        self.app = Gate(inner, requests=self.requests, faults=self.faults, cables=self.cables)

    def _own_clock(self) -> Clock:
        if self._clock is None:
            raise ValueError("this server's clock belongs to somebody else")
        return self._clock

    # --- looking -----------------------------------------------------------------------------

    def calls(self, name: str) -> list[Seen]:
        """The requests for one call, oldest first."""
        return [seen for seen in self.requests if seen.call == name]

    def meeting(self, meeting_id: str) -> Meeting:
        """A meeting that exists. Raises LookupError for any other."""
        meeting = self.state.find(meeting_id)
        if meeting is None:
            raise LookupError(f"no meeting {meeting_id}")
        return meeting

    def users_in(self, meeting_id: str) -> list[Attendee]:
        """Who is inside, in the order of joining; nobody where there is no meeting."""
        meeting = self.state.find(meeting_id)
        return meeting.inside if meeting else []

    def messages_in(self, meeting_id: str) -> list[ChatMessage]:
        """The chat of a meeting. Raises LookupError."""
        return self.meeting(meeting_id).messages

    # --- pushing -----------------------------------------------------------------------------

    def join(
        self, meeting_id: str, name: str, role: str = "VIEWER", *, user_id: str = ""
    ) -> Attendee:
        """Put somebody inside, without a browser; `role` is MODERATOR or VIEWER.

        Raises LookupError, Refusal.
        """
        meeting = self.meeting(meeting_id)
        moderator = {"MODERATOR": True, "VIEWER": False}[role]
        wish = Wish(name, moderator=moderator, user_id=user_id)
        attendee = self.state.register(meeting, wish, cookie="")
        self.state.arrive(Seat(meeting, attendee))
        return attendee

    def leave(self, meeting_id: str, name: str) -> None:
        """Take everybody of that name out. Raises LookupError."""
        meeting = self.meeting(meeting_id)
        for attendee in [one for one in meeting.inside if one.name == name]:
            self.state.leave(Seat(meeting, attendee))

    def forward(self, seconds: float) -> None:
        """Move the server's own clock. Raises ValueError when `now` was given."""
        self._own_clock().forward(seconds)
