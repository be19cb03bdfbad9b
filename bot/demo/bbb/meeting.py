"""What the simulated server remembers: plans, meetings and the people in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

GUEST_POLICIES = ("ALWAYS_ACCEPT", "ALWAYS_DENY", "ASK_MODERATOR", "ALWAYS_ACCEPT_AUTH")


class Presence(StrEnum):
    """Where somebody is who was answered with a session."""

    EXPECTED = "expected"
    """The join was answered; the browser has not opened the client yet."""
    WAITING = "waiting"
    DENIED = "denied"
    INSIDE = "inside"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Document:
    """A slide deck that was accepted. `source` is its address, or "inline"."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Breakout:
    """What makes a meeting a breakout room of another."""

    parent_id: str
    sequence: int
    free_join: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of `create` that matter here. A password is None where none was sent."""

    meeting_id: str
    name: str
    attendee_password: str | None = field(default=None, repr=False)
    moderator_password: str | None = field(default=None, repr=False)
    voice_bridge: str | None = None
    dial_number: str = "613-555-1234"
    max_participants: int = 0
    duration_minutes: int = 0
    record: bool = False
    guest_policy: str = "ALWAYS_ACCEPT"
    logout_url: str = ""
    disabled_features: frozenset[str] = frozenset()
    unjoined_minutes: int = 5
    empty_minutes: int = 1
    """0: never ends because it is empty."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    breakout: Breakout | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """The parameters of `join` that matter here, the role already decided."""

    name: str
    moderator: bool
    user_id: str = ""
    guest: bool = False
    authenticated: bool = True
    logout_url: str = ""
    custom_data: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Attendee:
    """One session of one person. `user_id` is the caller's, else it is the `internal_id`."""

    internal_id: str
    user_id: str
    wish: Wish
    presence: Presence
    session_token: str = field(repr=False)
    cookie: str = field(repr=False)
    since_ms: int
    """When the presence last changed."""

    @property
    def name(self) -> str:
        """As it was asked for."""
        return self.wish.name

    @property
    def moderator(self) -> bool:
        """Whether this is a moderator, not a viewer."""
        return self.wish.moderator

    @property
    def role(self) -> str:
        """MODERATOR or VIEWER."""
        return "MODERATOR" if self.wish.moderator else "VIEWER"

    @property
    def role_in_words(self) -> str:
        """How the pages say it: moderator, guest or viewer."""
        if self.wish.moderator:
            return "moderator"
        return "guest" if self.wish.guest else "viewer"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A line of a meeting's public chat."""

    author: str
    text: str


@dataclass(slots=True)
class Meeting:
    """One run, from create until it is forgotten."""

    plan: Plan
    internal_id: str
    created_ms: int
    voice_bridge: str
    attendee_password: str = field(repr=False)
    moderator_password: str = field(repr=False)
    attendees: list[Attendee] = field(default_factory=list)
    messages: list[ChatMessage] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    breakouts: list[str] = field(default_factory=list)
    """Internal ids."""
    was_joined: bool = False
    empty_since_ms: int | None = None
    end_asked_ms: int | None = None
    forcibly_ended: bool = False
    forgotten: bool = False

    @property
    def meeting_id(self) -> str:
        """The caller's id."""
        return self.plan.meeting_id

    @property
    def is_over(self) -> bool:
        """Whether somebody inside would be told that it has ended."""
        return self.forgotten or self.forcibly_ended or self.end_asked_ms is not None

    @property
    def inside(self) -> list[Attendee]:
        """Who is in it, in the order of joining."""
        return [one for one in self.attendees if one.presence is Presence.INSIDE]

    @property
    def waiting(self) -> list[Attendee]:
        """Who is in the lobby."""
        return [one for one in self.attendees if one.presence is Presence.WAITING]
