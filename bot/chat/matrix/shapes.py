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
