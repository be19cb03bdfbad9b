"""create, rooms, rename, delete-room, join, my: places to meet and the way into them."""

from commands.errors import UserError
from commands.handlers.counting import creation
from commands.handlers.direct import by_direct_message
from commands.handlers.meetings import may_loosen, my_room
from commands.messages import Message, Phrase, Typed
from commands.options import KEYS, read
from commands.services import calls, meetings, rooms
from commands.services.linking import personal_link, room_link
from commands.spec import Args, Group, Request, Say, Takes, say
from commands.world import World
from storage.records import Channel, Room

group = Group()


@group.command(
    "create",
    "create NAME [options]",
    takes=Takes(title=True, options=KEYS),
    aliases=("créer", "creer", "erstellen"),
    direct=False,
)
async def create(world: World, request: Request, args: Args) -> list[Say]:
    """A named room in this channel."""
    options = read(args.options, world.policy)
    may_loosen(world, request, options)
    with creation(world, request):
        room = await rooms.create(
            world, request.command.channel, request.person, args.title, options, request.cause
        )
    link = await room_link(world, room)
    return [say("create.done", room=room.name, link=link, join=Typed(_join(room)))]


def _join(room: Room) -> str:
    return f'join "{room.name}"'


@group.command("rooms", "rooms", aliases=("salles", "räume", "raeume"), direct=False)
async def listed(world: World, request: Request, args: Args) -> list[Say]:
    """The rooms of this channel."""
    found = await world.store.rooms_in(request.command.channel)
    if not found:
        return [say("rooms.none", create=Typed("create NAME"))]
    lines = [Phrase("rooms.head", {"n": len(found)})]
    for room in found:
        open_now = await meetings.is_open(world, room)
        key = "rooms.live" if open_now else "rooms.line"
        lines.append(Phrase(key, {"room": room.name, "link": await room_link(world, room)}))
    return [Say(Message(tuple(lines)))]


@group.command(
    "rename",
    'rename "ROOM" "NEW NAME"',
    takes=Takes(names=2),
    aliases=("renommer", "umbenennen"),
    direct=False,
)
async def rename(world: World, request: Request, args: Args) -> list[Say]:
    """Give a named room another name; links go on working."""
    if len(args.names) != 2:
        raise UserError("e.two_names", usage=Typed('rename "ROOM" "NEW NAME"'))
    old, new = args.names
    shown = await rooms.rename(
        world, request.command.channel, request.person, request.standing, old, new, request.cause
    )
    return [say("rename.done", room=shown)]


@group.command(
    "delete-room",
    "delete-room ROOM",
    takes=Takes(names=1),
    aliases=("supprimer-salle", "raum-löschen", "raum-loeschen"),
    direct=False,
)
async def delete(world: World, request: Request, args: Args) -> list[Say]:
    """Take a named room away with its links."""
    if not args.names:
        raise UserError("e.missing", what="ROOM", usage=Typed("delete-room ROOM"))
    room = await rooms.delete(
        world,
        request.command.channel,
        request.person,
        request.standing,
        args.names[0],
        request.cause,
    )
    return [say("delete.done", room=room.name)]


@group.command("join", "join [ROOM]", takes=Takes(names=1), aliases=("rejoindre", "beitreten"))
async def join(world: World, request: Request, args: Args) -> list[Say]:
    """My personal link, by direct message; in a direct message without a room: my calls."""
    if request.command.direct and not args.names:
        return await _my_calls(world, request)
    name = args.names[0] if args.names else ""
    room = await rooms.find(world, request.command.channel, name, request.person, request.cause)
    link = await personal_link(world, room, request.person)
    return by_direct_message(request, Phrase("join.link", {"room": room.name, "link": link}))


async def _my_calls(world: World, request: Request) -> list[Say]:
    found = await calls.mine(world, request.person)
    if not found:
        return [say("join.none", my=Typed("my"))]
    lines = [
        Phrase("join.line", {"room": room.name, "link": link, "at": room.created_at})
        for room, link in found
    ]
    return by_direct_message(request, Phrase("join.head", {"n": len(lines)}), *lines)


@group.command(
    "my", "my [reset]", takes=Takes(flags=frozenset({"reset"})), aliases=("ma-salle", "mein")
)
async def my(world: World, request: Request, args: Args) -> list[Say]:
    """My own room; `reset` makes its old links dead."""
    if "reset" not in args.flags:
        return await my_room(world, request)
    channel: Channel = request.command.channel
    room = await rooms.reset_personal(world, request.person, channel, request.cause)
    link = await personal_link(world, room, request.person)
    return by_direct_message(request, Phrase("my.reset", {"link": link}))
