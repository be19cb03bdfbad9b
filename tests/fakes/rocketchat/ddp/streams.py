"""Which streams there are, and who may listen to what."""

from __future__ import annotations

from typing import Any

from tests.fakes.rocketchat.ddp.frames import error
from tests.fakes.rocketchat.records import User
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.wire import Json

MESSAGES = "stream-room-messages"
OF_USER = "stream-notify-user"
OF_ROOM = "stream-notify-room"
MINE = "__my_messages__"

_OPEN = {
    "stream-notify-all",
    "stream-notify-logged",
    "stream-notify-room-users",
    "stream-roles",
    "stream-user-presence",
    "stream-apps",
    "stream-importers",
    "stream-room-data",
    "meteor.loginServiceConfiguration",
    "meteor_autoupdate_clientVersions",
}

NOT_ALLOWED = error("not-allowed")


def refusal(state: State, user: User | None, stream: str, params: list[Any]) -> Json | None:
    """Why a subscription is refused; None when it is granted.

    `__my_messages__` is granted to everybody, logged in or not: `ready` proves nothing.
    """
    if stream not in {MESSAGES, OF_USER, OF_ROOM, *_OPEN}:
        return error(404, f"Subscription '{stream}' not found")
    if stream.startswith("meteor"):
        return None
    if not params or not isinstance(params[0], str):
        return error(500, "Internal server error")
    event_name = params[0]
    if stream == MESSAGES:
        room = state.rooms.get(event_name)
        allowed = event_name == MINE or (room is not None and state.reads(user, room))
    elif stream == OF_ROOM:
        room = state.rooms.get(event_name.partition("/")[0])
        allowed = room is not None and state.sees(user, room)
    elif stream == OF_USER:
        allowed = user is not None and event_name.partition("/")[0] == user.id
    else:
        allowed = True
    return None if allowed else NOT_ALLOWED
