"""JSON that strangers wrote, taken for no more than what it is. Pure."""

from collections.abc import Mapping
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
