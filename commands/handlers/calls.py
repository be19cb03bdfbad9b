"""call, invite, guest: letting people in by name, or outsiders by a link."""

from commands.errors import UserError
from commands.handlers.counting import creation, invitations
from commands.handlers.direct import direct
from commands.messages import Arg, LinkTo, Message, Phrase, TextKey, Typed, Who
from commands.options import span
from commands.permissions import may_change_room
from commands.services import calls, rooms
from commands.services.meetings import room_options
from commands.spec import Args, Group, Request, Say, Takes, say
from commands.world import World
from storage.records import Person, Room

group = Group()


@group.command(
    "call",
    'call @ana @bo ["Topic"]',
    takes=Takes(people=True, title=True),
    aliases=("appel", "anruf"),
)
async def call(world: World, request: Request, args: Args) -> list[Say]:
    """A private call: personal links by direct message, everyone is moderator."""
    others = await _people(world, request, args, "call @ana @bo")
    with invitations(world, request, len(others)), creation(world, request):
        room, links = await calls.call(
            world, request.command.channel, request.person, others, args.title, request.cause
        )
    asker = await _asker(world, request)
    told = [await _call_letter(world, request, room, asker, goal) for goal in links]
    return [*told, await _told(world, others)]


async def _call_letter(
    world: World, request: Request, room: Room, asker: Who, goal: tuple[Person, LinkTo]
) -> Say:
    person, link = goal
    language = await world.own_language(person) or request.language
    args: dict[str, Arg] = {"who": asker, "room": room.name, "link": link}
    key = "call.yours" if person == request.person else "call.invited"
    return direct(person, Phrase(key, args), language=language)


async def _asker(world: World, request: Request) -> Who:
    return Who(request.person, await world.name_of(request.person))


async def _told(world: World, people: list[Person]) -> Say:
    return say("call.told", names=await calls.named(world, people))


async def _people(world: World, request: Request, args: Args, usage: str) -> list[Person]:
    people = await calls.people_meant(world, request.command.channel, request.person, args.people)
    if not people:
        raise UserError("e.nobody_named", usage=Typed(usage))
    return people


@group.command(
    "invite",
    "invite @user… [ROOM]",
    takes=Takes(people=True, names=1),
    aliases=("inviter", "einladen"),
)
async def invite(world: World, request: Request, args: Args) -> list[Say]:
    """A direct message with a personal link into a room, also for people outside the channel."""
    name = args.names[0] if args.names else ("my" if request.command.direct else "")
    channel = request.command.channel
    room = await rooms.find(world, channel, name, request.person, request.cause)
    people = await _people(world, request, args, "invite @user [ROOM]")
    asker = await _asker(world, request)
    told = []
    with invitations(world, request, len(people)):
        links = await calls.invite(world, room, people)
    for person, link in links:
        language = await world.own_language(person) or request.language
        phrase_args: dict[str, Arg] = {"who": asker, "room": room.name, "link": link}
        told.append(direct(person, Phrase("invite.link", phrase_args), language=language))
    return [*told, await _told(world, people)]


@group.command(
    "guest",
    "guest [ROOM] [for 2h]",
    takes=Takes(names=1, options=frozenset({"for"}), flags=frozenset({"off"})),
    aliases=("invité", "gast"),
)
async def guest(world: World, request: Request, args: Args) -> list[Say]:
    """A link for outsiders; `guest off` makes it dead."""
    name = args.names[0] if args.names else ("my" if request.command.direct else "")
    channel = request.command.channel
    room = await rooms.find(world, channel, name, request.person, request.cause)
    _may_let_guests_in(world, request, room)
    if "off" in args.flags:
        return [
            say("guest.off", n=await calls.guests_off(world, room, request.cause), room=room.name)
        ]
    lifetime = span(args.options["for"]) if "for" in args.options else None
    if "for" in args.options and lifetime is None:
        raise UserError("e.option_value", option="for", possible="for 90m, for 2h, for 1h30")
    link = await calls.guest(world, room, lifetime)
    until: Arg = TextKey("guest.for", {"length": lifetime}) if lifetime else TextKey("guest.end")
    head = Phrase("guest.link", {"room": room.name, "link": link, "until": until})
    return [Say(Message((head, Phrase("guest.how", {"off": Typed("guest off")}))))]


def _may_let_guests_in(world: World, request: Request, room: Room) -> None:
    """Channel admins and the room's owner; every member where the room welcomes guests."""
    rule = room_options(world, room).guests
    if rule == "off" and not may_change_room(request.person, request.standing, room):
        raise UserError("e.not_yours", verb="guest")
