"""A sync answer on its way into the inbox: decrypt, fill gaps, read, keep in one commit, act."""

import logging
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence

from bot.chat.background import Background
from bot.chat.base import Intake
from bot.chat.matrix.authors import Authors
from bot.chat.matrix.client import Client
from bot.chat.matrix.direct import DirectRooms
from bot.chat.matrix.doors import Doors
from bot.chat.matrix.gaps import events_between
from bot.chat.matrix.invites import Invites, invites_in, server_of
from bot.chat.matrix.keys import Keys
from bot.chat.matrix.late import LateKeys
from bot.chat.matrix.lean import restored
from bot.chat.matrix.receive import PLATFORM, Place, Reader
from bot.chat.matrix.timelines import (
    arrivals,
    closed,
    gone,
    is_own_join,
    joined_in,
    replaced,
    since_own_join,
    somebody_left,
    welcome,
)
from bot.chat.matrix.upgrades import Upgrades, replacement
from bot.chat.shapes import Json
from storage.records import Channel, Command, Kind, Person

log = logging.getLogger(__name__)

KEEP_SECONDS = 5.0
"""How often a position without commands is kept: to read idle talk again is harmless."""

Timelines = dict[str, Sequence[Json]]
"""The new events of each joined room, gaps filled, decrypted, oldest first."""

LateEvents = Sequence[tuple[str, Json]]
"""Room and event, each read only now that its key has come."""


