"""What the five questions find out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.bbb.sign import Algorithm


@dataclass(frozen=True, slots=True)
class Video:
    """The BigBlueButton server. `checksum` is the hash it takes."""

    url: str
    secret: str = field(repr=False)
    checksum: Algorithm = "sha256"


@dataclass(frozen=True, slots=True)
class Chats:
    """Where the chats are: the API of the homeserver, the address of the workspace, or both."""

    homeserver: str | None = None
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The bot's Matrix account, as the homeserver knows the token."""

    user_id: str
    device_id: str
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The homeserver's API, and the account there."""

    homeserver: str
    account: Account


@dataclass(frozen=True, slots=True)
class Member:
    """The bot's Rocket.Chat account, as the workspace knows the token."""

    user_id: str
    username: str
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RocketChat:
    """The workspace, and the account there."""

    url: str
    account: Member


@dataclass(frozen=True, slots=True)
class Admins:
    """Matrix ids; in Rocket.Chat, user names by the ids behind them."""

    matrix: tuple[str, ...] = ()
    rocketchat: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """All of it, with one chat at least. Language and zone are this machine's, not asked for."""

    video: Video
    matrix: Matrix | None
    rocketchat: RocketChat | None
    public_url: str
    admins: Admins
    language: str
    time_zone: str
