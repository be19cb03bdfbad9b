"""Meetings: opened by a command or a click, asked about, talked into, ended.

planned ──create──> open ──somebody inside──> running ──end, or gone at BBB──> ended
   ├──refused: the row is taken out               open ──BBB forgot it──> ended, the card stays open
   └──answer lost: stays planned until the same room is asked for again, or BBB says what it holds
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from commands.cleaning import clean
from commands.errors import (
    NoSuchMeeting,
    ServerTrouble,
    ServerUnreachable,
    UserError,
)
from commands.messages import Typed
from commands.options import Options
from commands.permissions import Standing, may_end
from commands.ports import CreatedMeeting, MeetingInfo, MeetingPlan
from commands.services import cards, looking
from commands.world import World, derived
from storage.records import (
    Card,
    Confirmation,
    Meeting,
    MeetingState,
    Person,
    Room,
    RoomKind,
)
from storage.store import Conflict

CONFIRM_WITHIN = timedelta(seconds=60)
SOON = timedelta(seconds=3)
CREATED_WITHIN = timedelta(minutes=1)
"""What is still planned after this time was left over by a crash."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A meeting that may be joined; `fresh` unless it was open or running before the command."""

    room: Room
    meeting: Meeting
    card: Card | None
    fresh: bool


async def open_for_command(
    world: World, room: Room, person: Person, topic: str, options: Options, cause: str
) -> Opened:
    """The room's call, opened if it is not; a new card to post when it is fresh.

    Raises ServerTrouble: then nothing is left behind, or what is `in_doubt` is looked after.
    """
    meeting = await world.store.meeting_by_cause(cause) or await _alive(world, room)
    if meeting is None:
        meeting = await _plan(world, room, person, topic, options, cause, card=None)
    if meeting.cause != cause and meeting.state is not MeetingState.PLANNED:
        return Opened(room, meeting, await _card_of(world, meeting), fresh=False)
    meeting = await ensure_created(world, room, meeting, cause)
    if meeting.cause != cause and (there := await _card_of(world, meeting)):
        await cards.refresh(world, room, meeting)
        return Opened(room, meeting, there, fresh=False)
    card = await cards.new_card(world, room, meeting)
    return Opened(room, meeting, card, fresh=True)


async def open_in_new_room(
    world: World, room: Room, person: Person, topic: str, options: Options, cause: str
) -> Opened:
    """The same for a room that was made for this call alone, and goes again if it is not opened."""
    if room.deleted_at is not None:  # the first try failed, then a crash came
        raise ServerUnreachable("", "create", "refused before")
    try:
        return await open_for_command(world, room, person, topic, options, cause)
    except ServerTrouble:
        await world.store.delete_room(room.id, at=world.clock(), cause=cause)
        raise


async def open_for_click(world: World, room: Room, person: Person, cause: str) -> Opened:
    """The meeting a click leads into, created anew where BBB has forgotten it.

    Within 15 minutes of the end the same card runs again; later a new one is posted.
    """
    meeting = await world.store.live_meeting(room.id)
    if meeting is not None:
        created = await ensure_created(world, room, meeting, cause)
        if created.id == meeting.id:
            if meeting.state is MeetingState.PLANNED:
                await _show(world, room, created)
            return Opened(room, created, None, fresh=False)
    last = await world.store.last_meeting(room.id)
    card = await _card_to_reuse(world, room, last)
    topic = last.topic if last and card else ""
    options = Options.from_json(last.options) if last and card else Options()
    # Who opened the call stays its opener when a click brings it back.
    opener = last.started_by if last and card else person
    meeting = await _plan(
        world, room, opener, topic, options, cause, card=card.id if card else None
    )
    meeting = await ensure_created(world, room, meeting, cause)
    await _show(world, room, meeting)
    return Opened(room, meeting, card, fresh=True)


def room_options(world: World, room: Room) -> Options:
    """What holds in a room: its own options, else the configuration's."""
    return Options.from_json(room.options).over(Options.default(world.policy))


async def _card_to_reuse(world: World, room: Room, last: Meeting | None) -> Card | None:
    """The room's card when it is still open, or ended less than 15 minutes ago, where it is now."""
    if last is None or last.card is None:
        return None
    over_since = last.ended_at if last.joined_at is not None else None
    if over_since is not None and world.clock() - over_since > cards.REUSED_FOR:
        return None
    card = await world.store.card(last.card)
    return card if card and card.channel == room.channel else None


async def _card_of(world: World, meeting: Meeting) -> Card | None:
    return await world.store.card(meeting.card) if meeting.card else None


