"""JSON that strangers wrote, taken for no more than what it is. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


def mapping(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one where it is none."""
    return value if isinstance(value, Mapping) else {}


def nested(value: Any, *names: str) -> Any:
    """What stands under these names in objects within objects; None where it does not."""
    for name in names:
        value = mapping(value).get(name)
    return value


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, without what is none; empty where it is no list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """The text, unless it is empty or none."""
    return value if isinstance(value, str) and value else None


def moment(value: Any) -> datetime | None:
    """A date as REST writes it (ISO), or as the realtime API does ({"$date": milliseconds})."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        milliseconds = mapping(value).get("$date")
        if isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool):
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
