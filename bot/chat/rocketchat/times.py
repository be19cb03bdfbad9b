"""Times as Rocket.Chat writes them, read and written. Pure."""

from datetime import UTC, datetime
from typing import Any

from bot.chat.shapes import mapping

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Before everything: where no time is known."""


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


def iso(time: datetime) -> str:
    """A time as query parameters need it: in UTC, with `Z`, for a `+` would be lost."""
    return max(time, EPOCH).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"
