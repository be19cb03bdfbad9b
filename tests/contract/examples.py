"""Records to begin with; a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from storage.records import (
    BrowserPerson,
    Card,
    Channel,
    Command,
    Kind,
    Letter,
    Link,
    LinkKind,
    Meeting,
    Person,
    Room,
    RoomKind,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TEAM = Channel("matrix", "!team:example.org")
ANA = Person("matrix", "@ana:example.org")
BO = Person("matrix", "@bo:example.org")


def command(name: str, /, **other: Any) -> Command:
    values: dict[str, Any] = {
        "kind": Kind.MESSAGE,
        "channel": TEAM,
        "person": ANA,
        "text": "start",
        "origin": f"${name}",
        "sent_at": NOW,
    }
    return Command(id=f"matrix:${name}", **values | other)


def letter(name: str, /, **other: Any) -> Letter:
    goal: dict[str, Any] = {} if "person" in other else {"channel": TEAM.id}
    values = {"platform": "matrix", "content": {"key": name}, "created_at": NOW, **goal}
    return Letter(id=name, **values | other)


def room(name: str, /, **other: Any) -> Room:
    values: dict[str, Any] = {
        "kind": RoomKind.NAMED,
        "channel": TEAM,
        "name": f"Room {name}",
        "meeting_id": f"mx-{name}",
        "owner": ANA,
        "created_at": NOW,
        "cause": f"cause-{name}",
    }
    return Room(id=f"room-{name}", **values | other)


def meeting(name: str, /, **other: Any) -> Meeting:
    values: dict[str, Any] = {
        "room": "room-1",
        "server": "bbb",
        "started_by": ANA,
        "created_at": NOW,
        "cause": f"cause-{name}",
    }
    return Meeting(id=f"meeting-{name}", **values | other)


def card(name: str, /, **other: Any) -> Card:
    values: dict[str, Any] = {
        "room": "room-1",
        "channel": TEAM,
        "content": {"shows": "open"},
        "created_at": NOW,
    }
    return Card(id=f"card-{name}", **values | other)


def link(name: str, /, **other: Any) -> Link:
    values: dict[str, Any] = {
        "kind": LinkKind.PERSONAL,
        "room": "room-1",
        "person": ANA,
        "generation": 1,
        "created_at": NOW,
    }
    return Link(hash=f"hash-{name}", **values | other)


def browser(name: str, minute: int = 0, person: Person = ANA) -> BrowserPerson:
    """Signed in so many minutes after NOW, for a day."""
    at = NOW + minute * MINUTE
    return BrowserPerson(f"browser-{name}", person, at, at + timedelta(days=1))
