"""Rooms themselves: what they are, making, joining, leaving, changing and deleting them."""

from __future__ import annotations

from tests.fakes.rocketchat.records import Room
from tests.fakes.rocketchat.refusals import Refused
from tests.fakes.rocketchat.rest.endpoints import Call, endpoint
from tests.fakes.rocketchat.rest.finding import FAMILIES, family_room, named_room, visible_room
from tests.fakes.rocketchat.wire import Json


def _shown(call: Call, room: Room) -> Json:
    """Under the word of the family: `channel`, `group` or `room`."""
    return {FAMILIES[call.path.partition(".")[0]][1]: room.document}


@endpoint("GET", "rooms.info")
def rooms_info(call: Call) -> Json:
    return {"room": visible_room(call).document}


@endpoint("GET", "channels.info", "groups.info")
def info(call: Call) -> Json:
    return _shown(call, family_room(call))


@endpoint("GET", "channels.list")
def channels_list(call: Call) -> Json:
    seen = (room for room in call.state.rooms.values() if room.kind == "c")
    return call.page("channels", [room.document for room in seen if call.state.sees(call.me, room)])


@endpoint("GET", "channels.list.joined", "groups.list")
def joined(call: Call) -> Json:
    family = call.path.partition(".")[0]
    rooms = (room for room in call.state.rooms_of(call.me) if room.kind == FAMILIES[family][0])
    return call.page(family, [room.document for room in rooms])


@endpoint("POST", "channels.create", "groups.create")
def create(call: Call) -> Json:
    family = call.path.partition(".")[0]
    kind, word = FAMILIES[family]
    if not call.state.may(call.me, f"create-{kind}"):
        raise Refused("error-unauthorized", "unauthorized")
    name = call.text("name")
    if call.state.room_named(name):
        raise Refused("error-duplicate-channel-name", f"A channel with name '{name}' exists")
    found = [call.state.named(username) for username in call.texts("members")]
    room = call.state.add_room(name, kind, call.me, [user for user in found if user])
    if call.flag("readOnly"):
        room.readonly = True
    return {word: room.document}


def _join(call: Call, room: Room | None) -> Room:
    if room is None:
        raise Refused("error-room-not-found", "The required room does not match any channel")
    if room.kind != "c" or not call.state.sees(call.me, room):
        raise Refused("error-not-allowed", "Not allowed")
    closed = room.join_code is not None and room.join_code != call.optional("joinCode")
    if closed and not call.state.may(call.me, "join-without-join-code"):
        raise Refused("error-code-invalid", "Invalid Room Password")
    call.state.join(call.me, room)
    return room


@endpoint("POST", "channels.join")
def channels_join(call: Call) -> Json:
    return {"channel": _join(call, family_room(call)).document}


@endpoint("POST", "rooms.join", since=(8, 6))
def rooms_join(call: Call) -> Json:
    return {"room": _join(call, named_room(call)).document}


def _leave(call: Call, room: Room | None) -> None:
    if room is None:
        raise Refused("error-invalid-room", "Invalid room")
    if call.me.id not in room.members:
        raise Refused("error-user-not-in-room", "You are not in this room")
    if room.kind == "d" or not call.state.may(call.me, f"leave-{room.kind}", room):
        raise Refused("error-not-allowed", "Not allowed")
    owners = [user_id for user_id, roles in room.roles.items() if "owner" in roles]
    if owners == [call.me.id]:
        reason = "You are the last owner. Please set new owner before leaving the room."
        raise Refused("error-you-are-last-owner", reason)
    call.state.leave(call.me, room)


@endpoint("POST", "rooms.leave")
def rooms_leave(call: Call) -> Json:
    _leave(call, call.state.rooms.get(call.text("roomId")))
    return {}


@endpoint("POST", "channels.leave", "groups.leave")
def leave(call: Call) -> Json:
    room = family_room(call)
    _leave(call, room)
    return _shown(call, room)


@endpoint("POST", "channels.rename", "groups.rename")
def rename(call: Call) -> Json:
    room = family_room(call)
    call.refuse_without("edit-room", room)
    call.state.rename(room, call.text("name"), call.me)
    return _shown(call, room)


@endpoint("POST", "channels.setTopic", "groups.setTopic")
def set_topic(call: Call) -> Json:
    room, topic = family_room(call), call.text("topic")
    call.refuse_without("edit-room", room)
    room.more["topic"] = topic
    call.state.touch(room)
    call.state.system(room, call.me, "room_changed_topic", topic)
    return {"topic": topic}


@endpoint("POST", "channels.setReadOnly", "groups.setReadOnly")
def set_read_only(call: Call) -> Json:
    room, on = family_room(call), call.flag("readOnly")
    if on is None:
        raise Refused("error-invalid-params", 'The "readOnly" param is required')
    call.refuse_without("set-readonly", room)
    room.readonly = on
    call.state.touch(room)
    return _shown(call, room)


@endpoint("POST", "channels.archive", "groups.archive")
def archive(call: Call) -> Json:
    room = family_room(call)
    call.refuse_without("archive-room", room)
    room.archived = True
    call.state.touch(room)
    return {}


@endpoint("POST", "channels.delete", "groups.delete")
def delete(call: Call) -> Json:
    room = family_room(call)
    call.refuse_without(f"delete-{room.kind}", room)
    call.state.remove_room(room)
    return {}
