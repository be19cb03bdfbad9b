"""The meetings of the simulated server and what happens to them as time passes. No I/O.

    created --- a browser arrives --> running --- the last one leaves --> empty
       | 5 min                          |  ^------ another arrives ------'  | 1 min
       v                                v duration, or `end` (asynchronous)  v
    forgotten <---- 2 s ---- ended <--- 0.5 s --- end asked            forgotten

Nothing runs in the background: each look first settles what was due by then.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.demo.bbb.meeting import Attendee, ChatMessage, Document, Meeting, Plan, Presence, Wish
from bot.demo.bbb.refusals import Refusal
from bot.demo.bbb.rules import Rules

MINUTE_MS = 60_000
KICK_AFTER_MS = 500
FORGET_AFTER_MS = 2_000
"""Both count from the call of `end`, which only asks; real servers take 0.5 to 3 s."""
RESERVED_MS = 60_000
"""How long somebody whose browser has not come yet counts towards maxParticipants."""
SESSIONS_PER_USER = 3
"""maxUserConcurrentAccesses: one more, and the oldest is put out."""
FIRST_BRIDGE, LAST_BRIDGE = 10_000, 99_999

TEXT_NOT_UNIQUE = (
    "A meeting already exists with that meeting ID.  Please use a different meeting ID."
)


@dataclass(frozen=True, slots=True)
class Seat:
    """A session: who, and in which meeting."""

    meeting: Meeting
    attendee: Attendee


class State:
    """All of it. `rules` and `secret` may be replaced while the server runs."""

    def __init__(self, *, secret: str, rules: Rules, now: Callable[[], datetime]) -> None:
        self.secret = secret
        self.rules = rules
        self._now = now
        self._meetings: list[Meeting] = []
        self._seats: dict[str, Seat] = {}

    def now_ms(self) -> int:
        """The simulated time, in epoch milliseconds."""
        now = self._now()
        if now.tzinfo is None:
            raise ValueError("the clock must tell its zone")
        return round(now.timestamp() * 1000)

    # --- looking -----------------------------------------------------------------------------

    def meetings(self) -> list[Meeting]:
        """All that exist, oldest first."""
        self._settle()
        return list(self._meetings)

    def find(self, meeting_id: str) -> Meeting | None:
        """A meeting by the caller's id, as BBB looks it up.

        The id is first tried as the *beginning of an internal id*: a short hexadecimal id can
        find somebody else's meeting.
        """
        self._settle()
        return self._starting_with(meeting_id) or self._starting_with(hashed(meeting_id))

    def _starting_with(self, prefix: str) -> Meeting | None:
        found = (one for one in self._meetings if one.internal_id.startswith(prefix))
        return min(found, key=lambda one: one.forcibly_ended, default=None)

    def seat(self, session_token: str, cookie: str) -> Seat | None:
        """The session of a browser; None without the cookie that came with the join."""
        self._settle()
        seat = self._seats.get(session_token)
        return seat if seat and cookie and seat.attendee.cookie == cookie else None

    # --- create and end ----------------------------------------------------------------------

    def create(self, plan: Plan) -> tuple[Meeting, bool]:
        """The meeting, and whether it was there before; then nothing of it changes.

        Raises Refusal: idNotUnique, nonUniqueVoiceBridge, parentMeetingDoesNotExist.
        """
        self._settle()
        existing = self._starting_with(hashed(plan.meeting_id))
        if existing is None or existing.forcibly_ended:
            return self._created(plan), False
        if not _same_passwords(existing, plan):
            raise Refusal("idNotUnique", TEXT_NOT_UNIQUE)
        return existing, True

    def _created(self, plan: Plan) -> Meeting:
        now = self.now_ms()
        parent = self._parent(plan)
        meeting = Meeting(
            plan=plan,
            internal_id=f"{hashed(plan.meeting_id)}-{now}",
            created_ms=now,
            voice_bridge=self._voice_bridge(plan.voice_bridge),
            attendee_password=_password(plan.attendee_password),
            moderator_password=_password(plan.moderator_password),
            documents=list(plan.documents),
        )
        self._meetings.append(meeting)
        if parent:
            parent.breakouts.append(meeting.internal_id)
        return meeting

    def _parent(self, plan: Plan) -> Meeting | None:
        if plan.breakout is None:
            return None
        parent = self._starting_with(hashed(plan.breakout.parent_id))
        if parent is None:
            raise Refusal("parentMeetingDoesNotExist", "No parent meeting with that ID exists")
        return parent

    def _voice_bridge(self, wanted: str | None) -> str:
        taken = {one.voice_bridge for one in self._meetings}
        if wanted in taken:
            text = "The selected voice bridge is already in use."
            raise Refusal("nonUniqueVoiceBridge", text, listed=True)
        return wanted or _free_bridge(taken)

    def end(self, meeting: Meeting) -> None:
        """Ask for the end: people are put out a moment later, then the meeting is forgotten."""
        if meeting.end_asked_ms is None:
            meeting.end_asked_ms = self.now_ms()

    def insert(self, meeting: Meeting, documents: Iterable[Document]) -> None:
        """Show more slides."""
        meeting.documents.extend(documents)

    def say(self, meeting: Meeting, *, author: str, text: str) -> None:
        """Add a line to the chat."""
        meeting.messages.append(ChatMessage(author, text))

    # --- people ------------------------------------------------------------------------------

    def register(self, meeting: Meeting, wish: Wish, *, cookie: str) -> Attendee:
        """A new session, without its browser. Raises Refusal (full, or a guest denied)."""
        now = self.now_ms()
        self._refuse_when_full(meeting, wish, now)
        internal_id = f"w_{secrets.token_hex(6)}"
        attendee = Attendee(
            internal_id=internal_id,
            user_id=wish.user_id or internal_id,
            wish=wish,
            presence=_first_presence(meeting.plan.guest_policy, wish),
            session_token=secrets.token_hex(8),
            cookie=cookie,
            since_ms=now,
        )
        meeting.attendees.append(attendee)
        self._seats[attendee.session_token] = Seat(meeting, attendee)
        return attendee

    def _refuse_when_full(self, meeting: Meeting, wish: Wish, now: int) -> None:
        """BBB counts people, not sessions: whoever is in already may come a second time."""
        present = {one.user_id for one in meeting.attendees if _takes_a_place(one, now)}
        limit = meeting.plan.max_participants
        if limit and wish.user_id not in present and len(present) >= limit:
            text = "The number of participants allowed for this meeting has been reached."
            raise Refusal("maxParticipantsReached", text)

    def arrive(self, seat: Seat) -> None:
        """The browser opened the client. Nothing happens to somebody who waits, or has left."""
        if seat.meeting.is_over or seat.attendee.presence is not Presence.EXPECTED:
            return
        self._move(seat.attendee, Presence.INSIDE)
        seat.meeting.attendees.remove(seat.attendee)
        seat.meeting.attendees.append(seat.attendee)
        seat.meeting.was_joined = True
        seat.meeting.empty_since_ms = None
        same = [one for one in seat.meeting.inside if one.user_id == seat.attendee.user_id]
        for oldest in same[:-SESSIONS_PER_USER]:
            self._move(oldest, Presence.LEFT)

    def leave(self, seat: Seat) -> None:
        """Go out, also from the lobby."""
        self._move(seat.attendee, Presence.LEFT)
        if seat.meeting.was_joined and not seat.meeting.inside:
            seat.meeting.empty_since_ms = self.now_ms()

    def decide(self, meeting: Meeting, internal_id: str, *, admit: bool) -> None:
        """Let somebody in from the lobby, or send them away."""
        for guest in meeting.waiting:
            if guest.internal_id == internal_id:
                self._move(guest, Presence.EXPECTED if admit else Presence.DENIED)

    def _move(self, attendee: Attendee, presence: Presence) -> None:
        attendee.presence = presence
        attendee.since_ms = self.now_ms()

    # --- time --------------------------------------------------------------------------------

    def _settle(self) -> None:
        now = self.now_ms()
        for meeting in list(self._meetings):
            if meeting.end_asked_ms is None and _outlived(meeting, now):
                meeting.end_asked_ms = _duration_end(meeting)
            if _kicked(meeting, now):
                meeting.forcibly_ended = True
                self._empty(meeting)
            if _expired(meeting, now) or _swept(meeting, now):
                self._forget(meeting)

    def _empty(self, meeting: Meeting) -> None:
        for attendee in meeting.inside:
            self._move(attendee, Presence.LEFT)

    def _forget(self, meeting: Meeting) -> None:
        self._empty(meeting)
        meeting.forgotten = True
        self._meetings.remove(meeting)


def hashed(meeting_id: str) -> str:
    """The first part of an internal id."""
    return hashlib.sha1(meeting_id.encode(), usedforsecurity=False).hexdigest()


def _same_passwords(existing: Meeting, plan: Plan) -> bool:
    sent = (plan.attendee_password, plan.moderator_password)
    return sent in ((None, None), (existing.attendee_password, existing.moderator_password))


def _password(sent: str | None) -> str:
    return secrets.token_hex(4) if sent is None else sent


def _free_bridge(taken: set[str]) -> str:
    """BBB tries ten random ones; so many meetings that this fails are not simulated."""
    spread = LAST_BRIDGE - FIRST_BRIDGE + 1
    tries = (str(FIRST_BRIDGE + secrets.randbelow(spread)) for _ in range(10))
    return next(bridge for bridge in tries if bridge not in taken)


def _first_presence(policy: str, wish: Wish) -> Presence:
    asks = policy == "ASK_MODERATOR" or (policy == "ALWAYS_ACCEPT_AUTH" and not wish.authenticated)
    if wish.moderator or not wish.guest:
        return Presence.EXPECTED
    if policy == "ALWAYS_DENY":
        text = "You have been denied access to this meeting based on the meeting's guest policy"
        raise Refusal("guestDeniedAccess", text)
    return Presence.WAITING if asks else Presence.EXPECTED


def _takes_a_place(attendee: Attendee, now: int) -> bool:
    if attendee.presence is Presence.EXPECTED:
        return now - attendee.since_ms < RESERVED_MS
    return attendee.presence is Presence.INSIDE


def _duration_end(meeting: Meeting) -> int:
    return meeting.created_ms + meeting.plan.duration_minutes * MINUTE_MS


def _outlived(meeting: Meeting, now: int) -> bool:
    return bool(meeting.plan.duration_minutes) and now >= _duration_end(meeting)


def _expired(meeting: Meeting, now: int) -> bool:
    plan = meeting.plan
    if not meeting.was_joined:
        return now >= meeting.created_ms + plan.unjoined_minutes * MINUTE_MS
    if meeting.empty_since_ms is None or not plan.empty_minutes:
        return False
    return now >= meeting.empty_since_ms + plan.empty_minutes * MINUTE_MS


def _kicked(meeting: Meeting, now: int) -> bool:
    asked = meeting.end_asked_ms
    return asked is not None and now >= asked + KICK_AFTER_MS


def _swept(meeting: Meeting, now: int) -> bool:
    asked = meeting.end_asked_ms
    return asked is not None and now >= asked + FORGET_AFTER_MS
