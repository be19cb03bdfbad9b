"""Records to rows and back, in one place; the columns are those of `storage/migrations`."""

from typing import Any

from storage.queries.connection import Row
from storage.queries.values import digest, folded, from_ms, from_text, to_ms, to_text
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
    Kind,
    Letter,
    Link,
    LinkKind,
    Meeting,
    MeetingState,
    OutboxState,
    Person,
    PersonRow,
    Room,
    RoomKind,
)

NewRow = dict[str, Any]


def command_row(command: Command) -> NewRow:
    return {
        "id": command.id,
        "kind": command.kind.value,
        "platform": command.channel.platform,
        "channel": command.channel.id,
        "person_platform": command.person.platform,
        "person": command.person.id,
        "text": command.text,
        "origin": command.origin,
        "sent_ms": to_ms(command.sent_at),
        "direct": int(command.direct),
        "thread": command.thread,
        "target": command.target,
        "attempts": command.attempts,
    }


def command(row: Row) -> Command:
    return Command(
        id=row["id"],
        kind=Kind(row["kind"]),
        channel=_channel(row),
        person=person(row),
        text=row["text"],
        origin=row["origin"],
        sent_at=from_ms(row["sent_ms"]),
        direct=bool(row["direct"]),
        thread=row["thread"],
        target=row["target"],
        attempts=row["attempts"],
    )


def letter_row(letter: Letter) -> NewRow:
    return {
        "id": letter.id,
        "platform": letter.platform,
        "channel": letter.channel,
        "person": letter.person,
        "content": to_text(letter.content),
        "created_ms": to_ms(letter.created_at),
        "reply_to": letter.reply_to,
        "thread": letter.thread,
        "priority": letter.priority,
        "card": letter.card,
        "fallback": _text_or_none(letter.fallback),
        "fallback_channel": letter.fallback_channel,
        "state": letter.state.value,
        "attempts": letter.attempts,
        "failures": letter.failures,
        "next_try_ms": to_ms(letter.next_try_at) or 0,
        "error": letter.error,
        "ref": letter.ref,
    }


def letter(row: Row) -> Letter:
    return Letter(
        id=row["id"],
        platform=row["platform"],
        content=from_text(row["content"]),
        created_at=from_ms(row["created_ms"]),
        channel=row["channel"],
        person=row["person"],
        reply_to=row["reply_to"],
        thread=row["thread"],
        priority=row["priority"],
        card=row["card"],
        fallback=None if row["fallback"] is None else from_text(row["fallback"]),
        fallback_channel=row["fallback_channel"],
        state=OutboxState(row["state"]),
        attempts=row["attempts"],
        failures=row["failures"],
        next_try_at=from_ms(row["next_try_ms"] or None),
        error=row["error"],
        ref=row["ref"],
    )


def dead_letter(row: Row) -> DeadLetter:
    """Also of a row whose content cannot be read."""
    return DeadLetter(
        number=row["seq"],
        id=row["id"],
        platform=row["platform"],
        channel=row["channel"],
        person=row["person"],
        card=row["card"],
        priority=row["priority"],
        content=_content_or_empty(row["content"]),
        reason=DeadReason(row["reason"] or DeadReason.REFUSED),
        error=row["error"],
        created_at=from_ms(row["created_ms"]),
        dead_at=from_ms(row["dead_ms"] or row["created_ms"]),
    )


def _content_or_empty(text: str) -> Json:
    try:
        return from_text(text)
    except ValueError:
        return {}


def card_row(card: Card) -> NewRow:
    return {
        "id": card.id,
        "room": card.room,
        "platform": card.channel.platform,
        "channel": card.channel.id,
        "content": to_text(card.content),
        "created_ms": to_ms(card.created_at),
        "revision": card.revision,
        "shown": card.shown,
        "ref": card.ref,
        "wanted_ms": to_ms(card.edit_at) or 0,
        "attempts": card.attempts,
    }


def card(row: Row) -> Card:
    return Card(
        id=row["id"],
        room=row["room"],
        channel=_channel(row),
        content=from_text(row["content"]),
        created_at=from_ms(row["created_ms"]),
        revision=row["revision"],
        shown=row["shown"],
        ref=row["ref"],
        edit_at=from_ms(max(row["wanted_ms"], row["floor_ms"]) or None),
        attempts=row["attempts"],
    )


def room_row(room: Room) -> NewRow:
    return {
        "id": room.id,
        "kind": room.kind.value,
        "platform": room.channel.platform,
        "channel": room.channel.id,
        "name": room.name,
        "folded": folded(room.name),
        "meeting_id": room.meeting_id,
        "owner_platform": room.owner.platform,
        "owner": room.owner.id,
        "created_ms": to_ms(room.created_at),
        "cause": room.cause,
        "options": to_text(room.options),
        "generation": room.generation,
        "deleted_ms": to_ms(room.deleted_at),
        "deleted_cause": room.deleted_cause,
    }


def room(row: Row) -> Room:
    return Room(
        id=row["id"],
        kind=RoomKind(row["kind"]),
        channel=_channel(row),
        name=row["name"],
        meeting_id=row["meeting_id"],
        owner=Person(row["owner_platform"], row["owner"]),
        created_at=from_ms(row["created_ms"]),
        cause=row["cause"],
        options=from_text(row["options"]),
        generation=row["generation"],
        deleted_at=from_ms(row["deleted_ms"]),
        deleted_cause=row["deleted_cause"],
    )


