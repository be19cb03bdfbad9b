"""Our own messages found again by their id, when the server has forgotten the transaction."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.chat.matrix.client import Client, at
from bot.chat.matrix.receive import OUR_ID, moment
from bot.chat.shapes import Json
from commands.errors import ChatUnavailable

log = logging.getLogger(__name__)

FORGETS = timedelta(hours=20)
"""A homeserver knows a transaction for 24 hours; a repeat that comes later is looked up before."""

SKEW = timedelta(hours=1)
_PAGE = 100
_MOST_PAGES = 50


async def own_message(
    client: Client, room: str, transaction: str, *, since: datetime
) -> str | None:
    """The event id of our message of this transaction, looked for back to `since`.

    Raises MatrixError, ChatUnavailable: then nobody knows whether it is there.
    """
    wanted = {"senders": [client.user_id], "types": ["m.room.message", "m.room.encrypted"]}
    query = {"dir": "b", "limit": str(_PAGE), "filter": json.dumps(wanted, separators=(",", ":"))}
    for _ in range(_MOST_PAGES):
        page = await client.ask("GET", at("rooms", room, "messages"), query=query)
        if found := next(_with_id(page, transaction), None):
            return found
        end = page.get("end")
        if not isinstance(end, str) or end == query.get("from") or _is_before(page, since - SKEW):
            return None
        query["from"] = end
    log.warning(
        "too many messages to look through", extra={"action": "memory_capped", "room": room}
    )
    return None


def _with_id(page: Json, transaction: str) -> Iterator[str]:
    for event in _events(page):
        content, event_id = event.get("content"), event.get("event_id")
        if isinstance(content, dict) and content.get(OUR_ID) == transaction:
            if isinstance(event_id, str):
                yield event_id


def _is_before(page: Json, when: datetime) -> bool:
    """Whether the page goes back beyond this moment."""
    times = [moment(event.get("origin_server_ts")) for event in _events(page)]
    return any(time is not None and time < when for time in times)


def _events(page: Json) -> list[dict[str, Any]]:
    chunk = page.get("chunk")
    if not isinstance(chunk, list):
        raise ChatUnavailable("a page of messages did not have the right shape")
    return [event for event in chunk if isinstance(event, dict)]
