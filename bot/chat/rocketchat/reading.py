"""Documents and memberships on their way into the inbox: read, and kept with the position."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.chat.base import Intake
from bot.chat.rocketchat.catchup import CatchUp, Changes, changed_at
from bot.chat.rocketchat.ddp.events import Event, MessageSeen, SubscriptionChanged
from bot.chat.rocketchat.keeping import Keeper
from bot.chat.rocketchat.lookups import Lookups
from bot.chat.rocketchat.position import OVERLAP, Position
from bot.chat.rocketchat.presses import Card, card_of, command_of, merged, presses
from bot.chat.rocketchat.receive import PLATFORM, Place, Reader, room_of
from bot.chat.rocketchat.robots import Robots
from bot.chat.rocketchat.rooms import OwnRooms
from bot.chat.rocketchat.times import EPOCH, moment
from bot.chat.shapes import mapping
from commands.errors import ChatRefused, ChatTrouble
from storage.records import Channel, Command

log = logging.getLogger(__name__)

_CHUNK = 200
_STRAYS = 3
_FEW = 30
_FRESH_CARD = timedelta(minutes=10)
_WATCHED_CARD = timedelta(days=1)
_MOMENT = timedelta(seconds=1)
Document = Mapping[str, Any]


@dataclass(slots=True)
class Batch:
    """What was read so far of what is kept together."""

    position: Position
    commands: list[Command] = field(default_factory=list)
    unreadable: list[tuple[Channel, str]] = field(default_factory=list)
    is_whole: bool = True
    is_urgent: bool = False


class Reading:
    """Takes what was heard and what was asked, one after the other.

    After a StoreError the same may be read again; all methods raise it. Those that give whether all
    could be read leave out what could not, because the chat could not be asked about it: a later
    look finds it.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        reader: Reader,
        rooms: OwnRooms,
        catchup: CatchUp,
        lookups: Lookups,
    ) -> None:
        self._intake = intake
        self._keeper = Keeper(intake, rooms)
        self._reader = reader
        self._rooms = rooms
        self._catchup = catchup
        self._lookups = lookups
        self._robots = Robots(lookups)
        self._lock = asyncio.Lock()
        self._changed: dict[str, datetime] = {}
        self._read: dict[str, datetime] = {}
        self._barred: set[str] = set()
        self._strays: list[datetime] = []

    @property
    def position(self) -> Position:
        """How far the bot has read."""
        return self._keeper.position

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever read."""
        return self._keeper.is_new

    async def load(self) -> None:
        """What the store knows. Without any of it everything there is now is history."""
        await self._keeper.load()

    async def finish(self) -> None:
        """Let what is being read be kept."""
        async with self._lock:
            pass

    # --- asked ------------------------------------------------------------------------------------

    async def changes(self, found: Changes) -> None:
        """Memberships, and which rooms to ask. Their order is that of the server's list."""
        async with self._lock:
            for room in found.rooms:
                self._rooms.learn(room)
            new = self._take_memberships(found)
            if self.is_new:
                newest = await self._newest(found)
                position = Position(newest, began=newest, cards_read=newest)
            else:
                since = self._to_ask(found, new)
                position = self.position.looked(found.newest, since, complete=found.complete)
            await self._keeper.keep(position.only(self._rooms.all()))

    async def _newest(self, found: Changes) -> datetime:
        """When the history ends. A room may have been silent about what was said in it."""
        newest = [found.newest]
        for room in tuple(self._rooms.all())[:_FEW]:
            if place := self._rooms.place(room):
                try:
                    documents = await self._catchup.messages(place, found.newest)
                except ChatRefused:
                    continue
                except ChatTrouble:  # asked too much: what is known must do
                    break
                newest += [changed_at(document) for document in documents]
        return max(newest)

    def _take_memberships(self, found: Changes) -> set[str]:
        """The rooms the bot has come into."""
        known, at = set(self._rooms.all()), max(found.newest, self.position.base)
        if found.complete:
            commands = self._rooms.listed(found.subscriptions, at=at)
        else:
            commands = self._rooms.changed(found.subscriptions, found.removed, at=at)
        self._keeper.tell(commands)
        return set(self._rooms.all()) - known

    def _to_ask(self, found: Changes, new: set[str]) -> dict[str, datetime]:
        """Rooms in which something may be new, and since when.

        A reaction to a message that is not the last one changes no room: those with cards are
        asked too, by a complete look or soon after they came. A room that has not changed since it
        was read is asked again only now and then: by a complete look, where the rooms are few.
        Then nothing depends on how well the server tells what has changed.
        """
        base = self.position.base
        if found.complete:
            self._barred.clear()
            self._read = {r: at for r, at in self._read.items() if self._rooms.place(r)}
        self._changed = {str(room.get("_id")): changed_at(room) for room in found.rooms}
        since = {
            room: base
            for room, changed in self._changed.items()
            if found.complete or changed > self._read.get(room, EPOCH)
        }
        age = _WATCHED_CARD if found.complete else _FRESH_CARD
        read = self.position.cards_read if found.complete else base
        cards = self.position.cards.values()
        since |= {card.room: min(read, base) for card in cards if card.seen > base - age}
        if found.complete and len(rooms := tuple(self._rooms.all())) <= _FEW:
            since |= {room: base for room in rooms if room not in since}
        for room in new:
            if place := self._rooms.place(room):
                since[room] = min(base, place.since)
        return since

    async def catch_up(self, room: str) -> bool:
        """Ask a room that is behind for what is new. Raises ChatTrouble.

        One that the bot may not read stays behind, and is asked again after the next complete list.
        """
        since = self.position.behind.get(room)
        if since is None or room in self._barred:
            return True
        await self._ask_facts(room)
        place = self._rooms.place(room)
        if place is None:
            return True
        changed = self._changed.get(room)
        start = max(since - OVERLAP, place.since - _MOMENT)
        try:
            documents = await self._catchup.messages(place, start)
        except ChatRefused as error:
            log.info("a room is closed to us: %s", error, extra={"action": "room_closed"})
            self._barred.add(room)
            return True
        for n in range(0, len(documents), _CHUNK):
            if not await self._asked(documents[n : n + _CHUNK], place, since):
                return False
            await asyncio.sleep(0)
        async with self._lock:
            await self._keeper.keep(self.position.asked(room))
        if changed:
            self._read[room] = changed
        return True

    async def _asked(self, documents: Sequence[Document], place: Place, since: datetime) -> bool:
        async with self._lock:
            batch = Batch(self.position)
            for document in documents:
                await self._take(document, place, batch, since=since)
            return await self._finish(batch)

    # --- heard ------------------------------------------------------------------------------------

    async def heard(self, events: Sequence[Event]) -> bool:
        """Live events, in their order."""
        async with self._lock:
            batch = Batch(self.position)
            for event in events:
                match event:
                    case SubscriptionChanged():
                        at = self.position.base
                        self._keeper.tell(
                            self._rooms.happened(event.action, event.subscription, at=at)
                        )
                    case MessageSeen():
                        await self._take_live(event, batch)
            return await self._finish(batch)

    async def _take_live(self, event: MessageSeen, batch: Batch) -> None:
        room = room_of(event.document, event.access, event.event_name)
        place = room and await self._place(room, mapping(event.access), batch)
        if place:
            self._doubt_the_clock(event.document, batch)
            await self._take(event.document, place, batch, since=batch.position.base)

    def _doubt_the_clock(self, document: Document, batch: Batch) -> None:
        """What changes now is new: several from long before the base, and it is the base that lies.

        Nothing would be new until the server's clock has come to where it once was.
        """
        when = moment(document.get("_updatedAt"))
        if when is None:
            return
        if when >= batch.position.base - OVERLAP:
            self._strays.clear()
            return
        self._strays.append(when)
        if len(self._strays) >= _STRAYS:
            batch.position = batch.position.back_to(min(self._strays))
            batch.is_whole = False
            self._strays.clear()

    async def _place(self, room: str, access: Document, batch: Batch) -> Place | None:
        """A room of the bot; of one it has heard nothing of yet, what came with the message."""
        try:
            await self._ask_facts(room, access.get("roomType"))
        except ChatTrouble:
            batch.is_whole = False
            return None
        return self._rooms.place(room) or self._rooms.told_of(room, access)

    async def _ask_facts(self, room: str, kind: str | None = None) -> None:
        """How many are in a direct message, where nobody has told yet. Raises ChatTrouble."""
        if self._rooms.needs_facts(room, kind):
            found = await self._lookups.room(room)
            self._rooms.count(room, len(found.people) if found else 0)

    # --- read -------------------------------------------------------------------------------------

    async def _take(
        self, document: Document, place: Place, batch: Batch, *, since: datetime
    ) -> None:
        """Read a document; one that cannot be read stops none of the others."""
        try:
            await self._read_into(batch, document, place, after=batch.position.after(since))
        except ChatTrouble as error:
            batch.is_whole = False
            log.warning("a message waits: %s", error, extra={"action": "message_waits"})
        except Exception:
            fields = {"action": "message_not_read", "room": place.room}
            log.exception("message not read", extra=fields)

    async def _read_into(
        self, batch: Batch, document: Document, place: Place, *, after: datetime
    ) -> None:
        if card := card_of(document, me=self._reader.me, names=self._rooms.names):
            await self._press(batch, document, card, place)
        elif self._reader.is_unreadable(document, place, after=after):
            batch.unreadable.append((Channel(PLATFORM, place.room), document["_id"]))
        elif command := self._reader.command(document, place, after=after, names=self._rooms.names):
            if not await self._robots.has(command.person.id):
                batch.commands.append(command)

    async def _press(self, batch: Batch, document: Document, card: Card, place: Place) -> None:
        """Presses of a card; who had pressed one that was forgotten, or is history, is not new."""
        card_id, before = document["_id"], batch.position.cards.get(document["_id"])
        written_at = moment(document.get("ts")) or EPOCH
        commands = []
        if before is not None or written_at > batch.position.silent_until:
            for press in presses(before, card):
                person = await self._lookups.named(press.username)
                if person is None or person.id == self._reader.me:
                    continue
                if person.active and not person.robot:
                    commands.append(command_of(press, card_id, card, place, person.id))
        now = merged(before, card)
        if before is None or now != before:
            batch.position = batch.position.remembering(card_id, now)
        batch.commands += commands
        batch.is_urgent |= now.pressed != (before.pressed if before else {})

    async def _finish(self, batch: Batch) -> bool:
        await self._keeper.keep(batch.position, batch.commands, urgent=batch.is_urgent)
        for channel, ref in batch.unreadable:
            await self._intake.unreadable(channel, ref)
        return batch.is_whole