async def _show(world: World, room: Room, meeting: Meeting) -> None:
    """Let the meeting's card follow; in a channel, post the one that is missing."""
    if await _card_of(world, meeting):
        await cards.refresh(world, room, meeting)
    elif room.kind in (RoomKind.DEFAULT, RoomKind.NAMED):
        card = await cards.new_card(world, room, meeting)
        letter = cards.letter_of(card, letter_id=f"{card.id}/post")
        await world.store.say([letter], cards=[card])


async def _alive(world: World, room: Room) -> Meeting | None:
    """The room's live meeting, if BBB still has it; one that BBB forgot is written off."""
    meeting = await world.store.live_meeting(room.id)
    if meeting is None or meeting.state is MeetingState.PLANNED:
        return meeting
    return await looking.look(world, room, meeting)


async def _plan(
    world: World,
    room: Room,
    person: Person,
    topic: str,
    options: Options,
    cause: str,
    *,
    card: str | None,
) -> Meeting:
    """Write the meeting down before BBB is asked."""
    wanted = Meeting(
        id=derived("meeting", cause),
        room=room.id,
        server=world.servers.choose(),
        started_by=person,
        created_at=world.clock(),
        cause=cause,
        card=card or derived("card", cause),
        topic=clean(topic) or room.name,
        options=options.over(room_options(world, room)).to_json(),
        next_look_at=world.clock() + CREATED_WITHIN,
    )
    return await _written_down(world, wanted)


async def _written_down(world: World, wanted: Meeting) -> Meeting:
    """The meeting as planned, or the one that somebody else was faster with."""
    try:
        return await world.store.plan_meeting(wanted)
    except Conflict:
        there = await world.store.live_meeting(wanted.room)
        return there or await world.store.plan_meeting(wanted)  # it ended in between


async def ensure_created(world: World, room: Room, meeting: Meeting, cause: str) -> Meeting:
    """Have BBB hold this meeting. A session other than ours is a new meeting of the same room.

    Raises ServerTrouble; a meeting that `cause` itself has only planned is then taken out again,
    unless it may have been created: then that is found out later.
    """
    if meeting.state is MeetingState.PLANNED and meeting.cause != cause:
        await world.store.look_again(meeting.id, at=world.clock() + CREATED_WITHIN)
    try:
        made = await world.servers.create(meeting.server, await _plan_for_bbb(world, room, meeting))
    except ServerTrouble as trouble:
        if trouble.in_doubt:
            await world.store.look_again(meeting.id, at=world.clock() + world.policy.look_every)
        elif meeting.cause == cause:
            await world.store.drop_meeting(meeting.id)
        raise
    if meeting.internal_id and made.internal_id != meeting.internal_id:
        return await _next_session(world, room, meeting, made)
    if meeting.state is not MeetingState.PLANNED:
        return meeting
    soon = world.clock() + min(SOON, world.policy.look_every)
    await world.store.meeting_created(
        meeting.id, internal_id=made.internal_id, create_time=made.create_time, next_look_at=soon
    )
    return await world.store.meeting(meeting.id) or meeting


async def _next_session(world: World, room: Room, old: Meeting, made: CreatedMeeting) -> Meeting:
    """BBB had forgotten the old session, and `create` began a new one: the card goes on with it."""
    await world.store.meeting_ended(old.id, at=world.clock())
    cause = f"{old.cause}|{made.internal_id}"
    planned = await _written_down(
        world,
        replace(
            old,
            id=derived("meeting", cause),
            cause=cause,
            state=MeetingState.PLANNED,
            created_at=world.clock(),
            internal_id="",
            create_time=0,
            joined_at=None,
            ended_at=None,
            present=0,
            peak=0,
            next_look_at=world.clock() + CREATED_WITHIN,
        ),
    )
    soon = world.clock() + min(SOON, world.policy.look_every)
    await world.store.meeting_created(
        planned.id, internal_id=made.internal_id, create_time=made.create_time, next_look_at=soon
    )
    fresh = await world.store.meeting(planned.id) or planned
    await cards.refresh(world, room, fresh)
    return fresh


async def _plan_for_bbb(world: World, room: Room, meeting: Meeting) -> MeetingPlan:
    options = Options.from_json(meeting.options)
    record = options.record or "off"
    back = world.chat(room.channel.platform).web_address(room.channel)
    return MeetingPlan(
        meeting_id=room.meeting_id,
        name=meeting.topic,
        record=record != "off",
        auto_start_recording=record in ("auto", "fixed"),
        allow_start_stop_recording=record != "fixed",
        max_participants=options.max_participants,
        duration=timedelta(minutes=options.minutes) if options.minutes else None,
        # The guest policy is about those who join with guest=true only; we decide who does.
        lobby=True,
        mute_on_start=bool(options.mute),
        welcome=world.policy.welcome,
        logout_url=world.policy.logout_url or back or world.policy.public_url,
        disable_private_chat=room.kind is RoomKind.CALL,
    )


