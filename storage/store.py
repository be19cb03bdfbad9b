"""The contract every engine keeps: one method is one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

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


class StoreError(Exception):
    """The store could not do what was asked; nothing was changed."""


class Conflict(StoreError):
    """A row with this key is there already. The text names the constraint, never a value."""


class StoreBusy(StoreError):
    """The database stayed locked for the whole waiting time; try again."""


class StoreFull(StoreError):
    """The disk is full; reading still works."""


class Store(Protocol):
    """Everything the bot remembers. To write the same again does no harm."""

    # the inbox and the chat's sync position

    async def accept(
        self, platform: str, position: str | None, commands: Sequence[Command]
    ) -> list[Command]:
        """Keep new commands and the chat's position in one commit; give the new ones in order.

        `position` None leaves the stored position as it is.
        """

    async def position(self, platform: str) -> str | None:
        """Where the chat's sync goes on, or None before the first."""

    async def waiting(self) -> list[Command]:
        """Commands accepted but not finished, oldest first; one that cannot be read is given up."""

    async def finish(
        self,
        command_id: str,
        letters: Sequence[Letter],
        *,
        at: datetime,
        cards: Sequence[Card] = (),
        lease: timedelta = timedelta(0),
    ) -> list[str]:
        """Mark a command done, and write its letters and new cards, in one commit.

        A letter or card whose id exists is left as it is. Gives the ids of the letters that the
        caller has leased until `at + lease`, to send them without claiming them: answers written
        now that need not wait behind another letter.
        """

    async def attempt(self, command_id: str) -> int:
        """Count one more try of a command before it runs; give how many there were with it."""

    async def bury(self, command_id: str, error: str, letters: Sequence[Letter] = ()) -> None:
        """Give a command up for good, keeping why, and say so with `letters`, in one commit."""

    async def dead_commands(self) -> int:
        """How many commands were given up."""

    # the outbox

    async def say(self, letters: Sequence[Letter], *, cards: Sequence[Card] = ()) -> list[str]:
        """Write letters (and new cards) nobody asked for; give the ids not there before."""

    async def claim_letters(
        self,
        *,
        now: datetime,
        lease: timedelta,
        limit: int,
        platform: str,
        asked: bool | None = None,
    ) -> list[Letter]:
        """Letters due by `now`, by priority then age, leased until `now + lease` so that no other
        worker takes them.

        What goes to one goal keeps this order: behind a letter that is put off or leased the later
        ones wait. `asked` takes answers only, or only what is none. A letter that cannot be read
        is given up.
        """

    async def release_letters(self, letter_ids: Sequence[str]) -> None:
        """Give leased letters back untried."""

    async def letter_sent(self, letter_id: str, ref: str, *, at: datetime) -> None:
        """The chat accepted a letter as `ref`; a card posted by it knows its `ref` now."""

    async def letter_later(
        self,
        letter_id: str,
        *,
        at: datetime,
        error: str,
        counts: bool = True,
        broke: bool = False,
    ) -> None:
        """Try a letter again at `at`; `counts` False leaves the number of attempts (a rate limit is
        no failure), `broke` says that the chat broke on it.
        """

    async def letter_dead(
        self,
        letter_id: str,
        *,
        at: datetime,
        reason: DeadReason,
        error: str,
        instead: Sequence[Letter] = (),
    ) -> None:
        """Give a letter up for good, writing `instead` in the same commit."""

    async def wake_letters(self, person: Person, *, now: datetime) -> int:
        """Make letters that wait for this person due now; give how many."""

    async def letter_counts(self) -> tuple[int, int]:
        """How many letters wait to be accepted by a chat, and how many were given up."""

    async def dead_letters(self, *, limit: int = 50) -> list[DeadLetter]:
        """Letters given up, the last one first."""

    async def retry_letters(self, numbers: Sequence[int] | None, *, cause: str) -> list[int]:
        """Make letters given up (None: all of them) due again; the numbers of those it did.

        The same cause again changes nothing and gives the first result.
        """

    async def drop_letters(
        self, numbers: Sequence[int] | None, *, at: datetime, cause: str
    ) -> list[int]:
        """Forget letters given up, as `retry_letters` takes them; their ids are known still."""

    # cards

    async def card(self, card_id: str) -> Card | None: ...

    async def card_by_ref(self, platform: str, ref: str) -> Card | None:
        """The card that the chat knows as `ref`."""

    async def show_on_card(self, card_id: str, content: Json, *, edit_at: datetime) -> None:
        """Want other content on a card, not before `edit_at`; the same content changes nothing.

        An earlier time that is set already stays.
        """

    async def cards_to_edit(self, *, now: datetime, platform: str) -> list[Card]:
        """Posted cards that should show something newer and may be edited by now; those in a
        channel that the bot is not in wait until it is back.
        """

    async def card_edited(self, card_id: str, revision: int, *, next_edit_at: datetime) -> None:
        """The chat accepted `revision`; the next edit not before `next_edit_at`."""

    async def card_edit_later(self, card_id: str, *, at: datetime) -> None:
        """An edit failed; try again at `at` and count it."""

    async def card_edit_dropped(self, card_id: str, revision: int) -> None:
        """An edit was refused for good: take `revision` as shown, so that it is not tried again."""

    # rooms

    async def put_room(self, room: Room, members: Sequence[Person] = ()) -> Room:
        """Keep a new room. The same `cause` and kind again gives the first one back.

        Raises Conflict when a living room of that name (compared without case) is in the
        channel already. For DEFAULT (per channel) and PERSONAL (per owner) rooms the living one
        is given back instead.
        """

    async def room(self, room_id: str) -> Room | None: ...

    async def rooms_in(self, channel: Channel) -> list[Room]:
        """Living default and named rooms of a channel, the default first, then by name."""

    async def default_room(self, channel: Channel) -> Room | None: ...

    async def personal_room(self, owner: Person) -> Room | None: ...

    async def rename_room(self, room_id: str, name: str, *, cause: str) -> None:
        """The cause is kept. Raises Conflict when another living room there has that name."""

    async def delete_room(self, room_id: str, *, at: datetime, cause: str) -> None:
        """Take a room away and revoke its links; again changes nothing. The cause is kept."""

    async def room_changed_by(self, cause: str) -> Room | None:
        """The room this cause renamed, deleted (gone rooms too) or reset before."""

    async def reset_room(self, room_id: str, *, meeting_id: str, cause: str) -> Room:
        """A new generation of links and a new meeting id; the same cause again changes nothing."""

    async def invite(self, room_id: str, people: Sequence[Person]) -> None:
        """Let people into a room beside its channel's members; those there already stay."""

    async def invited_to(self, room_id: str) -> list[Person]:
        """Who was invited into a room by name: all of a call, the guests of a personal room ..."""

    async def call_rooms_of(self, person: Person) -> list[Room]:
        """Living calls this person was invited to, newest first."""

    # meetings

    async def plan_meeting(self, meeting: Meeting) -> Meeting:
        """Write a meeting down before BBB is asked. The same cause again gives the first one back.

        Raises Conflict when the room has another meeting that is not ended.
        """

    async def meeting_created(
        self, meeting_id: str, *, internal_id: str, create_time: int, next_look_at: datetime
    ) -> None:
        """BBB has it: PLANNED becomes OPEN; other states stay."""

    async def drop_meeting(self, meeting_id: str) -> None:
        """Take a PLANNED meeting out again; others stay."""

    async def meeting(self, meeting_id: str) -> Meeting | None: ...

    async def live_meeting(self, room_id: str) -> Meeting | None:
        """The room's meeting that is planned, open or running."""

    async def last_meeting(self, room_id: str) -> Meeting | None:
        """The room's newest meeting, whatever its state."""

    async def live_meetings(self) -> list[Meeting]: ...

    async def meetings_to_look_at(
        self, server: str, *, now: datetime, limit: int = 100
    ) -> list[Meeting]:
        """Live meetings on a server whose `next_look_at` has come, longest due first."""

    async def meeting_seen(
        self, meeting_id: str, *, present: int, at: datetime, next_look_at: datetime
    ) -> Meeting:
        """Note how many are inside; the first one inside makes it RUNNING. `peak` never falls."""

    async def look_again(self, meeting_id: str, *, at: datetime) -> None: ...

    async def meeting_ended(self, meeting_id: str, *, at: datetime) -> None: ...

    async def meeting_by_cause(self, cause: str) -> Meeting | None: ...

    async def ending_meeting(self, meeting_id: str, *, cause: str) -> None:
        """Write down which meeting a command is about to end."""

    async def meeting_ended_by(self, cause: str) -> Meeting | None:
        """The meeting this cause ended, or was about to end."""

    # links and browsers

    async def put_link(self, link: Link) -> None:
        """Keep a link; one that is there gets the later expiry and stays revoked if it was."""

    async def link(self, hash: str) -> Link | None: ...

    async def newest_link(self, kind: LinkKind, room_id: str, person: Person | None) -> Link | None:
        """The highest generation for this goal, alive or not."""

    async def link_used(self, hash: str, *, at: datetime) -> None: ...

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
        """Revoke all living links that match every given part; give how many. All None is a
        ValueError. `endless` leaves those that have an end of their own. The same cause again
        changes nothing and gives the first result.
        """

    async def people_in_browser(self, browser: str, *, now: datetime) -> list[BrowserPerson]:
        """Who is signed in to a browser and not expired, newest first."""

    async def sign_in(
        self, row: BrowserPerson, *, most: int, instead_of: str | None = None
    ) -> None:
        """Sign a person in to a browser; their oldest browsers beyond `most` are signed out.

        Who was signed in to `instead_of`, the same browser under its former cookie, moves along.
        """

    # channels and people

    async def channel(self, channel: Channel) -> ChannelRow | None: ...

    async def put_channel(self, row: ChannelRow) -> None: ...

    async def move_channel(self, old: Channel, new: Channel, cards: Sequence[Letter] = ()) -> None:
        """`new` took the place of `old`: its living rooms and what is set there move over.

        What `new` has already stays as it is: its settings hold, its default room stays the default
        (that of `old` becomes a named one), and a name that is taken gets a number. `cards` post
        anew, in `new`, the cards that they name. Again changes nothing.
        """

    async def set_channel(self, channel: Channel, key: str, value: str | None) -> None:
        """Set one setting of a channel (None takes it away), making the row if need be."""

    async def person(self, person: Person) -> PersonRow | None: ...

    async def put_person(self, row: PersonRow) -> None: ...

    async def person_by_pseudonym(self, pseudonym: str) -> Person | None: ...

    async def forget_person(self, person: Person, *, at: datetime) -> None:
        """Take away what is kept of a person: row, browsers, links, confirmations, memberships of
        ended calls, the text of their finished commands.
        """

    # confirmations

    async def ask_to_confirm(self, confirmation: Confirmation) -> None:
        """Remember a question; a newer one of the same person and verb replaces it."""

    async def take_confirmation(
        self, person: Person, verb: str, *, now: datetime, cause: str
    ) -> Confirmation | None:
        """Take the question if it is open still, or was taken by the same cause; else None."""

    # upkeep

    async def prune(self, *, before: datetime) -> int:
        """Delete what ended or expired before; give how many rows.

        Finished commands, sent letters, browsers, questions, links but the newest of each goal.
        """

    async def last_event(self) -> datetime | None:
        """When the last command ended or letter was sent, by the clock of that moment."""

    async def clock_went_back(self, *, by: timedelta, now: datetime) -> None:
        """The clock was set back and shows `now`: next tries, leases, looks, edits and the ends of
        links, browsers and questions that were to come keep the time they had left.
        """

    async def backup(self, target: Path) -> None:
        """Write a consistent copy of the database to a new file while running."""

    async def check(self) -> None:
        """Raises StoreError when the database cannot be written."""

    async def close(self) -> None: ...
