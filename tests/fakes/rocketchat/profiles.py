"""What differs between the Rocket.Chats that are imitated; everything else is the same code.

monolith-6 and 9.0 are the one-process form of the server, streamer-6.14 and 8.x the one with a
realtime service of its own. Frames were seen from the streamer of 6.14 only; the monolith's and
those after 6.14 are read from source and documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Seconds of silence until a ping, then until the close; `early`: a ping to a mute newcomer."""

    ping: float
    close: float
    early: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of server.

    `streamer`: broken protocol is answered with a close code, not with `{"msg": "error"}`; it takes
    logins with `resume` only, and notices nothing when a token goes.
    """

    name: str
    version: tuple[int, int, int]
    streamer: bool
    greeting: dict[str, str] | None
    heartbeat: Heartbeat
    updated_first: bool
    """Whether `updated` comes before the result of a method."""
    token_expires: Literal["absent", "null"]
    """How the result of a login with a personal access token says that it lasts for ever."""
    error_bodies: Literal["6", "7", "9"]
    """The generation of the error bodies."""
    settings_filter: bool
    """Whether settings.public heeds `_id`."""
    checks_bodies: bool
    """Whether chat.postMessage refuses what it does not know."""

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="monolith-6",
            version=(6, 13, 1),
            streamer=False,
            greeting=None,
            heartbeat=Heartbeat(ping=15.0, close=15.0),
            updated_first=True,
            token_expires="absent",
            error_bodies="6",
            settings_filter=False,
            checks_bodies=False,
        ),
        Profile(
            name="streamer-6.14",
            version=(6, 14, 0),
            streamer=True,
            greeting={"server_id": "0"},
            heartbeat=Heartbeat(ping=30.0, close=30.0, early=0.03),
            updated_first=False,
            token_expires="absent",
            error_bodies="6",
            settings_filter=False,
            checks_bodies=False,
        ),
        Profile(
            name="8.x",
            version=(8, 8, 1),
            streamer=True,
            greeting={"msg": "server_id", "server_id": "0"},
            heartbeat=Heartbeat(ping=30.0, close=30.0, early=0.03),
            updated_first=False,
            token_expires="absent",
            error_bodies="7",
            settings_filter=True,
            checks_bodies=True,
        ),
        Profile(
            name="9.0",
            version=(9, 0, 0),
            streamer=False,
            greeting=None,
            heartbeat=Heartbeat(ping=15.0, close=15.0),
            updated_first=True,
            token_expires="null",
            error_bodies="9",
            settings_filter=True,
            checks_bodies=True,
        ),
    )
}