async def is_open(world: World, room: Room) -> bool:
    """Whether BBB holds a meeting of this room, as far as we know."""
    meeting = await world.store.live_meeting(room.id)
    return meeting is not None and meeting.state is not MeetingState.PLANNED


# --- what people ask about a meeting -----------------------------------------


async def running(world: World, room: Room) -> tuple[Meeting, MeetingInfo]:
    """The room's meeting and what BBB says of it. Raises UserError (none), ServerTrouble."""
    meeting = await world.store.live_meeting(room.id)
    if meeting is None or meeting.state is MeetingState.PLANNED:
        raise UserError("e.nothing_runs", room=room.name, start=Typed(""))
    info = await world.servers.info(meeting.server, room.meeting_id)
    if await looking.note(world, room, meeting, info) is None or info is None:
        raise UserError("e.nothing_runs", room=room.name, start=Typed(""))
    return meeting, info


async def end(
    world: World,
    room: Room,
    person: Person,
    standing: Standing,
    *,
    sure: bool,
    cause: str,
) -> Meeting:
    """End what runs in a room. With more than one person inside, it must be said twice within 60 s.

    Ends the meeting it names and no later one. Raises UserError, ServerTrouble.
    """
    if sure and (asked := await _confirmed(world, room, person, cause)):
        if not may_end(person, standing, room, asked.started_by):  # demoted since they were asked
            raise UserError("e.not_yours_to_end")
        return await _end(world, room, asked, cause)
    meeting, info = await running(world, room)
    if not may_end(person, standing, room, meeting.started_by):
        raise UserError("e.not_yours_to_end")
    if info.people > 1:
        await _ask(world, room, person, meeting, info.people)
    return await _end(world, room, meeting, cause)


async def ended_by(world: World, cause: str) -> Meeting | None:
    """What this very command ended, or was about to end when a crash came. Raises ServerTrouble."""
    meeting = await world.store.meeting_ended_by(cause)
    room = await world.store.room(meeting.room) if meeting else None
    return await _end(world, room, meeting, cause) if meeting and room else None


async def _ask(world: World, room: Room, person: Person, meeting: Meeting, inside: int) -> None:
    subject = f"{room.id} {meeting.id}"
    until = world.clock() + CONFIRM_WITHIN
    await world.store.ask_to_confirm(Confirmation(person, "end", subject, until))
    again = "end sure" if room.kind is RoomKind.DEFAULT else f'end "{room.name}" sure'
    raise UserError("end.sure", n=inside, topic=meeting.topic, again=Typed(again))


async def _confirmed(world: World, room: Room, person: Person, cause: str) -> Meeting | None:
    taken = await world.store.take_confirmation(person, "end", now=world.clock(), cause=cause)
    if taken is None:
        return None
    room_id, _, meeting_id = taken.subject.partition(" ")
    if room_id != room.id:
        return None
    return await world.store.meeting(meeting_id)


async def _end(world: World, room: Room, meeting: Meeting, cause: str) -> Meeting:
    """Which meeting it is, is written down before BBB is asked."""
    await world.store.ending_meeting(meeting.id, cause=cause)
    if meeting.state is MeetingState.ENDED:
        return meeting
    info = await world.servers.info(meeting.server, room.meeting_id)
    if info is not None and info.internal_id == meeting.internal_id:
        await world.servers.end(meeting.server, room.meeting_id)
    await looking.over(world, room, meeting, by_us=True)
    if room.kind is RoomKind.CALL:  # its links die with it
        await world.store.delete_room(room.id, at=world.clock(), cause=meeting.cause)
    return await world.store.meeting(meeting.id) or meeting


async def say(world: World, room: Room, name: str, text: str) -> None:
    """Say something in the meeting's own chat. Raises UserError, ServerTrouble."""
    meeting, _ = await running(world, room)
    line = clean(f"{name}: {text}", longest=500)
    try:
        await world.servers.say(meeting.server, room.meeting_id, line)
    except NoSuchMeeting:
        raise UserError("e.nobody_inside", room=room.name) from None
    except ServerTrouble as trouble:
        if trouble.in_doubt:
            raise UserError("e.say_unknown") from None
        raise
