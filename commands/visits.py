"""What a visitor of a link meets: the values between the join service and the pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from commands.messages import Arg

LONGEST_TYPED = 80
"""Characters that may be typed as a name."""


class Door(StrEnum):
    """What a GET shows. It changes nothing and counts nothing, whoever asks."""

    PERSONAL = "personal"  # a personal or call link: one button, own name
    RECOGNISED = "recognised"  # a room link in a browser we know: one button, own name
    UNRECOGNISED = "unrecognised"  # a room link, unknown browser: how to get the personal link
    GUEST = "guest"  # a guest link, or a room link where guests are welcome: a name field
    NOT_FOUND = "not-found"  # dead, unknown, revoked, not yours: one page, byte for byte


@dataclass(frozen=True, slots=True)
class View:
    """One GET. `name` is the visitor's own (PERSONAL, RECOGNISED), else "".

    `guests` says whether a name field is offered beside the way to a personal link (UNRECOGNISED).
    `running` whether somebody is inside as far as we know, `ended_at` when the last call ended
    where none is open, `recorded` whether it is recorded, `consent` whether one has to agree to
    that, `lobby` whether a moderator may have to let the visitor in.
    `others` are other people signed in to this browser, by name, where it matters.
    """

    door: Door
    topic: str = ""
    channel: str = ""
    name: str = ""
    running: bool = False
    ended_at: datetime | None = None
    recorded: bool = False
    consent: bool = False
    lobby: bool = False
    guests: bool = False
    others: tuple[str, ...] = ()
    language: str = "en"
    back: str | None = None


@dataclass(frozen=True, slots=True)
class Go:
    """To BBB: `url` is a credential, for a 303 and nothing else. `cookie` signs the browser in."""

    url: str = field(repr=False)
    cookie: str | None = field(default=None, repr=False)


class WaitFor(StrEnum):
    START = "start"  # a guest: nobody has started yet
    SERVER = "server"  # the video server does not answer
    PLACE = "place"  # as many people are in as may be


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now; ask again. `view` is what the page goes on to show."""

    reason: WaitFor
    view: View


@dataclass(frozen=True, slots=True)
class Refused:
    """No, in words: a key of the `pages` catalogue. `field` names the form field it is about."""

    key: str
    view: View
    args: Mapping[str, Arg] = field(default_factory=dict)
    field: str | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """The one 404."""


@dataclass(frozen=True, slots=True)
class Busy:
    """One person, or everybody into one room, presses too often; `delay` until it helps again."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class ChatSilent:
    """The chat cannot be asked who may enter, so nobody does."""

    view: View


Outcome = Go | Wait | Refused | NotFound | Busy | ChatSilent


@dataclass(frozen=True, slots=True)
class Press:
    """One press of the button. `cookie` is the browser's, `name` what was typed (None: not asked).

    `remember` asks to sign this browser in, `consent` agrees to being recorded.
    """

    token: str = field(repr=False)
    cookie: str | None = field(default=None, repr=False)
    name: str | None = None
    remember: bool = False
    consent: bool = False
