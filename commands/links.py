"""Link ids: derived from a key, never stored; the database keeps only their hash."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from commands.messages import LinkTo


def token(key: bytes, goal: LinkTo) -> str:
    """The id of a link: 128 bits, base64url, 22 characters.

    HMAC-SHA256 over the parts, each with its length before it so that no two goals look alike.
    """
    person = (goal.person.platform, goal.person.id) if goal.person else ("", "")
    parts = (goal.kind.value, goal.room, *person, str(goal.generation))
    data = b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
    digest = hmac.digest(key, b"bbb-bot link 1" + data, "sha256")
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def fingerprint(secret: str) -> str:
    """What the database keeps of a link id or a browser's cookie: SHA-256 as hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the addresses of links; called only at the moment a message is rendered."""

    key: bytes = field(repr=False)
    public_url: str

    def token(self, goal: LinkTo) -> str:
        return token(self.key, goal)

    def address(self, goal: LinkTo) -> str:
        return f"{self.public_url.rstrip('/')}/j/{self.token(goal)}"


def pseudonym(key: bytes, platform: str, person_id: str) -> str:
    """What BBB knows of a person instead of their id: stable, and not to be guessed from it."""
    digest = hmac.digest(key, f"bbb-bot person 1|{platform}|{person_id}".encode(), "sha256")
    return "p-" + base64.urlsafe_b64encode(digest[:15]).decode()
