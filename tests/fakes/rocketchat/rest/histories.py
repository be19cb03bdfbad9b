"""What was said: chat.syncMessages and the histories."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from tests.fakes.rocketchat.records import Room
from tests.fakes.rocketchat.refusals import Forbidden, Refused
from tests.fakes.rocketchat.rest.endpoints import Call, endpoint
from tests.fakes.rocketchat.rest.finding import family_room
from tests.fakes.rocketchat.wire import Json, milliseconds, read_date


@endpoint("GET", "chat.syncMessages")
def sync_messages(call: Call) -> Json:
    """Everything with `_updatedAt` after `lastUpdate`, the latest `ts` first and without a limit;
    from 7.0 also page by page with `type` and a cursor, and from 8.8 not what was sent before
    `fromTs`.
    """
    rid = call.optional("roomId")
    if not rid:
        reason = 'The required "roomId" query param is missing'
        raise Refused("error-param-required", reason)
    kind = call.optional("type") if call.profile.version >= (7, 0) else None
    last = call.optional("lastUpdate")
    if last is None and kind is None:
        reason = 'The "lastUpdate" or "type" query parameters must be provided'
        raise Refused("error-lastUpdate-param-not-provided", reason)
    since = None if last is None else read_date(last)
    if last is not None and since is None:
        raise Refused("error-roomId-param-invalid", 'The "lastUpdate" query must be a valid date')
    room = call.state.rooms.get(rid)
    if room is None or not call.state.sees(call.me, room):
        raise Refused("error-not-allowed", "Not allowed")
    updated, deleted = _visible(call, room), _deleted(call, room)
    if since is not None:
        updated = [doc for doc in updated if doc["_updatedAt"] > since]
        deleted = [doc for doc in deleted if doc["_deletedAt"] > since]
        return {"result": {"updated": _newest_first(updated, "ts"), "deleted": deleted}}
    if kind == "DELETED":
        found, cursor = _page(call, deleted, "_deletedAt")
        return {"result": {"updated": [], "deleted": found, "cursor": cursor}}
    found, cursor = _page(call, updated, "_updatedAt")
    return {"result": {"updated": found, "deleted": [], "cursor": cursor}}


def _visible(call: Call, room: Room) -> list[Json]:
    shown = (doc for doc in call.state.messages_in(room) if not doc.get("_hidden"))
    start = call.optional("fromTs") if call.profile.version >= (8, 8) else None
    begins = read_date(start) if start else None
    return [doc for doc in shown if begins is None or doc["ts"] >= begins]


def _deleted(call: Call, room: Room) -> list[Json]:
    return [grave.document for grave in call.state.deleted_messages if grave.rid == room.id]


def _newest_first(documents: Iterable[Json], key: str) -> list[Json]:
    return sorted(documents, key=lambda document: document[key], reverse=True)


def _page(call: Call, documents: list[Json], key: str) -> tuple[list[Json], Json]:
    """A page after `next` (oldest first) or before `previous` (newest first), and its cursor.

    A cursor is in milliseconds, and null where that way is nothing more.
    """
    after, before = call.optional("next"), call.optional("previous")
    count = call.number("count") or 50
    if before is not None:
        limit = _instant(call, before)
        found = _newest_first((doc for doc in documents if doc[key] < limit), key)
    else:
        limit = _instant(call, after or "0")
        newer = (doc for doc in documents if doc[key] > limit)
        found = sorted(newer, key=lambda document: document[key])
    page = found[:count]
    near = str(milliseconds(page[0][key])) if page else None
    far = str(milliseconds(page[-1][key])) if len(found) > count else None
    ends = (far, near) if before is None else (near, far)
    return page, dict(zip(("next", "previous"), ends, strict=True))


def _instant(call: Call, text: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except ValueError:
        raise call.bad("the cursor must be a number") from None


@endpoint("GET", "channels.history", "groups.history", "dm.history", "im.history")
def history(call: Call) -> Json:
    """Newest first; thread replies only with showThreadMessages=true."""
    room = family_room(call)
    if not call.state.reads(call.me, room):
        raise Forbidden(own=True)
    inclusive = bool(call.flag("inclusive"))
    threads = bool(call.flag("showThreadMessages"))
    kept = [
        document
        for document in call.state.messages_in(room)
        if not document.get("_hidden")
        and _between(call, document["ts"], inclusive)
        and (threads or "tmid" not in document or document.get("tshow"))
    ]
    count, offset = call.number("count"), call.number("offset") or 0
    page = _newest_first(kept, "ts")[offset:]
    return {"messages": page[: 50 if count is None else count] if count != 0 else page}


def _between(call: Call, when: datetime, inclusive: bool) -> bool:
    latest, oldest = _limit(call, "latest"), _limit(call, "oldest")
    compare: Callable[[datetime, datetime], bool]
    compare = (lambda a, b: a <= b) if inclusive else (lambda a, b: a < b)
    return (latest is None or compare(when, latest)) and (oldest is None or compare(oldest, when))


def _limit(call: Call, name: str) -> datetime | None:
    text = call.optional(name)
    when = read_date(text) if text else None
    if text and when is None:
        raise call.bad(f"{name} must be a valid date")
    return when
