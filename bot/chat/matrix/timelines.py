"""What happened in a room, read from its events. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from bot.chat.matrix.receive import PLATFORM, moment
from bot.chat.shapes import mapping
from storage.records import Channel, Command, Kind, Person

Event = Mapping[str, Any]
AnyEvent = TypeVar("AnyEvent", bound=Event)


def is_membership(event: Event, *states: str) -> bool:
    """Whether this says that somebody is now in one of these states (`join`, `leave` ...)."""
    if event.get("type") != "m.room.member" or not isinstance(event.get("state_key"), str):
        return False
    membership: str | None = mapping(event.get("content")).get("membership")
    return membership in states


def came_in(event: Event) -> bool:
    """Whether somebody joined by this, who was not in before (a new name is a join as well)."""
    if not is_membership(event, "join"):
        return False
    unsigned = mapping(event.get("unsigned"))
    if "prev_content" in unsigned:
        return _state_before(event) != "join"
    return "replaces_state" not in unsigned


def since_own_join(events: Sequence[AnyEvent], me: str) -> Sequence[AnyEvent]:
    """The events from the bot's own last join on; what people said before is not for it."""
    joins = [n for n, event in enumerate(events) if is_own_join(event, me)]
    return events[joins[-1] :] if joins else events


def joined_in(events: Sequence[Event], me: str) -> bool:
    """Whether the bot came into the room within these events."""
    return any(is_own_join(event, me) for event in events)


def arrivals(events: Sequence[Event], me: str) -> Iterator[str]:
    """The other people who came into the room."""
    return (event["state_key"] for event in events if came_in(event) and event["state_key"] != me)


def somebody_left(events: Sequence[Event]) -> bool:
    """Whether anybody went, or was made to go."""
    return any(is_membership(event, "leave", "ban") for event in events)


def is_own_join(event: Event, me: str) -> bool:
    """Whether the bot came into the room by this."""
    return came_in(event) and event["state_key"] == me


def welcome(
    event: Event, *, room: str, me: str, direct: bool, replaces: str | None = None
) -> Command | None:
    """The bot's own join, as the core hears of it; the person is the inviter.

    Without an invitation it is heard of only for a room that `replaces` another.
    """
    if not is_own_join(event, me) or (_state_before(event) != "invite" and replaces is None):
        return None
    inviter = mapping(event.get("unsigned")).get("prev_sender")
    who = inviter if isinstance(inviter, str) else me
    return _change(event, Kind.WELCOME, room=room, who=who, direct=direct, target=replaces)


def closed(tombstone: Event, *, room: str, to: str) -> Command | None:
    """A room's end in favour of another one; the person is who did it."""
    return _change(tombstone, Kind.GONE, room=room, who=_sender(tombstone), target=to)


def replaced(tombstone: Event, *, old: str, room: str) -> Command | None:
    """A room that the bot is in already has taken the place of another just now."""
    return _change(tombstone, Kind.WELCOME, room=room, who=_sender(tombstone), target=old)


def gone(events: Sequence[Event], *, room: str, me: str) -> Command | None:
    """The bot's way out of a room; None for an invitation that ended. The person is who did it."""
    own = [
        event
        for event in events
        if is_membership(event, "leave", "ban") and event["state_key"] == me
    ]
    if not own or _state_before(own[-1]) == "invite":
        return None
    return _change(own[-1], Kind.GONE, room=room, who=_sender(own[-1]))


def _change(
    event: Event,
    kind: Kind,
    *,
    room: str,
    who: str,
    direct: bool = False,
    target: str | None = None,
) -> Command | None:
    event_id, sent_at = event.get("event_id"), moment(event.get("origin_server_ts"))
    if not isinstance(event_id, str) or sent_at is None:
        return None
    return Command(
        id=f"{PLATFORM}:{kind.value}:{room}:{event_id}",
        kind=kind,
        channel=Channel(PLATFORM, room),
        person=Person(PLATFORM, who),
        text="",
        origin=event_id,
        sent_at=sent_at,
        direct=direct,
        target=target,
    )


def _sender(event: Event) -> str:
    return str(event.get("sender", ""))


def _state_before(event: Event) -> str | None:
    before = mapping(mapping(event.get("unsigned")).get("prev_content"))
    state: str | None = before.get("membership")
    return state
