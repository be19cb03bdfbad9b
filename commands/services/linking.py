"""Links made: a room's, a person's own, a guest's; each kept as a hash with its generation."""

from datetime import datetime, timedelta

from commands.links import fingerprint
from commands.messages import LinkTo
from commands.world import World
from storage.records import Link, LinkKind, Person, Room

UNUSED_FOR = timedelta(hours=24)
"""How long a personal link lives that nobody used; a used one lives while its room is live."""


async def room_link(world: World, room: Room) -> LinkTo:
    """The address of a room, for cards; it lives until the room is reset."""
    return await _kept(world, LinkTo(LinkKind.ROOM, room.id, room.generation), None)


async def personal_link(world: World, room: Room, person: Person) -> LinkTo:
    """One person's own link into a room: the living one made longer, or a new one."""
    kind = LinkKind.CALL if room.kind == "call" else LinkKind.PERSONAL
    newest = await world.store.newest_link(kind, room.id, person)
    generation = newest.generation if newest else 1
    if newest and not alive(newest, world.clock()):
        generation += 1
    goal = LinkTo(kind, room.id, generation, person)
    return await _kept(world, goal, world.clock() + UNUSED_FOR)


async def guest_link(world: World, room: Room, lifetime: timedelta | None) -> LinkTo:
    """A link for outsiders; without a lifetime it ends with the meeting.

    One with another end is another link: what was promised of the first still holds.
    """
    newest = await world.store.newest_link(LinkKind.GUEST, room.id, None)
    generation = newest.generation if newest else 1
    endless = lifetime is None and newest is not None and newest.expires_at is None
    if newest and not (endless and alive(newest, world.clock())):
        generation += 1
    expires = world.clock() + lifetime if lifetime else None
    return await _kept(world, LinkTo(LinkKind.GUEST, room.id, generation), expires)


async def _kept(world: World, goal: LinkTo, expires: datetime | None) -> LinkTo:
    hash_ = fingerprint(world.links.token(goal))
    await world.store.put_link(
        Link(hash_, goal.kind, goal.room, goal.person, goal.generation, world.clock(), expires)
    )
    return goal


def alive(link: Link, now: datetime) -> bool:
    """Not revoked, not past its time."""
    return link.revoked_at is None and (link.expires_at is None or now < link.expires_at)
