"""The rows the bot keeps, as frozen values; times are aware UTC datetimes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a platform, by the platform's own id (`@ana:example.org`), not by a name."""

    platform: str
    id: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One Matrix room, or one Rocket.Chat channel, group or direct message."""

    platform: str
    id: str


class Kind(StrEnum):
    """What reached the inbox."""

    MESSAGE = "message"
    REACTION = "reaction"
    WELCOME = "welcome"  # the bot came into a channel; `target`: the one it takes the place of
    GONE = "gone"  # the bot was removed from a channel; or `target` took its place


@dataclass(frozen=True, slots=True)
class Command:
    """One thing somebody asked for, as it stands in the inbox.

    `id` is `platform:event id`, unique for ever; it is the *cause* of everything the command
    changes. `text` is the command line without prefix or mention (first line only), or the key of a
    reaction. `target` is the message a reaction stands on. `thread` is the thread the command was
    typed in. `origin` is the platform's own id of the message, to reply to. `attempts` counts how
    often it was begun.
    """

    id: str
    kind: Kind
    channel: Channel
    person: Person
    text: str
    origin: str
    sent_at: datetime
    direct: bool = False
    thread: str | None = None
    target: str | None = None
    attempts: int = 0


class OutboxState(StrEnum):
    DUE = "due"
    SENT = "sent"
    DEAD = "dead"


class Priority:
    """Smaller goes first. Only an answer was asked for by somebody who waits for it now."""

    ANSWER = 0
    CARD = 1
    NOTICE = 2


class DeadReason(StrEnum):
    """Why a letter was given up."""

    REFUSED = "refused"  # the chat said no for good
    FAILED = "failed"  # the chat broke on the same content again and again
    UNOPENED = "unopened"  # the person never opened the direct message
    UNREADABLE = "unreadable"  # what is stored cannot be read or put into words


@dataclass(frozen=True, slots=True)
class Letter:
    """A message decided but not yet accepted by the chat.

    `id` is deterministic and becomes the Matrix transaction id or the Rocket.Chat `_id`.
    Exactly one of `channel` and `person` is the goal: a letter to a person goes by direct message.
    `content` is `commands.messages.Message` as JSON (keys and arguments, no text, no links).
    `fallback` is said in `fallback_channel` when the person cannot be written to; `reply_to` and
    `thread` of a letter to a person are meant for it.
    `attempts` counts the tries that failed, `failures` those on which the chat itself broke.
    """

    id: str
    platform: str
    content: Json
    created_at: datetime
    channel: str | None = None
    person: str | None = None
    reply_to: str | None = None
    thread: str | None = None
    priority: int = Priority.ANSWER
    card: str | None = None
    fallback: Json | None = None
    fallback_channel: str | None = None
    state: OutboxState = OutboxState.DUE
    attempts: int = 0
    failures: int = 0
    next_try_at: datetime | None = None
    error: str = ""
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A letter given up, as its admins see it. `number` is the same as long as it is kept.

    `content` is the letter's, {} where it cannot be read. `error` is what the chat said, a status
    and a code at most.
    """

    number: int
    id: str
    platform: str
    channel: str | None
    person: str | None
    card: str | None
    priority: int
    content: Json
    reason: DeadReason
    error: str
    created_at: datetime
    dead_at: datetime


class RoomKind(StrEnum):
    DEFAULT = "default"  # the one every channel has
    NAMED = "named"
    PERSONAL = "personal"
    CALL = "call"  # private, made for named people


@dataclass(frozen=True, slots=True)
class Room:
    """A place to meet; it lasts. `meeting_id` is the immutable random id given to BBB.

    A personal room or a call has the channel it was asked in (or the direct message) for its
    answers. `generation` counts resets of the room link. `options` holds `commands.options.Options`
    as JSON.
    """

    id: str
    kind: RoomKind
    channel: Channel
    name: str
    meeting_id: str
    owner: Person
    created_at: datetime
    cause: str
    options: Json = field(default_factory=dict)
    generation: int = 1
    deleted_at: datetime | None = None
    deleted_cause: str | None = None


class MeetingState(StrEnum):
    PLANNED = "planned"  # written down before BBB is asked
    OPEN = "open"  # exists at BBB, nobody seen inside yet
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Meeting:
    """One run of a room on a BBB server; `create_time` is BBB's, in milliseconds."""

    id: str
    room: str
    server: str
    started_by: Person
    created_at: datetime
    cause: str
    card: str | None = None
    topic: str = ""
    options: Json = field(default_factory=dict)
    state: MeetingState = MeetingState.PLANNED
    internal_id: str = ""
    create_time: int = 0
    joined_at: datetime | None = None
    ended_at: datetime | None = None
    present: int = 0
    peak: int = 0
    next_look_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A message in a channel that follows a call. `content` is what it should show now.

    `revision` counts what was wanted, `shown` what the chat has accepted; `ref` is the message's id
    there, None until it was posted.
    """

    id: str
    room: str
    channel: Channel
    content: Json
    created_at: datetime
    revision: int = 1
    shown: int = 0
    ref: str | None = None
    edit_at: datetime | None = None
    attempts: int = 0


class LinkKind(StrEnum):
    ROOM = "room"
    PERSONAL = "personal"
    CALL = "call"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Link:
    """An address at our gateway, kept as the SHA-256 (hex) of its id; `person` None: anybody."""

    hash: str
    kind: LinkKind
    room: str
    person: Person | None
    generation: int
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BrowserPerson:
    """One person signed in to one browser; `browser` is the SHA-256 (hex) of its cookie."""

    browser: str
    person: Person
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """What the bot knows of a channel. `settings` are the channel's own (`language`, `guests` ...).

    `left_at`: since when the bot is not in it. `moved_to`: the channel that took its place.
    """

    channel: Channel
    direct: bool = False
    settings: Json = field(default_factory=dict)
    left_at: datetime | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What the bot keeps of a person; all of it goes with `forget-me`."""

    person: Person
    language: str | None = None
    pseudonym: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """ "Say it again with `sure`": who was asked what, until when. `subject` names the thing."""

    person: Person
    verb: str
    subject: str
    expires_at: datetime
    taken_by: str | None = None
