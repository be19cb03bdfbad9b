"""Which room a request means, and whether the asker may see it."""

from __future__ import annotations

from tests.fakes.rocketchat.records import Room, User
from tests.fakes.rocketchat.refusals import Failed, Forbidden, Refused
from tests.fakes.rocketchat.rest.endpoints import Call
from tests.fakes.rocketchat.wire import Json

FAMILIES = {
    "channels": ("c", "channel"),
    "groups": ("p", "group"),
    "dm": ("d", "im"),
    "im": ("d", "im"),
}
"""By the first part of a path: the kind of its rooms, and the word for one in answers."""


def named_room(call: Call) -> Room | None:
    """By `roomId`, else by `roomName`."""
    rid = call.optional("roomId")
    if rid is not None:
        return call.state.rooms.get(rid)
    return call.state.room_named(call.optional("roomName") or "")


def visible_room(call: Call) -> Room:
    """For rooms.*: any kind of room. Raises as rooms.info does."""
    if "roomId" not in call.params and "roomName" not in call.params:
        raise call.bad("must have required property 'roomId'")
    room = named_room(call)
    if room is None:
        raise unmatched("channel")
    if not call.state.sees(call.me, room):
        raise Failed("not-allowed", "Not Allowed")
    return room


def family_room(call: Call) -> Room:
    """For channels.*, groups.* and dm.*: of that kind, and one that the asker may see."""
    kind, word = FAMILIES[call.path.partition(".")[0]]
    if "roomId" not in call.params and "roomName" not in call.params:
        if kind == "d" and "username" in call.params:
            return _direct_with(call, call.text("username"))
        reason = 'The parameter "roomId" or "roomName" is required'
        raise Refused("error-room-param-not-provided", reason)
    room = named_room(call)
    if room is None or room.kind != kind:
        raise unmatched(word)
    if kind != "c" and call.me.id not in room.members:
        raise unmatched(word)
    if not call.state.sees(call.me, room):
        raise Forbidden(own=True)
    return room


def _direct_with(call: Call, username: str) -> Room:
    other = call.state.named(username)
    room = call.state.direct_room({call.me, other}) if other else None
    if room is None:
        raise unmatched("im")
    return room


def unmatched(word: str) -> Refused:
    """What is said where no such room can be seen."""
    reason = f'The required "roomId" or "roomName" param provided does not match any {word}'
    return Refused("error-room-not-found", reason)


def person(call: Call) -> User:
    """By `userId` or `username`."""
    if user_id := call.optional("userId"):
        user = call.state.users.get(user_id)
    else:
        user = call.state.named(call.optional("username") or call.optional("user") or "")
    if user is None:
        reason = 'The required "userId" or "username" param provided does not match any users'
        raise Refused("error-invalid-user", reason)
    return user


def member_document(user: User, room: Room) -> Json:
    keys = ("_id", "username", "name", "status", "utcOffset")
    document = {key: user.document[key] for key in keys}
    if roles := room.roles.get(user.id):
        document["roles"] = sorted(roles)
    return document
