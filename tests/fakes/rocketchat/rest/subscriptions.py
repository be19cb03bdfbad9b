"""One's own subscriptions, and the rooms that come with them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tests.fakes.rocketchat.refusals import Refused
from tests.fakes.rocketchat.rest.endpoints import Call, endpoint
from tests.fakes.rocketchat.wire import Json, read_date


def updated_since(call: Call) -> datetime | None:
    said = call.optional("updatedSince")
    if said is None:
        return None
    when = read_date(said)
    if when is None:
        reason = 'The "lastUpdate" query parameter must be a valid date.'
        raise Refused("error-updatedSince-param-invalid", reason)
    return when


def _newer(documents: Iterable[Json], since: datetime | None) -> list[Json]:
    return [doc for doc in documents if since is None or doc["_updatedAt"] > since]


@endpoint("GET", "subscriptions.get")
def subscriptions_get(call: Call) -> Json:
    """`remove` names subscriptions, not rooms."""
    since, user = updated_since(call), call.me
    rooms = call.state.rooms_of(user)
    graves = [grave for grave in call.state.ended_subscriptions if grave.user_id == user.id]
    return {
        "update": _newer((room.subscription(user) for room in rooms), since),
        "remove": [grave.document for grave in graves if since and grave.when > since],
    }


@endpoint("GET", "subscriptions.getOne")
def subscriptions_get_one(call: Call) -> Json:
    room = call.state.rooms.get(call.text("roomId"))
    inside = room is not None and call.me.id in room.members
    return {"subscription": room.subscription(call.me) if room and inside else None}


@endpoint("POST", "subscriptions.read")
def subscriptions_read(call: Call) -> Json:
    room = call.state.rooms.get(call.text("rid"))
    if room is None or call.me.id not in room.members:
        raise Refused("error-invalid-subscription", "Invalid subscription")
    membership = room.members[call.me.id]
    membership.alert, membership.unread, membership.mentions = False, 0, 0
    membership.seen = call.state.now()
    call.state.touch_membership(room, call.me)
    return {}


@endpoint("GET", "rooms.get")
def rooms_get(call: Call) -> Json:
    since, user = updated_since(call), call.me
    graves = [grave for grave in call.state.ended_subscriptions if grave.user_id == user.id]
    gone = {grave.rid: grave.when for grave in graves if grave.rid not in call.state.rooms}
    return {
        "update": _newer((room.document for room in call.state.rooms_of(user)), since),
        "remove": [
            {"_id": rid, "_deletedAt": when} for rid, when in gone.items() if since and when > since
        ],
    }
