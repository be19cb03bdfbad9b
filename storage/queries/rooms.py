"""Rooms: made once per cause, living names unique in a channel, changes remembered by cause."""

from collections.abc import Sequence
from datetime import datetime

from storage.queries.connection import Connection, Row, insert, insert_all
from storage.queries.links import revoke_links
from storage.queries.rows import SAME_PERSON, person, person_row, room_row
from storage.queries.rows import room as room_of
from storage.queries.values import folded, to_ms
from storage.records import Channel, Person, Room, RoomKind
from storage.store import Conflict, StoreError


def put_room(connection: Connection, room: Room, members: Sequence[Person] = ()) -> Room:
    if there := _put_before(connection, room):
        return there
    if room.kind is RoomKind.NAMED:
        _refuse_default_name(connection, room.channel, room.name)
    insert(connection, "room", room_row(room))
    invite(connection, room.id, members)
    return room_of(_require(connection, room.id))


def _put_before(connection: Connection, room: Room) -> Room | None:
    sql = "SELECT * FROM room WHERE kind = :kind AND cause = :cause"
    row = connection.row(sql, kind=room.kind.value, cause=room.cause)
    if row:
        return room_of(row)
    if room.kind is RoomKind.DEFAULT:
        return default_room(connection, room.channel)
    return personal_room(connection, room.owner) if room.kind is RoomKind.PERSONAL else None


def _refuse_default_name(connection: Connection, channel: Channel, name: str) -> None:
    """The schema cannot: a default room made later takes the channel's name, whatever rooms say."""
    default = default_room(connection, channel)
    if default and folded(default.name) == folded(name):
        raise Conflict("room.folded, of the channel's default room")


def room(connection: Connection, room_id: str) -> Room | None:
    return _room_or_none(_row(connection, room_id))


def rooms_in(connection: Connection, channel: Channel) -> list[Room]:
    rows = connection.rows(
        "SELECT * FROM room WHERE platform = :platform AND channel = :channel"
        " AND kind IN ('default', 'named') AND deleted_ms IS NULL"
        " ORDER BY CASE kind WHEN 'default' THEN 0 ELSE 1 END, folded",
        platform=channel.platform,
        channel=channel.id,
    )
    return [room_of(row) for row in rows]


def default_room(connection: Connection, channel: Channel) -> Room | None:
    row = connection.row(
        "SELECT * FROM room WHERE platform = :platform AND channel = :channel"
        " AND kind = 'default' AND deleted_ms IS NULL",
        platform=channel.platform,
        channel=channel.id,
    )
    return _room_or_none(row)


def personal_room(connection: Connection, owner: Person) -> Room | None:
    row = connection.row(
        "SELECT * FROM room WHERE owner_platform = :platform AND owner = :owner"
        " AND kind = 'personal' AND deleted_ms IS NULL",
        platform=owner.platform,
        owner=owner.id,
    )
    return _room_or_none(row)


def rename_room(connection: Connection, room_id: str, name: str, *, cause: str) -> None:
    if not _first_time(connection, room_id, cause):
        return
    there = room_of(_require(connection, room_id))
    if there.kind is RoomKind.NAMED:
        _refuse_default_name(connection, there.channel, name)
    connection.run(
        "UPDATE room SET name = :name, folded = :folded WHERE id = :id",
        id=room_id,
        name=name,
        folded=folded(name),
    )


def delete_room(connection: Connection, room_id: str, *, at: datetime, cause: str) -> None:
    deleted = connection.run(
        "UPDATE room SET deleted_ms = :at, deleted_cause = :cause"
        " WHERE id = :id AND deleted_ms IS NULL",
        id=room_id,
        at=to_ms(at),
        cause=cause,
    )
    if deleted:
        revoke_links(connection, at=at, room_id=room_id)
        _first_time(connection, room_id, cause)


def room_changed_by(connection: Connection, cause: str) -> Room | None:
    row = connection.row(
        "SELECT room.* FROM room_change JOIN room ON room.id = room_change.room"
        " WHERE room_change.cause = :cause",
        cause=cause,
    )
    return _room_or_none(row)


def reset_room(connection: Connection, room_id: str, *, meeting_id: str, cause: str) -> Room:
    if _first_time(connection, room_id, cause):
        connection.run(
            "UPDATE room SET generation = generation + 1, meeting_id = :meeting WHERE id = :id",
            id=room_id,
            meeting=meeting_id,
        )
    return room_of(_require(connection, room_id))


def invite(connection: Connection, room_id: str, people: Sequence[Person]) -> None:
    insert_all(
        connection,
        "invited",
        [{"room": room_id, **person_row(each)} for each in dict.fromkeys(people)],
        conflict="ON CONFLICT (room, person_platform, person) DO UPDATE SET forget = 0",
    )


def invited_to(connection: Connection, room_id: str) -> list[Person]:
    sql = "SELECT * FROM invited WHERE room = :room ORDER BY seq"
    return [person(row) for row in connection.rows(sql, room=room_id)]


def call_rooms_of(connection: Connection, person: Person) -> list[Room]:
    rows = connection.rows(
        "SELECT * FROM room WHERE kind = 'call' AND deleted_ms IS NULL"
        f" AND id IN (SELECT room FROM invited WHERE {SAME_PERSON}) ORDER BY seq DESC",
        **person_row(person),
    )
    return [room_of(row) for row in rows]


def _first_time(connection: Connection, room_id: str, cause: str) -> bool:
    """Keep that this cause changed this room; False when it did before."""
    _require(connection, room_id)
    row = connection.row(
        "INSERT INTO room_change (cause, room) VALUES (:cause, :room)"
        " ON CONFLICT (cause) DO NOTHING RETURNING cause",
        cause=cause,
        room=room_id,
    )
    return row is not None


def _require(connection: Connection, room_id: str) -> Row:
    row = _row(connection, room_id)
    if row is None:
        raise StoreError(f"there is no room {room_id}")
    return row


def _row(connection: Connection, room_id: str) -> Row | None:
    return connection.row("SELECT * FROM room WHERE id = :id", id=room_id)


def _room_or_none(row: Row | None) -> Room | None:
    return room_of(row) if row else None