class Inflow:
    """Takes sync answers, one after the other."""

    def __init__(
        self,
        client: Client,
        *,
        intake: Intake,
        reader: Reader,
        keys: Keys,
        direct: DirectRooms,
        doors: Doors,
        invites: Invites,
        upgrades: Upgrades,
        authors: Authors,
        late: LateKeys,
        background: Background,
    ) -> None:
        self._client = client
        self._intake = intake
        self._reader = reader
        self._keys = keys
        self._direct = direct
        self._doors = doors
        self._invites = invites
        self._upgrades = upgrades
        self._authors = authors
        self._late = late
        self._background = background
        self._kept_at = -math.inf

    async def take(self, answer: Json, since: str | None) -> None:
        """Keep what an answer asks of the bot, together with its position.

        The very first answer (`since` None) is history: nothing of it is carried out. Raises
        whatever went wrong; then nothing was kept, and the same answer may be taken again.
        """
        invites = list(invites_in(answer, self._client.user_id))
        self._read_direct_list(answer)
        read = await self._client.digest(answer)
        await self._keys.tend()
        timelines: Timelines = {}
        late: LateEvents = []
        commands: list[Command] = []
        if since is not None:
            timelines = await self._timelines(answer, read, since)
            late = self._late.readable() if _brings_keys(answer) else []
            commands = [command async for command in self._commands(answer, late, timelines)]
        for command in commands:
            self._adopt(command)
        await self._keep(answer["next_batch"], commands)
        self._late.taken(late)
        await self._afterwards(answer, timelines)
        for invite in invites:
            self._background.start(f"invite:{invite.room}", self._invites.answer(invite))

    async def _keep(self, position: str, commands: Sequence[Command]) -> None:
        """Commands always together with their position, and the bot's own echoes now and then."""
        if commands or time.monotonic() - self._kept_at >= KEEP_SECONDS:
            await self._intake.accept(PLATFORM, position, commands)
            self._kept_at = time.monotonic()

    def _read_direct_list(self, answer: Json) -> None:
        for event in answer.get("account_data", {}).get("events", []):
            if event.get("type") == "m.direct" and isinstance(event.get("content"), dict):
                self._direct.read(event["content"])

    # --- events -----------------------------------------------------------------------------------

    async def _timelines(
        self, answer: Json, read: Mapping[str, Sequence[Json]], since: str
    ) -> Timelines:
        joined = answer.get("rooms", {}).get("join", {})
        return {
            room: await self._timeline(room, info.get("timeline", {}), read.get(room, ()), since)
            for room, info in joined.items()
        }

    async def _timeline(
        self, room: str, timeline: Json, read: Sequence[Json], since: str
    ) -> Sequence[Json]:
        events = restored(timeline.get("events", []), read)
        me, before = self._client.user_id, timeline.get("prev_batch")
        if timeline.get("limited") and before and not joined_in(events, me):
            between = await events_between(self._client, room, start=since, end=before)
            events = [*between, *events]
        return since_own_join(events, me)

    # --- commands ---------------------------------------------------------------------------------

    async def _commands(
        self, answer: Json, late: LateEvents, timelines: Timelines
    ) -> AsyncIterator[Command]:
        for room, event in late:
            if command := await self._command(room, event):
                yield command
        for room, events in timelines.items():
            for event in events:
                if command := await self._command(room, event):
                    yield command
                if to := replacement(event):
                    async for command in self._replacing(room, event, to):
                        yield command
        for room, info in answer.get("rooms", {}).get("leave", {}).items():
            if command := gone(_all_events(info), room=room, me=self._client.user_id):
                yield command

    async def _command(self, room: str, event: Json) -> Command | None:
        self._authors.note(event)
        if event.get("type") == "m.room.encrypted":
            if event.get("sender") != self._client.user_id:
                self._late.keep(room, event)
            return None
        place, me = self._place(room), self._client.user_id
        if is_own_join(event, me):
            replaces = await self._upgrades.replaced_by(room)
            return welcome(event, room=room, me=me, direct=place.direct, replaces=replaces)
        try:
            command = self._reader.command(event, place)
        except Exception:  # one event that we cannot read must not stop all the others for ever
            log.exception("event not read", extra={"action": "event_not_read", "room": room})
            return None
        if command and command.kind is Kind.REACTION:
            mine = await self._authors.is_mine(room, str(command.target))
            return command if mine else None
        return command

    async def _replacing(self, room: str, tombstone: Json, to: str) -> AsyncIterator[Command]:
        """What a tombstone means: no more commands here; and where we are in already, who we are.

        In most cases the bot comes into the other room later, by an invitation.
        """
        if command := closed(tombstone, room=room, to=to):
            yield command
        if to in self._client.rooms and await self._upgrades.replaced_by(to) == room:
            if command := replaced(tombstone, old=room, room=to):
                yield command

    def _place(self, room: str) -> Place:
        known = self._client.rooms.get(room)
        me = known and known.users.get(self._client.user_id)
        names = (str(me.display_name),) if me and me.display_name else ()
        return Place(room, self._direct.looks_direct(room), names)

    # --- afterwards -------------------------------------------------------------------------------

    def _adopt(self, command: Command) -> None:
        """Who writes `join` where just two are wants their links there: known before it runs."""
        asks = command.kind is Kind.MESSAGE and command.text.casefold().split()[:1] == ["join"]
        if asks and self._direct.has_two(command.channel.id):
            if self._direct.note(command.person.id, command.channel.id):
                self._background.start(f"direct:{command.channel.id}", self._direct.store())

    async def _afterwards(self, answer: Json, timelines: Timelines) -> None:
        for room in answer.get("rooms", {}).get("leave", {}):
            self._client.rooms.pop(room, None)  # nio keeps rooms that we left
        for room, event in self._late.given_up():
            if room in self._client.rooms:
                await self._intake.unreadable(Channel(PLATFORM, room), event["event_id"])
        for room, events in timelines.items():
            self._leave_if_alone(room, events)
            self._follow(room, events)
            if self._direct.has_two(room):
                for person in arrivals(events, self._client.user_id):
                    await self._intake.person_arrived(Person(PLATFORM, person))

    def _leave_if_alone(self, room: str, events: Sequence[Json]) -> None:
        """Only after somebody left: a room that is just being made is empty for a moment, too."""
        known = self._client.rooms.get(room)
        if known and set(known.users) == {self._client.user_id} and somebody_left(events):
            self._background.start(f"leave:{room}", self._leave(room))

    async def _leave(self, room: str) -> None:
        await self._doors.leave(room)

    def _follow(self, room: str, events: Sequence[Json]) -> None:
        for event in events:
            to = replacement(event)
            if to and to not in self._client.rooms:
                via = server_of(str(event.get("sender")))
                self._background.start(f"follow:{to}", self._upgrades.follow(room, to, via=via))


def _brings_keys(answer: Json) -> bool:
    """Whether there may be keys in it: they come as messages to the device."""
    return bool(answer.get("to_device", {}).get("events"))


def _all_events(info: Json) -> list[Json]:
    return [
        event
        for part in ("state", "timeline")
        for event in info.get(part, {}).get("events", [])
        if isinstance(event, dict)
    ]
