"""Rooms: the one every channel has, named ones, a person's own."""

import base64
from collections.abc import Sequence

from commands.cleaning import clean
from commands.errors import UserError
from commands.i18n import texts
from commands.messages import Typed
from commands.options import Options
from commands.permissions import Standing, may_change_room
from commands.services import meetings
from commands.world import World, derived
from storage.records import Channel, Person, Room, RoomKind
from storage.store import Conflict

_PREFIX = {"matrix": "mx", "rocketchat": "rc"}


def new_meeting_id(world: World, platform: str) -> str:
    """The id BBB gets: 128 random bits behind a prefix that is no hex digit pair.

    BBB matches internal ids, which are hex, by prefix: a short hex id could meet somebody else's.
    """
    random = base64.b32encode(world.random(16)).decode().rstrip("=").lower()
    return f"{_PREFIX.get(platform, 'xx')}-{random}"


def new_room(
    world: World,
    kind: RoomKind,
    channel: Channel,
    name: str,
    owner: Person,
    cause: str,
    options: Options | None = None,
) -> Room:
    return Room(
        id=derived("room", f"{kind}|{cause}"),
        kind=kind,
        channel=channel,
        name=name,
        meeting_id=new_meeting_id(world, channel.platform),
        owner=owner,
        created_at=world.clock(),
        cause=cause,
        options=(options or Options()).to_json(),
    )


async def default_room(world: World, channel: Channel, person: Person, cause: str) -> Room:
    """The channel's own room, made at first use and named like the channel."""
    if found := await world.store.default_room(channel):
        return found
    name = clean(await world.chat(channel.platform).topic_of(channel) or "") or "BBB"
    return await world.store.put_room(
        new_room(world, RoomKind.DEFAULT, channel, name, person, cause)
    )


async def personal_room(world: World, person: Person, channel: Channel, cause: str) -> Room:
    """A person's own room, made at first use. `channel` is where it was first asked for."""
    if found := await world.store.personal_room(person):
        return found
    language = await world.own_language(person) or world.policy.language
    name = texts(language).plain("room.personal", name=await world.name_of(person) or "BBB")
    return await world.store.put_room(
        new_room(world, RoomKind.PERSONAL, channel, name, person, cause)
    )


async def create(
    world: World, channel: Channel, person: Person, name: str, options: Options, cause: str
) -> Room:
    """A named room. Raises UserError for a name that is empty or taken, and for too many."""
    shown = _room_name(name)
    there = await world.store.rooms_in(channel)
    most = world.policy.limits.rooms_per_channel
    again = any(room.cause == cause for room in there)
    if len(there) >= most and not again:
        raise UserError("e.rooms_full", most=most, usage=Typed("delete-room NAME"))
    try:
        return await world.store.put_room(
            new_room(world, RoomKind.NAMED, channel, shown, person, cause, options)
        )
    except Conflict:
        raise UserError("e.room_exists", room=shown, join=Typed(f'join "{shown}"')) from None


async def find(world: World, channel: Channel, name: str, person: Person, cause: str) -> Room:
    """The room a typed name means: the channel's, else a private call of the asker's.

    "" is the channel's own, `my` the asker's. Raises UserError.
    """
    if not name:
        return await default_room(world, channel, person, cause)
    if name.casefold() == "my":
        return await personal_room(world, person, channel, cause)
    rooms = await world.store.rooms_in(channel)
    wanted = clean(name).casefold()
    for room in [*rooms, *await world.store.call_rooms_of(person)]:
        if room.name.casefold() == wanted:
            return room
    raise UserError("e.no_room", room=clean(name) or "?", rooms=_names(rooms))


async def rename(
    world: World,
    channel: Channel,
    person: Person,
    standing: Standing,
    old: str,
    new: str,
    cause: str,
) -> str:
    """Give a named room another name (given back, cleaned); its links and its meeting id stay."""
    shown = _room_name(new)
    if await world.store.room_changed_by(cause):
        return shown
    room = await _changeable(world, channel, person, standing, old, "rename", cause)
    try:
        await world.store.rename_room(room.id, shown, cause=cause)
    except Conflict:
        raise UserError("e.room_exists", room=shown, join=Typed(f'join "{shown}"')) from None
    return shown


async def delete(
    world: World, channel: Channel, person: Person, standing: Standing, name: str, cause: str
) -> Room:
    """Take a named room away with its links. Raises UserError while somebody meets there."""
    if done := await world.store.room_changed_by(cause):
        return done
    room = await _changeable(world, channel, person, standing, name, "delete-room", cause)
    if await meetings.is_open(world, room):
        raise UserError("e.room_busy", room=room.name, end=Typed(f'end "{room.name}"'))
    await world.store.delete_room(room.id, at=world.clock(), cause=cause)
    return room


async def reset_personal(world: World, person: Person, channel: Channel, cause: str) -> Room:
    """New links and a new meeting id for a person's own room; old links are dead.

    Raises UserError while somebody meets there: they could not be found again.
    """
    if done := await world.store.room_changed_by(cause):
        return done
    room = await personal_room(world, person, channel, cause)
    if await world.store.live_meeting(room.id):
        raise UserError("e.room_busy", room=room.name, end=Typed("end my"))
    await world.store.revoke_links(at=world.clock(), room_id=room.id)
    fresh = new_meeting_id(world, person.platform)
    return await world.store.reset_room(room.id, meeting_id=fresh, cause=cause)


async def _changeable(
    world: World,
    channel: Channel,
    person: Person,
    standing: Standing,
    name: str,
    verb: str,
    cause: str,
) -> Room:
    room = await find(world, channel, name, person, cause)
    if room.kind is not RoomKind.NAMED:
        raise UserError("e.room_fixed", room=room.name)
    if not may_change_room(person, standing, room):
        raise UserError("e.not_yours", verb=verb)
    return room


def _room_name(name: str) -> str:
    shown = clean(name).replace('"', "'")  # so that it can always be typed in quotation marks
    if not shown or shown.casefold() == "my":
        raise UserError("e.room_name", usage=Typed("create NAME"))
    return shown


def _names(rooms: Sequence[Room]) -> str:
    return ", ".join(room.name for room in rooms) or "–"
