"""The rooms the bot is in, by its own subscriptions, and what changes about that. Pure.

A subscription is Rocket.Chat's word for a membership. What is deleted is named by the
subscription's id only, and by no event at all when the server finds no trace of it: so the ids are
remembered, also by the store.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.chat.rocketchat.receive import PLATFORM, Place
from bot.chat.rocketchat.times import EPOCH, moment
from bot.chat.shapes import nested, text
from storage.records import Channel, Command, Kind, Person

_KINDS = ("c", "p", "d")  # not livechat
_OUTSIDE = ("INVITED", "BANNED")  # 8.x: a subscription that is no membership (yet, any more)
_TWO = 2

Document = Mapping[str, Any]


class OwnRooms:
    """Where the bot with the user id `me` is. Changes come back as WELCOME and GONE commands.

    Direct messages come and go without either.
    """

    def __init__(self, me: str) -> None:
        self._me = me
        self._places: dict[str, Place] = {}
        self._people: dict[str, int] = {}
        self._touched: set[str] = set()
        self.names: tuple[str, ...] = ()
        """What the bot is called: its username, and its name."""

    def place(self, room: str) -> Place | None:
        """What is known of a room that the bot is in."""
        return self._places.get(room)

    def all(self) -> Iterable[str]:
        """The ids of all of them."""
        return tuple(self._places)

    def needs_facts(self, room: str, kind: str | None) -> bool:
        """Whether nobody has told yet how many people are in a direct message."""
        place = self._places.get(room)
        return (place.kind if place else kind) == "d" and room not in self._people

    # --- what the server says ---------------------------------------------------------------------

    def begin_look(self) -> None:
        """A list of subscriptions is asked for: what live events say from now on is newer."""
        self._touched.clear()

    def listed(self, subscriptions: Iterable[Document], *, at: datetime) -> list[Command]:
        """All subscriptions there are; rooms of others are gone. `at`: the server's time."""
        found = [one for one in subscriptions if self._is_membership(one)]
        there = {one["rid"] for one in found} | self._touched
        gone = [self._leave(room, at) for room in self.all() if room not in there]
        came = [self._enter(one) for one in found if one["rid"] not in self._touched]
        return [command for command in (*gone, *came) if command]

    def changed(
        self, updated: Iterable[Document], removed: Iterable[str], *, at: datetime
    ) -> list[Command]:
        """Subscriptions that were made or changed, and the ids of those deleted, of late."""
        rooms = {place.subscription: room for room, place in self._places.items()}
        gone = [self._leave(rooms[one], at) for one in removed if one in rooms]
        came = [self._updated(one, at) for one in updated if one.get("rid") not in self._touched]
        return [command for command in (*gone, *came) if command]

    def happened(self, action: str, subscription: Document, *, at: datetime) -> list[Command]:
        """A live event about one subscription."""
        room = text(subscription.get("rid"))
        if room is None:
            return []
        self._touched.add(room)
        if action != "removed":
            command = self._updated(subscription, moment(subscription.get("_updatedAt")) or at)
        else:
            place = self._places.get(room)
            older = place and place.subscription not in (None, subscription.get("_id"))
            command = None if older else self._leave(room, at)
        return [command] if command else []

    def learn(self, room: Document) -> None:
        """A room document: how many people are in a direct message."""
        room_id, people = text(room.get("_id")), _people_in(room)
        if room_id is not None and room.get("t") == "d" and people is not None:
            self.count(room_id, people)

    def count(self, room: str, people: int) -> None:
        """So many are in a direct message, with the bot; 0 where nobody can say."""
        self._people[room] = people
        if place := self._places.get(room):
            self._places[room] = replace(place, direct=self._is_direct(room))

    def told_of(self, room: str, access: Document) -> Place | None:
        """A room by what came with a message; the subscription is still to come. None: not ours."""
        kind = access.get("roomType")
        if access.get("roomParticipant") is not True or kind not in _KINDS:
            return None
        return Place(room, kind, text(access.get("roomName")), self._is_direct(room))

    # --- what the store keeps ---------------------------------------------------------------------

    def memberships(self) -> dict[str, str | None]:
        """The channels and groups, each with the id of the bot's subscription."""
        return {room: one.subscription for room, one in self._places.items() if one.kind != "d"}

    def recall(self, memberships: Mapping[str, str | None]) -> None:
        """What was known when the bot went away."""
        for room, subscription in memberships.items():
            self._places[room] = Place(room, "c", subscription=subscription)

    # --- inside -----------------------------------------------------------------------------------

    def _is_membership(self, subscription: Document) -> bool:
        return (
            text(subscription.get("rid")) is not None
            and subscription.get("t") in _KINDS
            and subscription.get("status") not in _OUTSIDE
        )

    def _updated(self, subscription: Document, at: datetime) -> Command | None:
        if self._is_membership(subscription):
            return self._enter(subscription)
        room = text(subscription.get("rid"))
        return self._leave(room, at) if room in self._places else None

    def _enter(self, subscription: Document) -> Command | None:
        room, known = subscription["rid"], self._places.get(subscription["rid"])
        is_known = known is not None and known.subscription == subscription.get("_id")
        since = known.since if known and is_known else EPOCH
        if since == EPOCH:
            since = moment(subscription.get("ts")) or EPOCH
        place = Place(
            room,
            subscription["t"],
            text(subscription.get("fname")) or text(subscription.get("name")),
            self._is_direct(room),
            since,
            text(subscription.get("_id")),
        )
        self._places[room] = place
        names = [text(nested(subscription, "u", key)) for key in ("username", "name")]
        self.names = tuple(name for name in names if name) or self.names
        if place.kind == "d" or is_known:
            return None
        return self._command(Kind.WELCOME, place, since)

    def _leave(self, room: str, at: datetime) -> Command | None:
        place = self._places.pop(room, None)
        self._people.pop(room, None)
        if place is None or place.kind == "d":
            return None
        return self._command(Kind.GONE, place, at)

    def _command(self, kind: Kind, place: Place, at: datetime) -> Command:
        return Command(
            id=f"{PLATFORM}:{kind.value}:{place.room}:{place.subscription}",
            kind=kind,
            channel=Channel(PLATFORM, place.room),
            person=Person(PLATFORM, self._me),
            text="",
            origin=place.room,
            sent_at=at,
        )

    def _is_direct(self, room: str) -> bool:
        return self._people.get(room) == _TWO


def _people_in(room: Document) -> int | None:
    """How many people a direct message is of; None where the document does not say."""
    for key in ("uids", "usernames"):
        if isinstance(listed := room.get(key), list):
            return len(set(map(str, listed)))
    count = room.get("usersCount")
    return count if isinstance(count, int) else None
