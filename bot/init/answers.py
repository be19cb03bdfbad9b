"""What the five questions find out."""

from dataclasses import dataclass, field

from bot.bbb.sign import Algorithm


@dataclass(frozen=True, slots=True)
class Video:
    """The BigBlueButton server. `checksum` is the hash it takes."""

    url: str
    secret: str = field(repr=False)
    checksum: Algorithm = "sha256"


@dataclass(frozen=True, slots=True)
class Account:
    """The bot's Matrix account, as the homeserver knows the token."""

    user_id: str
    device_id: str
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answers:
    """All of it. Language and zone are this machine's, not asked for."""

    video: Video
    homeserver: str
    account: Account
    public_url: str
    admins: tuple[str, ...]
    language: str
    time_zone: str
