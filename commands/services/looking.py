"""Looking at meetings: what BBB says of them is kept, and their cards follow, to the end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from commands.errors import LeftAlone, ServerBusy, ServerTrouble
from commands.ports import MeetingInfo
from commands.services import cards
from commands.world import World
from storage.records import LinkKind, Meeting, MeetingState, Room

LOOKED_AT = 100
"""Meetings one tick looks at."""
AT_ONCE = 4
"""Meetings that are looked at side by side on one server."""


async def look(world: World, room: Room, meeting: Meeting) -> Meeting | None:
    """Ask BBB about a meeting and keep what it says; None when it is over. Raises ServerTrouble.

    One that somebody is just creating is left alone.
    """
    if meeting.state is MeetingState.PLANNED:
        return meeting
    return await note(
        world, room, meeting, await world.servers.info(meeting.server, room.meeting_id)
    )


async def note(
    world: World, room: Room, meeting: Meeting, info: MeetingInfo | None
) -> Meeting | None:
    """Keep what BBB said of a meeting, and let its card follow; None when it is over."""
    now = world.clock()
    if info is None or info.internal_id != meeting.internal_id or info.forcibly_ended:
        await over(world, room, meeting)
        return None
    seen = await world.store.meeting_seen(
        meeting.id, present=info.people, at=now, next_look_at=now + world.policy.look_every
    )
    if (seen.state, seen.present) != (meeting.state, meeting.present):
        await cards.refresh(world, room, seen)
    return seen


async def over(world: World, room: Room, meeting: Meeting, *, by_us: bool = False) -> None:
    """Write the end of a meeting down: the card says so, links that live with it are dead.

    A meeting that nobody came to is only forgotten, unless it was ended `by_us`. The row comes
    last: after a crash in between, the next look does all of it again.
    """
    present = await world.store.meeting(meeting.id) or meeting
    if by_us or present.joined_at is not None:
        ended = replace(present, state=MeetingState.ENDED, ended_at=world.clock())
        await cards.refresh(world, room, ended)
        await _end_guest_links(world, room)
    await world.store.meeting_ended(meeting.id, at=world.clock())


async def _end_guest_links(world: World, room: Room) -> None:
    """Those that end with the meeting; one with a time of its own keeps it."""
    await world.store.revoke_links(
        at=world.clock(), room_id=room.id, kind=LinkKind.GUEST, endless=True
    )


async def look_due(world: World, server: str) -> bool:
    """One tick: look at meetings of one server whose time has come; whether more may be due now.

    Those that were asked about in vain are tried again later. The others are then left as they are:
    due as soon as the server is back.
    """
    due = await world.store.meetings_to_look_at(server, now=world.clock(), limit=LOOKED_AT)
    for first in range(0, len(due), AT_ONCE):
        looks = [_look_safely(world, meeting) for meeting in due[first : first + AT_ONCE]]
        if not all(await asyncio.gather(*looks)):
            return False
    return len(due) == LOOKED_AT


async def _look_safely(world: World, meeting: Meeting) -> bool:
    """Look at one meeting; whether the server answered."""
    try:
        await _look_at(world, meeting)
    except LeftAlone:
        return False
    except ServerTrouble as trouble:
        asked_for = trouble.retry_after if isinstance(trouble, ServerBusy) else None
        wait = max(world.policy.look_every, asked_for or timedelta())
        await world.store.look_again(meeting.id, at=world.clock() + wait)
        return False
    return True


async def _look_at(world: World, meeting: Meeting) -> None:
    room = await world.store.room(meeting.room)
    if room is None:
        await world.store.meeting_ended(meeting.id, at=world.clock())
    elif meeting.state is MeetingState.PLANNED:
        await _find_out(world, room, meeting)
    else:
        await look(world, room, meeting)


async def _find_out(world: World, room: Room, plan: Meeting) -> None:
    """Whether BBB has carried out a plan, nobody knows: the answer was lost, or a crash came.

    For a room that is gone, the meeting is ended. Elsewhere it is left to whoever opens the room
    next, until BBB itself has forgotten it.
    """
    if room.deleted_at is not None:
        await world.servers.end(plan.server, room.meeting_id)
        await world.store.drop_meeting(plan.id)
    elif await world.servers.info(plan.server, room.meeting_id):
        await world.store.look_again(plan.id, at=world.clock() + world.policy.look_every)
    elif await world.store.meeting(plan.id) == plan:  # nobody has taken it up meanwhile
        await world.store.drop_meeting(plan.id)


async def write_off(world: World) -> None:
    """End the meetings on servers that were taken out of the configuration: nobody can be asked
    about them, and their rooms would stay shut.
    """
    for meeting in await world.store.live_meetings():
        room = await world.store.room(meeting.room)
        if meeting.server not in world.servers.names() and room is not None:
            await over(world, room, meeting)
