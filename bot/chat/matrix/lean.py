"""A sync answer without what nio need not see: plain messages and reactions. Pure.

nio checks every answer and event against JSON schemas, which costs more than all we do with a
command. It needs the state of rooms, keys, and what is encrypted; the rest we read ourselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.chat.shapes import Json


def lean(answer: Json) -> Json:
    """The answer with only state and encrypted events in joined rooms, and only rooms with any."""
    joined = answer.get("rooms", {}).get("join")
    if not joined:
        return answer
    leaner = {room: _leaner(info) for room, info in joined.items()}
    rooms = {**answer["rooms"], "join": {room: i for room, i in leaner.items() if _says_more(i)}}
    return {**answer, "rooms": rooms}


def says_nothing(answer: Json) -> bool:
    """Whether a lean answer has nothing for nio but, perhaps, the count of one-time keys."""
    rooms = answer.get("rooms") or {}
    changed = answer.get("device_lists") or {}
    return not (
        any(rooms.values()) or any(changed.values()) or answer.get("to_device", {}).get("events")
    )


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


def _says_more(info: Json) -> bool:
    parts = (info.get("state"), info.get("timeline"))
    shaped = all(isinstance(part, dict) or part is None for part in parts)
    return not shaped or any(part and part.get("events") for part in parts)


def _for_nio(event: Mapping[str, Any]) -> bool:
    return "state_key" in event or event.get("type") == "m.room.encrypted"
