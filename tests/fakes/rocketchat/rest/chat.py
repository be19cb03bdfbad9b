"""chat.*: sending and changing messages, and looking single ones up."""

from __future__ import annotations

from typing import Any

from tests.fakes.rocketchat import posting
from tests.fakes.rocketchat.records import Room
from tests.fakes.rocketchat.refusals import Failed, Refused
from tests.fakes.rocketchat.rest.direct import open_direct
from tests.fakes.rocketchat.rest.endpoints import Call, Limit, endpoint
from tests.fakes.rocketchat.wire import Json, milliseconds

SENDING = Limit(calls=5, window=1000, lifted_by="send-many-messages", since=(8, 0))
"""The newest servers' own limit."""


@endpoint("POST", "chat.sendMessage", limit=SENDING)
def send_message(call: Call) -> Json:
    """A repeat of an `_id` stores nothing and trips over the missing message."""
    message = call.mapping("message")
    if message is None:
        raise call.bad("must have required property 'message'")
    if "t" in message:
        raise Failed("Cannot send system messages using 'chat.sendMessage'")
    previews = call.texts("previewUrls") if "previewUrls" in call.params else None
    document = posting.send(call.state, call.me, message, previews)
    if document is None:
        raise Failed("Cannot read properties of undefined (reading 'starred')")
    return {"message": document}


@endpoint("POST", "chat.postMessage")
def post_message(call: Call) -> Json:
    """To one room or several; 6.x checks nothing of the body, and `channel` wins."""
    if call.profile.checks_bodies and ("roomId" in call.params) is ("channel" in call.params):
        raise call.bad("must match exactly one schema in oneOf")
    if call.profile.checks_bodies and "tmid" in call.params and "roomId" not in call.params:
        raise call.bad("must NOT have additional properties")
    names = call.texts("channel") or call.texts("roomId")
    if not names:
        raise Failed("[invalid-channel]")
    previews: list[str] | None = [] if call.flag("parseUrls") is False else None
    rooms = [_target(call, name) for name in names]
    sent = [_post(call, room, previews) for room in rooms]
    first = sent[0]
    return {"ts": milliseconds(first["ts"]), "channel": first["rid"], "message": first}


def _target(call: Call, name: str) -> Room:
    """`#name`, `@username`, an id, then a name. A public channel is joined on the way."""
    state, room = call.state, None
    if name.startswith("@"):
        room = open_direct(state, call.me, [name[1:]])
    elif name.startswith("#"):
        room = state.room_named(name[1:])
    else:
        room = state.rooms.get(name) or state.room_named(name)
    if room is None:
        raise Refused("invalid-channel", "invalid-channel")
    if room.kind == "c" and call.me.id not in room.members:
        state.join(call.me, room)
    return room


def _post(call: Call, room: Room, previews: list[str] | None) -> Json:
    keys = ("alias", "emoji", "avatar", "attachments", "tmid", "customFields")
    fields: dict[str, Any] = {key: call.params[key] for key in keys if key in call.params}
    said = {"rid": room.id, "msg": call.optional("text") or "", "groupable": False}
    document = posting.send(call.state, call.me, {**fields, **said}, previews)
    assert document is not None, "there was no _id that could be a repeat"
    return document


@endpoint("POST", "chat.update")
def update(call: Call) -> Json:
    rid, message_id, said = call.text("roomId"), call.text("msgId"), call.text("text")
    fields = call.mapping("customFields")
    return {"message": posting.edit(call.state, call.me, message_id, rid, said, fields)}


@endpoint("POST", "chat.react")
def react(call: Call) -> Json:
    message_id = call.text("messageId")
    emoji = call.optional("emoji") or call.optional("reaction")
    if not emoji:
        raise Refused("error-emoji-param-not-provided", 'The required "emoji" param is missing.')
    posting.react(call.state, call.me, message_id, emoji, call.flag("shouldReact"))
    return {}


@endpoint("POST", "chat.delete")
def delete(call: Call) -> Json:
    document = posting.delete(call.state, call.me, call.text("msgId"), call.text("roomId"))
    short = {"_id": document["_id"], "rid": document["rid"], "u": document["u"]}
    return {"_id": document["_id"], "ts": str(milliseconds(call.state.now())), "message": short}


@endpoint("POST", "chat.pinMessage")
def pin_message(call: Call) -> Json:
    return {"message": posting.pin(call.state, call.me, call.text("messageId"))}


@endpoint("GET", "chat.getMessage")
def get_message(call: Call) -> Json:
    """An unknown id is a failure without any words."""
    document = call.state.messages.get(call.text("msgId"))
    if document is None:
        raise Failed
    if not call.state.sees(call.me, call.state.rooms[document["rid"]]):
        raise Refused("error-not-allowed", "Not allowed")
    return {"message": document}


@endpoint("GET", "chat.getThreadMessages")
def get_thread_messages(call: Call) -> Json:
    if not call.state.settings["Threads_enabled"]:
        raise Refused("error-not-allowed", "Threads Disabled")
    root = call.state.messages.get(call.text("tmid"))
    if root is None:
        raise Refused("error-invalid-message", "Invalid Message")
    room = call.state.rooms[root["rid"]]
    if not call.state.sees(call.me, room):
        raise Refused("error-not-allowed", "Not Allowed")
    replies = [doc for doc in call.state.messages_in(room) if doc.get("tmid") == root["_id"]]
    return call.page("messages", replies)


@endpoint("GET", "chat.search")
def search(call: Call) -> Json:
    room = call.state.rooms.get(call.text("roomId"))
    if room is None or not call.state.sees(call.me, room):
        raise Refused("error-not-allowed", "Not allowed")
    wanted = call.text("searchText").casefold()
    shown = (doc for doc in call.state.messages_in(room) if "t" not in doc)
    return {"messages": [doc for doc in shown if wanted in doc["msg"].casefold()]}
