"""What the server has that is new, asked by REST: memberships, changed rooms, their messages.

Nothing is sent again after a connection was lost, and a live message may be dropped in silence:
these answers are the truth, live messages come sooner.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.chat.rocketchat.answers import RestError, Unavailable, is_denied
from bot.chat.rocketchat.position import OVERLAP
from bot.chat.rocketchat.receive import Place
from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.times import EPOCH, iso, moment
from bot.chat.shapes import nested, objects, text

log = logging.getLogger(__name__)

MOST_OF_HISTORY = 5_000
_PAGE = 100
_TOO_MUCH = ("too-large", "timeout", "cut")
_FAMILIES = {"c": "channels", "p": "groups", "d": "dm"}

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed of late. `newest` is the server's time of the newest change to a room, or to a
    subscription where the rooms tell none.

    `complete`: `subscriptions` are all there are; then nothing is in `removed`, which holds ids of
    subscriptions.
    """

    rooms: Sequence[Document]
    subscriptions: Sequence[Document]
    removed: Sequence[str]
    newest: datetime
    complete: bool


class CatchUp:
    """Asks; raises what RestApi raises."""

    def __init__(self, rest: RestApi) -> None:
        self._rest = rest

    async def changes(self, since: datetime, *, complete: bool) -> Changes:
        """Rooms changed since then, all of them where `since` is 1970; subscriptions likewise,
        but all where `complete`.

        Rooms come first: whatever changes between the two answers is newer than `newest`, so the
        next look finds it.
        """
        updated = _updated_since(since)
        rooms = await self._rooms(updated)
        if complete:
            updated = {}
        answer = await self._rest.get("subscriptions.get", **updated)
        subscriptions = objects(answer.get("update"))
        if rooms is None:
            rooms = [one | {"_id": one.get("rid")} for one in map(dict, subscriptions)]
        telling = rooms if any(changed_at(room) > EPOCH for room in rooms) else subscriptions
        removed = [text(one.get("_id")) for one in objects(answer.get("remove"))]
        return Changes(
            rooms,
            subscriptions,
            [one for one in removed if one],
            max((changed_at(one) for one in telling), default=EPOCH),
            complete=not updated,
        )

    async def _rooms(self, updated: Mapping[str, str]) -> list[Document] | None:
        """Rooms that changed; None where the server does not tell: subscriptions must do."""
        try:
            return objects((await self._rest.get("rooms.get", **updated)).get("update"))
        except RestError as error:
            if is_denied(error):
                return None
            raise

    async def messages(self, place: Place, since: datetime) -> list[Document]:
        """Every message of a room that changed since then, oldest first.

        Edits, reactions, replies in threads and system messages are among them; those deleted are
        not. Where that is too much for one answer, those written since then, newest pages first.
        """
        try:
            answer = await self._rest.get(
                "chat.syncMessages", roomId=place.room, lastUpdate=iso(since)
            )
        except Unavailable as error:
            if error.code not in _TOO_MUCH:
                raise
            found = await self._history(place, since)
        else:
            found = objects(nested(answer, "result", "updated"))
        return sorted(found, key=_written_at)

    async def _history(self, place: Place, since: datetime) -> list[Document]:
        found: list[Document] = []
        for offset in range(0, MOST_OF_HISTORY, _PAGE):
            answer = await self._rest.get(
                f"{_FAMILIES[place.kind]}.history",
                roomId=place.room,
                oldest=iso(since),
                count=_PAGE,
                offset=offset,
                showThreadMessages="true",
            )
            page = objects(answer.get("messages"))
            found += page
            if len(page) < _PAGE:
                return found
        log.warning(
            "only the newest messages of a long silence are read",
            extra={"action": "history_capped", "room": place.room},
        )
        return found


def changed_at(document: Document) -> datetime:
    """When the server last changed a document; 1970 where it does not say."""
    return moment(document.get("_updatedAt")) or EPOCH


def _updated_since(since: datetime) -> dict[str, str]:
    return {"updatedSince": iso(since - OVERLAP)} if since > EPOCH else {}


def _written_at(document: Document) -> str:
    """REST writes all times alike, in UTC: as texts they have the order of time."""
    return str(document.get("ts"))
