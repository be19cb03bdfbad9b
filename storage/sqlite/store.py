"""The contract on SQLite: each method is one query of `storage.queries`, run by the one thread."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from storage.lock import DirectoryLock
from storage.queries import (
    browsers,
    cards,
    channels,
    clock,
    confirmations,
    inbox,
    links,
    meetings,
    moves,
    outbox,
    people,
    rooms,
    upkeep,
)
from storage.records import (
    BrowserPerson,
    Card,
    Channel,
    ChannelRow,
    Command,
    Confirmation,
    DeadLetter,
    DeadReason,
    Json,
    Letter,
    Link,
    LinkKind,
    Meeting,
    Person,
    PersonRow,
    Room,
)
from storage.sqlite.backup import backup
from storage.sqlite.thread import DatabaseThread


class SqliteStore:
    """What the methods promise stands in `storage.store.Store`."""

    def __init__(self, thread: DatabaseThread, lock: DirectoryLock) -> None:
        self._thread = thread
        self._lock = lock

    # inbox

    async def accept(
        self, platform: str, position: str | None, commands: Sequence[Command]
    ) -> list[Command]:
        return await self._thread.write(inbox.accept, platform, position, commands)

    async def position(self, platform: str) -> str | None:
        return await self._thread.read(inbox.position, platform)

    async def waiting(self) -> list[Command]:
        await self._thread.write_if(inbox.any_unreadable, inbox.bury_unreadable, otherwise=None)
        return await self._thread.read(inbox.waiting)

    async def finish(
        self,
        command_id: str,
        letters: Sequence[Letter],
        *,
        at: datetime,
        cards: Sequence[Card] = (),
        lease: timedelta = timedelta(0),
    ) -> list[str]:
        return await self._thread.write(
            inbox.finish, command_id, letters, at=at, cards=cards, lease=lease
        )

    async def attempt(self, command_id: str) -> int:
        return await self._thread.write(inbox.attempt, command_id)

    async def bury(self, command_id: str, error: str, letters: Sequence[Letter] = ()) -> None:
        await self._thread.write(inbox.bury, command_id, error, letters)

    async def dead_commands(self) -> int:
        return await self._thread.read(inbox.dead_commands)

    # outbox

    async def say(self, letters: Sequence[Letter], *, cards: Sequence[Card] = ()) -> list[str]:
        return await self._thread.write(outbox.say, letters, cards=cards)

    async def claim_letters(
        self,
        *,
        now: datetime,
        lease: timedelta,
        limit: int,
        platform: str,
        asked: bool | None = None,
    ) -> list[Letter]:
        # Asked every second: without anything due, nothing is locked or written.
        return await self._thread.write_if(
            lambda connection: outbox.any_due(connection, now=now, platform=platform, asked=asked),
            lambda connection: outbox.claim_letters(
                connection, now=now, lease=lease, limit=limit, platform=platform, asked=asked
            ),
            otherwise=[],
        )

    async def release_letters(self, letter_ids: Sequence[str]) -> None:
        await self._thread.write(outbox.release_letters, letter_ids)

    async def letter_sent(self, letter_id: str, ref: str, *, at: datetime) -> None:
        await self._thread.write(outbox.letter_sent, letter_id, ref, at=at)

    async def letter_later(
        self,
        letter_id: str,
        *,
        at: datetime,
        error: str,
        counts: bool = True,
        broke: bool = False,
    ) -> None:
        await self._thread.write(
            outbox.letter_later, letter_id, at=at, error=error, counts=counts, broke=broke
        )

    async def letter_dead(
        self,
        letter_id: str,
        *,
        at: datetime,
        reason: DeadReason,
        error: str,
        instead: Sequence[Letter] = (),
    ) -> None:
        await self._thread.write(
            outbox.letter_dead, letter_id, at=at, reason=reason, error=error, instead=instead
        )

    async def wake_letters(self, person: Person, *, now: datetime) -> int:
        return await self._thread.write(outbox.wake_letters, person, now=now)

    async def letter_counts(self) -> tuple[int, int]:
        return await self._thread.read(outbox.letter_counts)

    async def dead_letters(self, *, limit: int = 50) -> list[DeadLetter]:
        return await self._thread.read(outbox.dead_letters, limit=limit)

    async def retry_letters(self, numbers: Sequence[int] | None, *, cause: str) -> list[int]:
        return await self._thread.write(outbox.retry_letters, numbers, cause=cause)

    async def drop_letters(
        self, numbers: Sequence[int] | None, *, at: datetime, cause: str
    ) -> list[int]:
        return await self._thread.write(outbox.drop_letters, numbers, at=at, cause=cause)

    # cards

    async def card(self, card_id: str) -> Card | None:
        return await self._thread.read(cards.card, card_id)

    async def card_by_ref(self, platform: str, ref: str) -> Card | None:
        return await self._thread.read(cards.card_by_ref, platform, ref)

    async def show_on_card(self, card_id: str, content: Json, *, edit_at: datetime) -> None:
        await self._thread.write(cards.show_on_card, card_id, content, edit_at=edit_at)

    async def cards_to_edit(self, *, now: datetime, platform: str) -> list[Card]:
        return await self._thread.write_if(
            lambda connection: cards.any_to_edit(connection, now=now, platform=platform),
            lambda connection: cards.cards_to_edit(connection, now=now, platform=platform),
            otherwise=[],
        )

    async def card_edited(self, card_id: str, revision: int, *, next_edit_at: datetime) -> None:
        await self._thread.write(cards.card_edited, card_id, revision, next_edit_at=next_edit_at)

    async def card_edit_later(self, card_id: str, *, at: datetime) -> None:
        await self._thread.write(cards.card_edit_later, card_id, at=at)

    async def card_edit_dropped(self, card_id: str, revision: int) -> None:
        await self._thread.write(cards.card_edit_dropped, card_id, revision)

    # rooms

    async def put_room(self, room: Room, members: Sequence[Person] = ()) -> Room:
        return await self._thread.write(rooms.put_room, room, members)

    async def room(self, room_id: str) -> Room | None:
        return await self._thread.read(rooms.room, room_id)

    async def rooms_in(self, channel: Channel) -> list[Room]:
        return await self._thread.read(rooms.rooms_in, channel)

    async def default_room(self, channel: Channel) -> Room | None:
        return await self._thread.read(rooms.default_room, channel)

    async def personal_room(self, owner: Person) -> Room | None:
        return await self._thread.read(rooms.personal_room, owner)

    async def rename_room(self, room_id: str, name: str, *, cause: str) -> None:
        await self._thread.write(rooms.rename_room, room_id, name, cause=cause)

    async def delete_room(self, room_id: str, *, at: datetime, cause: str) -> None:
        await self._thread.write(rooms.delete_room, room_id, at=at, cause=cause)

    async def room_changed_by(self, cause: str) -> Room | None:
        return await self._thread.read(rooms.room_changed_by, cause)

    async def reset_room(self, room_id: str, *, meeting_id: str, cause: str) -> Room:
        return await self._thread.write(
            rooms.reset_room, room_id, meeting_id=meeting_id, cause=cause
        )

    async def invite(self, room_id: str, people: Sequence[Person]) -> None:
        await self._thread.write(rooms.invite, room_id, people)

    async def invited_to(self, room_id: str) -> list[Person]:
        return await self._thread.read(rooms.invited_to, room_id)

    async def call_rooms_of(self, person: Person) -> list[Room]:
        return await self._thread.read(rooms.call_rooms_of, person)

    # meetings

    async def plan_meeting(self, meeting: Meeting) -> Meeting:
        return await self._thread.write(meetings.plan_meeting, meeting)

    async def meeting_created(
        self, meeting_id: str, *, internal_id: str, create_time: int, next_look_at: datetime
    ) -> None:
        await self._thread.write(
            meetings.meeting_created,
            meeting_id,
            internal_id=internal_id,
            create_time=create_time,
            next_look_at=next_look_at,
        )

    async def drop_meeting(self, meeting_id: str) -> None:
        await self._thread.write(meetings.drop_meeting, meeting_id)

    async def meeting(self, meeting_id: str) -> Meeting | None:
        return await self._thread.read(meetings.meeting, meeting_id)

    async def live_meeting(self, room_id: str) -> Meeting | None:
        return await self._thread.read(meetings.live_meeting, room_id)

    async def last_meeting(self, room_id: str) -> Meeting | None:
        return await self._thread.read(meetings.last_meeting, room_id)

    async def live_meetings(self) -> list[Meeting]:
        return await self._thread.read(meetings.live_meetings)

    async def meetings_to_look_at(
        self, server: str, *, now: datetime, limit: int = 100
    ) -> list[Meeting]:
        return await self._thread.read(meetings.meetings_to_look_at, server, now=now, limit=limit)

    async def meeting_seen(
        self, meeting_id: str, *, present: int, at: datetime, next_look_at: datetime
    ) -> Meeting:
        return await self._thread.write(
            meetings.meeting_seen, meeting_id, present=present, at=at, next_look_at=next_look_at
        )

    async def look_again(self, meeting_id: str, *, at: datetime) -> None:
        await self._thread.write(meetings.look_again, meeting_id, at=at)

    async def meeting_ended(self, meeting_id: str, *, at: datetime) -> None:
        await self._thread.write(meetings.meeting_ended, meeting_id, at=at)

    async def meeting_by_cause(self, cause: str) -> Meeting | None:
        return await self._thread.read(meetings.meeting_by_cause, cause)

    async def ending_meeting(self, meeting_id: str, *, cause: str) -> None:
        await self._thread.write(meetings.ending_meeting, meeting_id, cause=cause)

    async def meeting_ended_by(self, cause: str) -> Meeting | None:
        return await self._thread.read(meetings.meeting_ended_by, cause)

    # links

    async def put_link(self, link: Link) -> None:
        await self._thread.write(links.put_link, link)

    async def link(self, hash: str) -> Link | None:
        return await self._thread.read(links.link, hash)

    async def newest_link(self, kind: LinkKind, room_id: str, person: Person | None) -> Link | None:
        return await self._thread.read(links.newest_link, kind, room_id, person)

    async def link_used(self, hash: str, *, at: datetime) -> None:
        await self._thread.write(links.link_used, hash, at=at)

    async def revoke_links(
        self,
        *,
        at: datetime,
        room_id: str | None = None,
        person: Person | None = None,
        kind: LinkKind | None = None,
        endless: bool = False,
        cause: str | None = None,
    ) -> int:
        return await self._thread.write(
            links.revoke_links,
            at=at,
            room_id=room_id,
            person=person,
            kind=kind,
            endless=endless,
            cause=cause,
        )

    # browsers

    async def people_in_browser(self, browser: str, *, now: datetime) -> list[BrowserPerson]:
        return await self._thread.read(browsers.people_in_browser, browser, now=now)

    async def sign_in(
        self, row: BrowserPerson, *, most: int, instead_of: str | None = None
    ) -> None:
        await self._thread.write(browsers.sign_in, row, most=most, instead_of=instead_of)

    # channels

    async def channel(self, channel: Channel) -> ChannelRow | None:
        return await self._thread.read(channels.channel, channel)

    async def put_channel(self, row: ChannelRow) -> None:
        await self._thread.write(channels.put_channel, row)

    async def move_channel(self, old: Channel, new: Channel, cards: Sequence[Letter] = ()) -> None:
        await self._thread.write(moves.move_channel, old, new, cards)

    async def set_channel(self, channel: Channel, key: str, value: str | None) -> None:
        await self._thread.write(channels.set_channel, channel, key, value)

    # people

    async def person(self, person: Person) -> PersonRow | None:
        return await self._thread.read(people.person, person)

    async def put_person(self, row: PersonRow) -> None:
        await self._thread.write(people.put_person, row)

    async def person_by_pseudonym(self, pseudonym: str) -> Person | None:
        return await self._thread.read(people.person_by_pseudonym, pseudonym)

    async def forget_person(self, person: Person, *, at: datetime) -> None:
        await self._thread.write(people.forget_person, person, at=at)

    # confirmations

    async def ask_to_confirm(self, confirmation: Confirmation) -> None:
        await self._thread.write(confirmations.ask_to_confirm, confirmation)

    async def take_confirmation(
        self, person: Person, verb: str, *, now: datetime, cause: str
    ) -> Confirmation | None:
        return await self._thread.write(
            confirmations.take_confirmation, person, verb, now=now, cause=cause
        )

    # upkeep

    async def prune(self, *, before: datetime) -> int:
        return await self._thread.write(upkeep.prune, before=before)

    async def check(self) -> None:
        await self._thread.write(upkeep.check)

    async def last_event(self) -> datetime | None:
        return await self._thread.read(clock.last_event)

    async def clock_went_back(self, *, by: timedelta, now: datetime) -> None:
        await self._thread.write(clock.clock_went_back, by=by, now=now)

    async def backup(self, target: Path) -> None:
        await asyncio.to_thread(backup, self._thread.path, target, self._thread.busy_timeout)

    async def close(self) -> None:
        await self._thread.stop()
        self._lock.release()
