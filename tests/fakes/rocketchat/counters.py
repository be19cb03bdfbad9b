"""What a message changes in the subscriptions of a room: unread, mentions, the alert."""

from __future__ import annotations

from datetime import datetime

from tests.fakes.rocketchat.records import Membership, Room, User
from tests.fakes.rocketchat.wire import Json


def notification(room: Room, document: Json) -> Json:
    """What pops up at somebody who is named, or written to directly."""
    payload = {
        "_id": document["_id"],
        "rid": room.id,
        "sender": document["u"],
        "type": room.kind,
        "message": {"msg": document["msg"]},
        **({} if room.kind == "d" else {"name": room.name}),
        **({"tmid": document["tmid"]} if "tmid" in document else {}),
    }
    where = f"#{room.name}" if room.name else f"@{document['u']['username']}"
    return {"title": where, "text": document["msg"], "payload": payload}


def counted(
    membership: Membership, room: Room, sender: User, named: set[str], when: datetime
) -> bool:
    """Count a message in a member's subscription; whether that changed anything."""
    if membership.user is sender:
        changed = membership.alert or membership.unread > 0
        membership.alert, membership.unread = False, 0
        membership.mentions = membership.group_mentions = 0
        membership.seen = when
        return changed
    is_named = membership.user.id in named
    to_all = not named.isdisjoint({"all", "here"})
    counts = room.kind == "d" or is_named or to_all
    changed = counts or not membership.alert
    membership.alert = True
    membership.unread += counts
    membership.mentions += is_named
    membership.group_mentions += to_all
    return changed
