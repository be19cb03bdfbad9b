"""A sync answer without what nio need not see: plain messages and reactions. Pure.

nio checks every event against a JSON schema, which costs more than all we do with a command. It
needs the state of rooms and what is encrypted; the rest we read ourselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def lean(answer: Json) -> Json:
    """The answer with only state and encrypted events in the timelines of joined rooms."""
    joined = answer.get("rooms", {}).get("join")
    if not joined:
        return answer
    rooms = {**answer["rooms"], "join": {room: _leaner(info) for room, info in joined.items()}}
    return {**answer, "rooms": rooms}


def restored(raw: Sequence[Json], read: Sequence[Json]) -> list[Json]:
    """The raw events of a timeline in their order, those that nio has decrypted as it read them."""
    clear = {event["event_id"]: event for event in read if "event_id" in event}
    return [clear.get(event["event_id"], event) for event in raw if "event_id" in event]


def _leaner(info: Json) -> Json:
    timeline = info.get("timeline")
    if not isinstance(timeline, dict) or not timeline.get("events"):
        return info
    events = [event for event in timeline["events"] if _for_nio(event)]
    return {**info, "timeline": {**timeline, "events": events}}


def _for_nio(event: Mapping[str, Any]) -> bool:
    return "state_key" in event or event.get("type") == "m.room.encrypted"
