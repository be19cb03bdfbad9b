"""Who is in a room and what they are there; putting people in, out, and into roles."""

from __future__ import annotations

from tests.fakes.rocketchat.records import Room
from tests.fakes.rocketchat.refusals import Failed, Forbidden, NotFound, Refused
from tests.fakes.rocketchat.rest.endpoints import Call, Handler, endpoint
from tests.fakes.rocketchat.rest.finding import (
    FAMILIES,
    family_room,
    member_document,
    named_room,
    person,
    unmatched,
    visible_room,
)
from tests.fakes.rocketchat.wire import Json

_FIRST = ("owner", "moderator")
_RANKS = (*_FIRST, "leader")


def _roles(room: Room) -> list[Json]:
    return [
        {"_id": membership.id, "rid": room.id, "u": membership.user.short, "roles": sorted(roles)}
        for user_id, roles in room.roles.items()
        if (membership := room.members.get(user_id))
    ]


@endpoint("GET", "channels.roles", "groups.roles")
def roles(call: Call) -> Json:
    return {"roles": _roles(family_room(call))}


@endpoint("GET", "rooms.roles", since=(7, 10))
def rooms_roles(call: Call) -> Json:
    """The parameter is `rid` here."""
    room = call.state.rooms.get(call.text("rid"))
    if room is None or not call.state.sees(call.me, room):
        raise Refused("error-invalid-room", "Invalid room")
    return {"roles": _roles(room)}


@endpoint("GET", "channels.members", "groups.members", "dm.members", "im.members")
def members(call: Call) -> Json:
    room = family_room(call)
    listed = sorted(room.users, key=lambda user: user.username)
    wanted = (call.optional("filter") or "").casefold()
    found = [
        {key: value for key, value in member_document(user, room).items() if key != "roles"}
        for user in listed
        if wanted in user.username.casefold() or wanted in user.name.casefold()
    ]
    return call.page("members", found)


@endpoint("GET", "rooms.membersOrderedByRole", since=(7, 3))
def members_ordered_by_role(call: Call) -> Json:
    """Owners, moderators, then everybody else, each by name."""
    room = named_room(call)
    if room is None or not call.state.sees(call.me, room):
        reason = 'The required "roomId" or "roomName" param provided does not match any room'
        raise NotFound(reason)
    if room.kind not in "cp":
        raise Failed("error-room-type-not-supported")
    wanted = (call.optional("filter") or "").casefold()

    def place(document: Json) -> tuple[int, str]:
        ranks = [_FIRST.index(role) for role in document.get("roles", []) if role in _FIRST]
        return min(ranks, default=len(_FIRST)), document["username"]

    documents = [
        member_document(user, room)
        for user in room.users
        if wanted in user.username.casefold() or wanted in user.name.casefold()
    ]
    return call.page("members", sorted(documents, key=place))


@endpoint("GET", "rooms.isMember")
def is_member(call: Call) -> Json:
    """As the source has it; the documentation says that who is none is an error."""
    if not ("userId" in call.params or "username" in call.params):
        raise call.bad("must match exactly one schema in oneOf")
    room = named_room(call)
    if room is None:
        raise unmatched("channel")
    user = call.state.users.get(call.optional("userId") or "")
    user = user or call.state.named(call.optional("username") or "")
    if user is None:
        raise Failed("error-user-not-found")
    if not call.state.sees(call.me, room):
        raise Forbidden(own=True)
    return {"isMember": user.id in room.members}


@endpoint("POST", "channels.invite", "groups.invite")
def invite(call: Call) -> Json:
    room, user = family_room(call), person(call)
    inside = call.me.id in room.members
    anywhere = f"add-user-to-any-{room.kind}-room"
    if not call.state.may(call.me, anywhere):
        if not (inside and call.state.may(call.me, "add-user-to-joined-room", room)):
            raise Refused("error-not-allowed", "Not allowed")
    call.state.join(user, room, by=call.me)
    return {FAMILIES[call.path.partition(".")[0]][1]: room.document}


@endpoint("POST", "channels.kick", "groups.kick")
def kick(call: Call) -> Json:
    room, user = family_room(call), person(call)
    call.refuse_without("remove-user", room)
    if user.id not in room.members:
        raise Refused("error-user-not-in-room", "User is not in this room")
    call.state.leave(user, room, by=call.me)
    return {FAMILIES[call.path.partition(".")[0]][1]: room.document}


def _sets(role: str, *, on: bool) -> Handler:
    def handle(call: Call) -> Json:
        room, user = family_room(call), person(call)
        call.refuse_without(f"set-{role}", room)
        if user.id not in room.members:
            raise Refused("error-user-not-in-room", "User is not in this room")
        call.state.set_role(user, room, role, on=on)
        return {}

    return handle


for _role in _RANKS:
    for _family in ("channels", "groups"):
        endpoint("POST", f"{_family}.add{_role.title()}")(_sets(_role, on=True))
        endpoint("POST", f"{_family}.remove{_role.title()}")(_sets(_role, on=False))


def _mutes(*, on: bool) -> Handler:
    def handle(call: Call) -> Json:
        room, user = visible_room(call), person(call)
        call.refuse_without("mute-user", room)
        (room.muted.add if on else room.muted.discard)(user.username)
        call.state.touch(room)
        call.state.system(room, call.me, "user-muted" if on else "user-unmuted", user.username)
        return {}

    return handle


endpoint("POST", "rooms.muteUser", since=(6, 8))(_mutes(on=True))
endpoint("POST", "rooms.unmuteUser", since=(6, 8))(_mutes(on=False))
