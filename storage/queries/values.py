"""How single values are kept: times as epoch milliseconds, JSON as text, names without case."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

FORGOTTEN = ""
"""Stands where the id of a person was that asked to be forgotten."""


@overload
def to_ms(at: datetime) -> int: ...
@overload
def to_ms(at: None) -> None: ...
def to_ms(at: datetime | None) -> int | None:
    """Epoch milliseconds, cut off. Raises ValueError for a time without a zone."""
    if at is None:
        return None
    if at.utcoffset() is None:
        raise ValueError("a time without a zone cannot be kept")
    return (at - EPOCH) // MILLISECOND


@overload
def from_ms(ms: int) -> datetime: ...
@overload
def from_ms(ms: None) -> None: ...
def from_ms(ms: int | None) -> datetime | None:
    return None if ms is None else EPOCH + ms * MILLISECOND


def to_text(value: Mapping[str, Any]) -> str:
    """Equal values give equal text; ASCII, so that a lone surrogate or a NUL does no harm."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def from_text(text: str) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def quoted(text: str) -> str:
    """How `to_text` writes a string that is a value of its own."""
    return json.dumps(text)


def folded(name: str) -> str:
    """A name to compare by: without case."""
    return name.casefold()


def digest(*parts: str) -> str:
    """A text from which the parts cannot be read."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
