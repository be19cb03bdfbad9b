"""What the core needs of the world: chats, BBB servers, words, a clock. `bot` provides it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from commands.messages import Document
from storage.records import Channel, Person

Clock = Callable[[], datetime]
"""Gives the present, aware, in UTC."""

Randomness = Callable[[int], bytes]
"""Gives so many unpredictable bytes (`secrets.token_bytes`)."""


# --- chats -------------------------------------------------------------------


class Membership(StrEnum):
    JOINED = "joined"
    LEFT = "left"  # or never there
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may do in a channel now, as the chat itself says."""

    membership: Membership
    admin: bool = False

    @property
    def member(self) -> bool:
        return self.membership is Membership.JOINED


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out. `id` is deterministic: the same id twice is one message there.

    `decided_at`: since when it may have been tried; a chat that knows ids only for a while looks
    whether an old one is there already.
    """

    id: str
    channel: str
    document: Document
    reply_to: str | None = None
    thread: str | None = None
    decided_at: datetime | None = None


class Chat(Protocol):
    """One platform. All methods raise ChatUnavailable when the chat cannot be asked now."""

    platform: str

    async def send(self, message: Outgoing) -> str:
        """Post; give the chat's own id of it. The same `message.id` again posts nothing new.

        Raises ChatBusy, ChatRefused (for good: drop it).
        """

    async def edit(self, ref: str, message: Outgoing) -> None:
        """Replace what `ref` shows. Raises ChatBusy, ChatRefused."""

    async def react(self, channel: str, ref: str, key: str) -> None:
        """Put a reaction on a message; best effort, never raises ChatTrouble."""

    async def rights_of(self, person: Person, channel: Channel) -> Rights:
        """Asked of the chat (or a list of 10 s). Raises ChatUnavailable: then nobody gets in."""

    async def open_dm(self, person: Person) -> str:
        """The direct channel with exactly this person, made if need be.

        Raises NotThereYet until the person has joined it, DirectRefused when it cannot be had.
        """

    async def is_dm(self, channel: str) -> bool:
        """Whether this is, now, a direct channel of the bot and one other person."""

    async def display_name(self, person: Person) -> str | None:
        """The person's own name as the chat shows it, uncleaned; None where there is none."""

    async def find_person(self, word: str, channel: Channel) -> Person | None:
        """Whom a typed word (`@ana:example.org`, `@ana`) means, or None."""

    async def topic_of(self, channel: Channel) -> str | None:
        """The channel's name, uncleaned; None where there is none."""

    async def language_of(self, channel: Channel) -> str | None:
        """The language the platform gives for a channel (`en`, `fr`, `de`), or None."""

    def web_address(self, channel: Channel) -> str | None:
        """An https address that opens this channel in a client, or None."""

    async def shared_channels(self, one: Person, other: Person) -> bool:
        """Whether both people are in a channel the bot is in too."""


# --- BBB servers -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MeetingPlan:
    """What a new meeting shall be. `duration` None is unlimited; `locks` as in commands.options."""

    meeting_id: str
    name: str
    record: bool = False
    auto_start_recording: bool = False
    allow_start_stop_recording: bool = True
    max_participants: int | None = None
    duration: timedelta | None = None
    lobby: bool = False
    mute_on_start: bool = False
    welcome: str = ""
    logout_url: str = ""
    disable_private_chat: bool = False
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreatedMeeting:
    """`create_time` in epoch milliseconds, as BBB gives it. `duplicate`: it was there before."""

    meeting_id: str
    internal_id: str
    create_time: int
    duplicate: bool
    has_user_joined: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """How one person joins. `user_id` is a keyed pseudonym.
    `guest`: the lobby's rule applies to them.
    """

    meeting_id: str
    name: str
    moderator: bool
    create_time: int
    user_id: str
    guest: bool = False


@dataclass(frozen=True, slots=True)
class Attendee:
    user_id: str
    name: str
    moderator: bool


@dataclass(frozen=True, slots=True)
class MeetingInfo:
    """What getMeetingInfo says. Times as aware UTC; `recording` means "record enabled"."""

    meeting_id: str
    internal_id: str
    create_time: int
    name: str
    running: bool
    has_user_joined: bool
    forcibly_ended: bool
    recording: bool
    participants: int
    moderators: int
    attendees: tuple[Attendee, ...] = ()
    started_at: datetime | None = None

    @property
    def people(self) -> int:
        """Different people inside: `participants` counts sessions, and BBB's limit people."""
        return len({attendee.user_id for attendee in self.attendees}) or self.participants

    @property
    def moderating(self) -> int:
        """Different people inside who moderate: `moderators` counts sessions."""
        inside = {attendee.user_id for attendee in self.attendees if attendee.moderator}
        return len(inside) or self.moderators


class MeetingServers(Protocol):
    """The BBB servers. Calls raise the ServerTrouble family in time, and at once where a server
    has not answered for a while.
    """

    def choose(self) -> str:
        """The server for a new meeting, by name."""

    def names(self) -> Sequence[str]: ...

    def healthy(self) -> bool:
        """Whether the last question to the server for new meetings was answered."""

    def within(self, seconds: float) -> "MeetingServers":
        """The same servers for somebody who waits: all their calls together end within so long."""

    async def try_again(self) -> bool:
        """Ask servers that were left alone long enough whether they are back. Always False: there
        is nothing more to do at once.
        """

    def origins(self) -> Sequence[str]:
        """`https://host[:port]` of every server people may be sent to."""

    async def create(self, server: str, plan: MeetingPlan) -> CreatedMeeting:
        """The same plan again gives the running meeting. Raises trouble, maybe `in_doubt`."""

    def join_url(self, server: str, seat: Seat) -> str:
        """A signed address, a bearer credential: to be put into a 303 and nowhere else."""

    async def info(self, server: str, meeting_id: str) -> MeetingInfo | None:
        """What runs under this id, or None."""

    async def end(self, server: str, meeting_id: str) -> None:
        """Ask for the end; a meeting that is not there is done."""

    async def say(self, server: str, meeting_id: str, text: str) -> None:
        """Say something (1 to 500 characters) in the meeting's chat.
        Raises NoSuchMeeting when nobody is in.
        """


# --- settings the core needs -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pace:
    """What a chat lets one account send: `rate` events a second, `burst` at once."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    commands_per_person: int = 10  # a minute
    commands_per_channel: int = 30  # a minute
    creates_per_person: int = 5  # an hour: create, call
    invitations_per_person: int = 20  # an hour: call, invite
    max_participants: int = 500
    max_duration: timedelta = timedelta(hours=5)
    rooms_per_channel: int = 20
    joins_per_person: int = 20  # a minute
    joins_per_room: int = 600  # a minute: a lecture begins


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration decides for the core."""

    public_url: str
    prefixes: tuple[str, ...] = ("!bbb",)
    language: str = "en"
    time_zone: str = "UTC"
    admins: frozenset[Person] = frozenset()
    record: str = "off"  # off | on | auto | fixed
    lobby: bool = False
    moderators: str = "admins"  # admins | everyone | creator
    guests: str = "off"  # off | lobby | on
    consent: str = "everyone"  # everyone | guests | off: who agrees to being recorded
    max_participants: int | None = None
    welcome: str = ""
    logout_url: str = ""
    look_every: timedelta = timedelta(seconds=30)
    edit_every: timedelta = timedelta(seconds=15)  # a card, at most
    limits: Limits = field(default_factory=Limits)
    paces: Mapping[str, Pace] = field(default_factory=dict)  # by platform; none: no limit
