"""The rules of sending, editing, reacting and deleting: 6.14's `executeSendMessage` and kin.

Refusals are `Refused` with the code, or `Failed` where the server throws a plain Error.
"""

from __future__ import annotations

from datetime import timedelta

from tests.fakes.rocketchat.emoji import exists
from tests.fakes.rocketchat.records import Room, User
from tests.fakes.rocketchat.refusals import Failed, Refused
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.text import length, mentions
from tests.fakes.rocketchat.wire import Json, read_date

_SENT = ("_id", "msg", "tmid", "tshow", "alias", "emoji", "avatar", "attachments", "blocks")


def send(state: State, user: User, message: Json, previews: list[str] | None = None) -> Json | None:
    """Post as chat.sendMessage does. None when there is a message of that `_id` already.

    Raises Refused and Failed.
    """
    if message.get("tshow") and not message.get("tmid"):
        raise Refused("invalid-params", "tshow provided but missing tmid")
    if message.get("tmid") and not state.settings["Threads_enabled"]:
        raise Refused("error-not-allowed", "not-allowed")
    _check_date(state, message)
    _check_length(state, message.get("msg") or "")
    rid = message.get("rid")
    fields = {key: message[key] for key in _SENT if message.get(key) is not None}
    if parent := state.messages.get(message.get("tmid") or ""):
        fields["tmid"] = parent.get("tmid") or parent["_id"]
        rid = parent["rid"]
    if not rid:
        raise Failed("The 'rid' property on the message object is missing.")
    room = _open_to(state, user, rid)
    _check_fields(state, user, room, message)
    if message.get("customFields") is not None:
        fields["customFields"] = message["customFields"]
    if fields.get("_id") in state.messages:
        return None
    return state.write(user, room, fields, previews=previews)


def _check_date(state: State, message: Json) -> None:
    if "ts" not in message:
        return
    when = read_date(str(message["ts"]))
    if when is None or abs(when - state.now()) > timedelta(seconds=60):
        raise Refused("error-message-ts-out-of-sync", "Message timestamp is out of sync")


def _check_length(state: State, said: str) -> None:
    if length(said) > state.settings["Message_MaxAllowedSize"]:
        reason = "Message size exceeds Message_MaxAllowedSize"
        raise Refused("error-message-size-exceeded", reason)


def _open_to(state: State, user: User, rid: str) -> Room:
    """The room, when this user may post there; raises Failed."""
    room = state.rooms.get(rid)
    if room is None:
        raise Failed("error-invalid-room")
    if not state.sees(user, room):
        raise Failed("error-not-allowed")
    membership = room.members.get(user.id)
    if membership and (membership.blocked or membership.blocker):
        raise Failed("room_is_blocked")
    if room.archived:
        raise Failed("room_is_archived")
    _check_voice(state, user, room)
    return room


def _check_voice(state: State, user: User, room: Room) -> None:
    allowed = state.may(user, "post-readonly", room) or user.username in room.unmuted
    if room.readonly and not allowed:
        raise Failed("You can't send messages because the room is readonly.")
    if user.username in room.muted:
        raise Failed("You_have_been_muted")


def _check_fields(state: State, user: User, room: Room, message: Json) -> None:
    if room.encrypted and state.settings["E2E_Enable"]:
        if not state.settings["E2E_Allow_Unencrypted_Messages"]:
            reason = "Not allowed to send un-encrypted messages in an encrypted room"
            raise Refused("error-not-allowed", reason)
    if message.get("alias") or message.get("avatar"):
        if not state.may(user, "message-impersonate", room):
            raise Failed("Not enough permission")
    if message.get("customFields") is not None:
        if not state.settings["Message_CustomFields_Enabled"]:
            raise Failed("Custom fields not enabled")
    for named in mentions(message.get("msg") or "", state.named):
        group = named["_id"]
        if group in ("all", "here") and not state.may(user, f"mention-{group}", room):
            reason = f"Notify {group} in this room not allowed"
            raise Refused("error-action-not-allowed", reason)


def edit(
    state: State,
    user: User,
    message_id: str,
    rid: str,
    said: str,
    custom_fields: Json | None = None,
) -> Json:
    """Change a text as chat.update does; the same text again changes nothing. Raises Refused."""
    document = _message_in(state, message_id, rid)
    room = _open_to(state, user, document["rid"])
    _check_length(state, said)
    own = document["u"]["_id"] == user.id
    may = state.may(user, "edit-message", room)
    if not may and not (own and state.settings["Message_AllowEditing"]):
        raise Refused("error-action-not-allowed", "Message editing not allowed")
    minutes = state.settings["Message_AllowEditing_BlockEditInMinutes"]
    if minutes and not state.may(user, "bypass-time-limit-edit-and-delete", room):
        if state.now() - document["ts"] > timedelta(minutes=minutes):
            raise Refused("error-message-editing-blocked", "Message editing is blocked")
    if custom_fields is not None and not state.settings["Message_CustomFields_Enabled"]:
        raise Failed("Custom fields not enabled")
    if said == document["msg"] and custom_fields in (None, document.get("customFields")):
        return document
    changes = {} if custom_fields is None else {"customFields": custom_fields}
    state.edit(document, user, said, **changes)
    return document


def _message_in(state: State, message_id: str, rid: str) -> Json:
    document = state.messages.get(message_id)
    if document is None:
        raise Failed(f'No message found with the id of "{message_id}".')
    if document["rid"] != rid:
        raise Failed("The room id provided does not match where the message is from.")
    return document


def react(state: State, user: User, message_id: str, emoji: str, should_react: bool | None) -> None:
    """As chat.react does: without `should_react` it toggles. Raises Refused."""
    document = state.messages.get(message_id)
    if document is None:
        reason = 'The provided "messageId" does not match any existing message.'
        raise Refused("error-message-not-found", reason)
    name = f":{emoji.strip(':')}:"
    if not exists(name):
        raise Refused("error-not-allowed", "Invalid emoji provided.")
    room = state.rooms[document["rid"]]
    if not state.sees(user, room):
        raise Refused("error-not-allowed", "Not allowed")
    _check_voice(state, user, room)
    usernames = document.get("reactions", {}).get(name, {}).get("usernames", [])
    wanted = user.username not in usernames if should_react is None else should_react
    state.react(document, user, name, on=wanted)


def delete(state: State, user: User, message_id: str, rid: str) -> Json:
    """As chat.delete does. Raises Refused."""
    document = _message_in(state, message_id, rid)
    room = state.rooms[rid]
    own = document["u"]["_id"] == user.id and state.settings["Message_AllowDeleting"]
    own = own and state.may(user, "delete-own-message", room)
    if not own and not state.may(user, "delete-message", room):
        raise Refused("error-action-not-allowed", "Not allowed")
    keep = state.settings["Message_ShowDeletedStatus"]
    state.erase(document, user, keep=keep)
    return document


def pin(state: State, user: User, message_id: str) -> Json:
    """As chat.pinMessage does: the new system message. Raises Refused."""
    document = state.messages.get(message_id)
    if document is None:
        raise Refused("error-message-not-found", "Message not found.")
    if not state.settings["Message_AllowPinning"]:
        raise Refused("error-action-not-allowed", "Message pinning not allowed")
    if not state.may(user, "pin-message", state.rooms[document["rid"]]):
        raise Refused("not-authorized", "Not Authorized")
    return state.pin(document, user)
