"""A channel takes the place of another: rooms, settings and the cards of living calls move over."""

from collections.abc import Sequence
from dataclasses import replace

from storage.queries.channels import held, put_channel
from storage.queries.connection import Connection
from storage.queries.outbox import write
from storage.queries.rooms import default_room
from storage.queries.rows import room as room_of
from storage.queries.values import folded
from storage.records import Channel, Letter, Room, RoomKind


def move_channel(
    connection: Connection, old: Channel, new: Channel, cards: Sequence[Letter] = ()
) -> None:
    before, now = held(connection, old), held(connection, new)
    put_channel(connection, replace(now, settings={**before.settings, **now.settings}))
    put_channel(connection, replace(before, moved_to=new.id))
    default = default_room(connection, new)
    names = {folded(room.name) for room in _living(connection, new)}
    for room in _living(connection, old):
        if room.kind is RoomKind.DEFAULT and default is not None:
            # Its cause may have made a named room, too.
            room = replace(room, kind=RoomKind.NAMED, cause=f"{room.cause}|{new.id}")
        if room.kind is RoomKind.NAMED:
            room = replace(room, name=_free(room.name, names))
            names.add(folded(room.name))
        _move(connection, replace(room, channel=new))
    for letter in cards:
        _post_anew(connection, letter, old, new)


def _living(connection: Connection, channel: Channel) -> list[Room]:
    rows = connection.rows(
        "SELECT * FROM room WHERE platform = :platform AND channel = :channel"
        " AND deleted_ms IS NULL ORDER BY seq",
        platform=channel.platform,
        channel=channel.id,
    )
    return [room_of(row) for row in rows]


def _free(name: str, taken: set[str]) -> str:
    """The name, or the first of `Standup 2`, `Standup 3` ... that is free."""
    number, found = 1, name
    while folded(found) in taken:
        number += 1
        found = f"{name} {number}"
    return found


def _move(connection: Connection, room: Room) -> None:
    connection.run(
        "UPDATE room SET channel = :channel, kind = :kind, name = :name, folded = :folded,"
        " cause = :cause WHERE id = :id",
        id=room.id,
        channel=room.channel.id,
        kind=room.kind.value,
        name=room.name,
        folded=folded(room.name),
        cause=room.cause,
    )


def _post_anew(connection: Connection, letter: Letter, old: Channel, new: Channel) -> None:
    """A card that is not posted yet, or just being posted, is posted in the new channel only."""
    moved = connection.run(
        "UPDATE card SET channel = :new, ref = NULL, shown = 0, floor_ms = 0, attempts = 0"
        " WHERE id = :id AND platform = :platform AND channel = :old",
        id=letter.card,
        platform=old.platform,
        old=old.id,
        new=new.id,
    )
    if moved:
        connection.run("DELETE FROM outbox WHERE card = :card AND state = 'due'", card=letter.card)
        write(connection, [letter])
