"""What we ask the homeserver to leave out of its answers."""

import json
from typing import Any

PAGE = 100
"""Events in one page of back-fill."""

_EVENTS = [
    "m.reaction",
    "m.room.canonical_alias",
    "m.room.create",
    "m.room.encrypted",
    "m.room.encryption",
    "m.room.member",
    "m.room.message",
    "m.room.name",
    "m.room.tombstone",
]
_NOTHING: dict[str, Any] = {"types": []}

# Members are not lazy-loaded: encryption must know everybody in a room.
_SYNC: dict[str, Any] = {
    "presence": _NOTHING,
    "account_data": {"types": ["m.direct"]},
    "room": {
        "timeline": {"limit": 50, "types": _EVENTS},
        "state": {"types": _EVENTS},
        "ephemeral": _NOTHING,
        "account_data": _NOTHING,
    },
}

SYNC = json.dumps(_SYNC, separators=(",", ":"))
"""For /sync."""

BACKFILL = json.dumps({"types": _EVENTS}, separators=(",", ":"))
"""For /messages: the same events as the timeline of SYNC."""