def meeting_row(meeting: Meeting) -> NewRow:
    return {
        "id": meeting.id,
        "room": meeting.room,
        "server": meeting.server,
        "starter_platform": meeting.started_by.platform,
        "starter": meeting.started_by.id,
        "created_ms": to_ms(meeting.created_at),
        "cause": meeting.cause,
        "card": meeting.card,
        "topic": meeting.topic,
        "options": to_text(meeting.options),
        "state": meeting.state.value,
        "internal_id": meeting.internal_id,
        "create_time": meeting.create_time,
        "joined_ms": to_ms(meeting.joined_at),
        "ended_ms": to_ms(meeting.ended_at),
        "present": meeting.present,
        "peak": meeting.peak,
        "next_look_ms": to_ms(meeting.next_look_at),
    }


def meeting(row: Row) -> Meeting:
    return Meeting(
        id=row["id"],
        room=row["room"],
        server=row["server"],
        started_by=Person(row["starter_platform"], row["starter"]),
        created_at=from_ms(row["created_ms"]),
        cause=row["cause"],
        card=row["card"],
        topic=row["topic"],
        options=from_text(row["options"]),
        state=MeetingState(row["state"]),
        internal_id=row["internal_id"],
        create_time=row["create_time"],
        joined_at=from_ms(row["joined_ms"]),
        ended_at=from_ms(row["ended_ms"]),
        present=row["present"],
        peak=row["peak"],
        next_look_at=from_ms(row["next_look_ms"]),
    )


def link_row(link: Link) -> NewRow:
    return {
        "hash": link.hash,
        "goal": goal(link.kind, link.room, link.person),
        "kind": link.kind.value,
        "room": link.room,
        "person_platform": link.person and link.person.platform,
        "person": link.person and link.person.id,
        "generation": link.generation,
        "created_ms": to_ms(link.created_at),
        "expires_ms": to_ms(link.expires_at),
        "used_ms": to_ms(link.used_at),
        "revoked_ms": to_ms(link.revoked_at),
    }


def link(row: Row) -> Link:
    return Link(
        hash=row["hash"],
        kind=LinkKind(row["kind"]),
        room=row["room"],
        person=None if row["person"] is None else person(row),
        generation=row["generation"],
        created_at=from_ms(row["created_ms"]),
        expires_at=from_ms(row["expires_ms"]),
        used_at=from_ms(row["used_ms"]),
        revoked_at=from_ms(row["revoked_ms"]),
    )


def goal(kind: LinkKind, room_id: str, person: Person | None) -> str:
    """What a link leads to, for whom; says nothing of the person to who reads it."""
    return digest(kind.value, room_id, *((person.platform, person.id) if person else ()))


def browser_row(browser: BrowserPerson) -> NewRow:
    return {
        "browser": browser.browser,
        **person_row(browser.person),
        "created_ms": to_ms(browser.created_at),
        "expires_ms": to_ms(browser.expires_at),
    }


def browser(row: Row) -> BrowserPerson:
    return BrowserPerson(
        browser=row["browser"],
        person=person(row),
        created_at=from_ms(row["created_ms"]),
        expires_at=from_ms(row["expires_ms"]),
    )


def channel_row(channel: ChannelRow) -> NewRow:
    return {
        "platform": channel.channel.platform,
        "id": channel.channel.id,
        "direct": int(channel.direct),
        "settings": to_text(channel.settings),
        "left_ms": to_ms(channel.left_at),
        "moved_to": channel.moved_to,
    }


def channel(row: Row) -> ChannelRow:
    return ChannelRow(
        channel=Channel(row["platform"], row["id"]),
        direct=bool(row["direct"]),
        settings=from_text(row["settings"]),
        left_at=from_ms(row["left_ms"]),
        moved_to=row["moved_to"],
    )


def kept_person_row(kept: PersonRow) -> NewRow:
    return {
        "platform": kept.person.platform,
        "id": kept.person.id,
        "language": kept.language,
        "pseudonym": kept.pseudonym,
    }


def kept_person(row: Row) -> PersonRow:
    return PersonRow(
        person=Person(row["platform"], row["id"]),
        language=row["language"],
        pseudonym=row["pseudonym"],
    )


def confirmation_row(confirmation: Confirmation) -> NewRow:
    return {
        **person_row(confirmation.person),
        "verb": confirmation.verb,
        "subject": confirmation.subject,
        "expires_ms": to_ms(confirmation.expires_at),
        "taken_by": confirmation.taken_by,
    }


def confirmation(row: Row) -> Confirmation:
    return Confirmation(
        person=person(row),
        verb=row["verb"],
        subject=row["subject"],
        expires_at=from_ms(row["expires_ms"]),
        taken_by=row["taken_by"],
    )


def person_row(person: Person) -> NewRow:
    """The two columns that name a person; also the values of `SAME_PERSON`."""
    return {"person_platform": person.platform, "person": person.id}


def person(row: Row) -> Person:
    return Person(row["person_platform"], row["person"])


SAME_PERSON = "person_platform = :person_platform AND person = :person"


def _channel(row: Row) -> Channel:
    return Channel(row["platform"], row["channel"])


def _text_or_none(value: Json | None) -> str | None:
    return None if value is None else to_text(value)
