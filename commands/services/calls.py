"""Private calls, invitations and personal links: what goes by direct message."""

from collections.abc import Sequence
from datetime import timedelta

from commands.cleaning import clean
from commands.errors import UserError
from commands.messages import LinkTo, Who
from commands.options import Options
from commands.services import meetings, rooms
from commands.services.linking import UNUSED_FOR, guest_link, personal_link
from commands.world import World
from storage.records import Channel, LinkKind, Person, Room, RoomKind

MOST_INVITED = 20
"""People one command may invite."""
LONGEST_GUEST_LINK = timedelta(days=30)
"""The longest life of a guest link that has a time of its own."""


async def people_meant(
    world: World, channel: Channel, asker: Person, words: Sequence[str]
) -> list[Person]:
    """Whom the typed names mean. Raises UserError for unknown ones, strangers and too many.

    A person is written to only if they share a channel with the asker: the bot is no spam relay.
    """
    chat = world.chat(channel.platform)
    found: dict[Person, None] = {}
    for word in words[: MOST_INVITED + 1]:
        person = await chat.find_person(word, channel)
        if person is None:
            raise UserError("e.no_person", who=word)
        if person != asker and not await chat.shared_channels(asker, person):
            raise UserError("e.stranger", who=word)
        found[person] = None
    others = [person for person in found if person != asker]
    most = min(MOST_INVITED, world.policy.limits.invitations_per_person)
    if len(others) > most:
        raise UserError("e.too_many_people", most=most)
    return others


async def call(
    world: World, channel: Channel, asker: Person, others: Sequence[Person], topic: str, cause: str
) -> tuple[Room, list[tuple[Person, LinkTo]]]:
    """A private room for these people, everyone moderator, and each one's own link.

    Raises ServerTrouble with no room left behind.
    """
    name = clean(topic) or await world.name_of(asker)
    members = [asker, *others]
    room = await world.store.put_room(
        rooms.new_room(world, RoomKind.CALL, channel, name, asker, cause), members
    )
    await meetings.open_in_new_room(world, room, asker, topic, Options(), cause)
    return room, [(person, await personal_link(world, room, person)) for person in members]


async def invite(world: World, room: Room, people: Sequence[Person]) -> list[tuple[Person, LinkTo]]:
    """Let people into a room by name, each with a link of their own.

    Members of its channel are let in as such, and only as long as they are.
    """
    await world.store.invite(room.id, [p for p in people if not await _member(world, room, p)])
    return [(person, await personal_link(world, room, person)) for person in people]


async def _member(world: World, room: Room, person: Person) -> bool:
    if room.kind in (RoomKind.CALL, RoomKind.PERSONAL):
        return False
    rights = await world.chat(person.platform).rights_of(person, room.channel)
    return rights.member


async def mine(world: World, person: Person) -> list[tuple[Room, LinkTo]]:
    """The calls a person was invited to, newest first, with their own links."""
    found = [room for room in await world.store.call_rooms_of(person) if await _lives(world, room)]
    return [(room, await personal_link(world, room, person)) for room in found[:10]]


async def _lives(world: World, room: Room) -> bool:
    """A call lives until it is ended, or a day after the last person left."""
    if await world.store.live_meeting(room.id):
        return True
    last = await world.store.last_meeting(room.id)
    over_since = last.ended_at if last else room.created_at
    return over_since is None or world.clock() - over_since < UNUSED_FOR


async def guest(world: World, room: Room, lifetime: timedelta | None) -> LinkTo:
    """A link for outsiders into a channel's or a person's room.

    Raises UserError for a private call, and for a longer life than `LONGEST_GUEST_LINK`.
    """
    if room.kind is RoomKind.CALL:
        raise UserError("e.no_guests_in_calls")
    if lifetime and lifetime > LONGEST_GUEST_LINK:
        raise UserError("e.guest_too_long", length=lifetime, most=LONGEST_GUEST_LINK)
    return await guest_link(world, room, lifetime)


async def guests_off(world: World, room: Room, cause: str) -> int:
    """Revoke a room's guest links; give how many were alive."""
    return await world.store.revoke_links(
        at=world.clock(), room_id=room.id, kind=LinkKind.GUEST, cause=cause
    )


async def named(world: World, people: Sequence[Person]) -> tuple[Who, ...]:
    """People with their names, for a text."""
    return tuple([Who(p, await world.name_of(p) or p.id) for p in people])
