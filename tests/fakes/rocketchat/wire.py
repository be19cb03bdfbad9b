"""Documents hold aware datetimes; REST writes them as ISO text, DDP as `{"$date": ms}`."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"
_DATE = re.compile(r"[+-]?\d{4,6}-\d\d(-\d\d)?(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(length: int = 17) -> str:
    """An id as Meteor makes them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def milliseconds(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(milliseconds=1)


def whole_milliseconds(when: datetime) -> datetime:
    """As finely as the database keeps time."""
    return when.replace(microsecond=when.microsecond // 1000 * 1000)


def iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rest_text(value: Any) -> str:
    """JSON with dates as REST writes them."""
    return json.dumps(value, default=iso, ensure_ascii=False)


def ddp_text(value: Any) -> str:
    """JSON with dates as DDP writes them."""
    return json.dumps(
        value,
        default=lambda when: {"$date": milliseconds(when)},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def as_rest(document: Any) -> Any:
    """A copy with dates as REST writes them."""
    return json.loads(rest_text(document))


def read_date(text: str) -> datetime | None:
    """What JavaScript's `Date` makes of a text; None where it makes nothing of it."""
    if not _DATE.fullmatch(text):
        return None
    try:
        when = datetime.fromisoformat(text if len(text) > 7 else f"{text}-01")
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
