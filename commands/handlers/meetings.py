"""`!bbb`, start, status, who, end, say: the call of a channel."""

from contextlib import nullcontext
from itertools import count

from commands.cleaning import clean
from commands.errors import UserError
from commands.handlers.counting import creation
from commands.handlers.direct import by_direct_message
from commands.messages import Arg, Message, Phrase, TextKey, Typed
from commands.options import KEYS, Options, looser, read
from commands.ports import MeetingInfo
from commands.services import meetings, rooms
from commands.services.linking import personal_link, room_link
from commands.spec import Args, Group, Request, Say, Takes, say
from commands.world import World
from storage.records import Meeting, MeetingState, Room

group = Group()

_ROOM = Takes(names=1)


@group.command(
    "start",
    'start ["Topic"] [options] [new]',
    takes=Takes(title=True, options=KEYS, flags=frozenset({"new"})),
    aliases=("", "démarrer", "demarrer", "starten"),
)
async def start(world: World, request: Request, args: Args) -> list[Say]:
    """The channel's call, shown where it runs, else opened with a card; in direct: my room."""
    if request.command.direct:
        if args.title or args.options or args.flags:
            raise UserError("e.only_in_channels", verb="start")
        return await my_room(world, request)
    options = read(args.options, world.policy)
    may_loosen(world, request, options)
    new = "new" in args.flags
    open_in = meetings.open_in_new_room if new else meetings.open_for_command
    with creation(world, request) if new else nullcontext():
        room = await _room_to_start(world, request, args, options)
        opened = await open_in(world, room, request.person, args.title, options, request.cause)
    if opened.fresh and opened.card is not None:
        return [Say(card=opened.card)]
    return [await _already(world, room, opened.meeting, wished=bool(args.title or args.options))]


def may_loosen(world: World, request: Request, options: Options) -> None:
    """Whom guests and lobby hold back is for the channel's admins to say. Raises UserError."""
    if looser(options, Options.default(world.policy)) and not request.standing.admin:
        raise UserError("e.admins_only", verb="guests, lobby")


async def my_room(world: World, request: Request) -> list[Say]:
    """The asker's own room, by direct message."""
    room = await rooms.personal_room(world, request.person, request.command.channel, request.cause)
    link = await personal_link(world, room, request.person)
    return by_direct_message(request, Phrase("my.link", {"link": link}))


async def _room_to_start(world: World, request: Request, args: Args, options: Options) -> Room:
    """The channel's room, or with `new` one more, named after the topic."""
    channel = request.command.channel
    if "new" not in args.flags:
        return await rooms.default_room(world, channel, request.person, request.cause)
    name = clean(args.title) or await _free_name(world, request)
    return await rooms.create(world, channel, request.person, name, options, request.cause)


async def _free_name(world: World, request: Request) -> str:
    """The channel's name with the first number that no room there has."""
    channel = request.command.channel
    first = await rooms.default_room(world, channel, request.person, request.cause)
    taken = {
        room.name for room in await world.store.rooms_in(channel) if room.cause != request.cause
    }
    return next(name for n in count(2) if (name := f"{first.name} {n}") not in taken)


async def _already(world: World, room: Room, meeting: Meeting, *, wished: bool) -> Say:
    link = await room_link(world, room)
    key = "start.running" if meeting.state is MeetingState.RUNNING else "start.open"
    new = Typed("start new")
    args: dict[str, Arg] = {
        "topic": meeting.topic,
        "n": meeting.present,
        "link": link,
        "new": new,
    }
    lines = [Phrase(key, args)]
    if wished:
        lines.append(Phrase("start.unchanged"))
    return Say(Message(tuple(lines)))


async def _asked_room(world: World, request: Request, args: Args) -> Room:
    name = args.names[0] if args.names else ""
    if request.command.direct and not name:
        name = "my"
    return await rooms.find(world, request.command.channel, name, request.person, request.cause)


@group.command("status", "status [ROOM]", takes=_ROOM, aliases=("état", "etat", "stand"))
async def status(world: World, request: Request, args: Args) -> list[Say]:
    """What runs in a room, as BBB says it now."""
    meeting, info = await meetings.running(world, await _asked_room(world, request, args))
    head = Phrase("status.head", {"topic": meeting.topic, "at": meeting.created_at})
    inside = Phrase("status.inside", {"n": info.people, "moderators": info.moderating})
    record = Phrase("status.record", {"record": _recorded(meeting, info)})
    return [Say(Message((head, inside, record)))]


def _recorded(meeting: Meeting, info: MeetingInfo) -> TextKey:
    wanted = Options.from_json(meeting.options).record or "off"
    return TextKey(f"record.{wanted if info.recording else 'off'}")


@group.command("who", "who [ROOM]", takes=_ROOM, aliases=("qui", "wer"))
async def who(world: World, request: Request, args: Args) -> list[Say]:
    """Who is inside, by the names they joined under; each person once."""
    meeting, info = await meetings.running(world, await _asked_room(world, request, args))
    inside = {attendee.user_id: attendee for attendee in info.attendees}.values()
    names = tuple(clean(attendee.name) or "?" for attendee in inside)
    if not names:
        return [say("who.nobody", topic=meeting.topic)]
    return [say("who.inside", topic=meeting.topic, n=len(names), names=names)]


@group.command(
    "end",
    "end [ROOM]",
    takes=Takes(names=1, flags=frozenset({"sure"})),
    aliases=("terminer", "beenden"),
)
async def end(world: World, request: Request, args: Args) -> list[Say]:
    """End what runs in a room; said twice when more than one person is inside."""
    if done := await ended_before(world, request):
        return done
    room = await _asked_room(world, request, args)
    return await ended(world, request, room, sure="sure" in args.flags)


async def ended_before(world: World, request: Request) -> list[Say]:
    """The first result of a command that runs again after a crash, if it ended something."""
    meeting = await meetings.ended_by(world, request.cause)
    return [say("end.done", topic=meeting.topic)] if meeting else []


async def ended(world: World, request: Request, room: Room, *, sure: bool) -> list[Say]:
    """End the call of a room, or say why not."""
    meeting = await meetings.end(
        world, room, request.person, request.standing, sure=sure, cause=request.cause
    )
    return [say("end.done", topic=meeting.topic)]


@group.command("say", "say TEXT", takes=Takes(text=True), aliases=("dire", "sagen"))
async def speak(world: World, request: Request, args: Args) -> list[Say]:
    """Say something in the meeting's chat; at most once, since BBB takes no id."""
    if not args.title:
        raise UserError("e.say_what", usage=Typed("say TEXT"))
    if request.command.attempts > 1:
        raise UserError("e.say_unknown")
    room = await _asked_room(world, request, Args())
    await meetings.say(world, room, await world.name_of(request.person), args.title)
    return [say("say.done")]
