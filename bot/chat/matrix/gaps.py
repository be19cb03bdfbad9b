"""Back-fill: the events between the end of the last sync answer and the beginning of this one."""

import logging

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, at
from bot.chat.matrix.filters import BACKFILL, PAGE
from bot.chat.shapes import Json
from commands.errors import ChatUnavailable

log = logging.getLogger(__name__)

MOST = 500
"""Events fetched for one room; what is older is left out, and the log says so."""


async def events_between(client: Client, room: str, *, start: str, end: str) -> list[Json]:
    """The events after the sync position `start` and before `end` (a `prev_batch`), oldest first.

    A failing page raises (MatrixError, ChatUnavailable): without it the whole answer must not count
    as received, or the gap is lost. Only a room that is closed to us by now has no events.
    """
    try:
        newest_first = await _pages_back(client, room, start=start, end=end)
    except MatrixError as error:
        if error.errcode in {"M_FORBIDDEN", "M_NOT_FOUND"}:
            log.warning("gap not readable", extra={"action": "gap_closed", "room": room})
            return []
        raise
    return [client.decrypted(event, room) for event in reversed(newest_first)]


async def _pages_back(client: Client, room: str, *, start: str, end: str) -> list[Json]:
    found: list[Json] = []
    position: str | None = end
    while position is not None:
        if len(found) >= MOST:
            log.error("gap too large", extra={"action": "gap_capped", "room": room, "most": MOST})
            break
        query = {"dir": "b", "from": position, "to": start, "limit": str(PAGE), "filter": BACKFILL}
        page = await client.ask("GET", at("rooms", room, "messages"), query=query)
        chunk = page.get("chunk")
        if not isinstance(chunk, list):
            raise ChatUnavailable("a page of messages did not have the right shape")
        found += [event for event in chunk if isinstance(event, dict)]
        position = _next(page, position)
    return found[:MOST]


def _next(page: Json, position: str) -> str | None:
    """Where the next page begins; None at the end. A chunk may be empty before the end."""
    end = page.get("end")
    return end if isinstance(end, str) and end != position else None
