"""Rooms that others take the place of: followed only where both rooms say so.

A tombstone alone may name anybody's room, and anybody's room may claim any predecessor.
"""

import logging
from collections.abc import Mapping
from typing import Any

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, at
from bot.chat.matrix.doors import Doors
from bot.chat.shapes import Json, mapping

log = logging.getLogger(__name__)

Event = Mapping[str, Any]


def replacement(event: Event) -> str | None:
    """The room that a tombstone names; None for other events, and for one that names none.

    That whoever sent it had the power to is the server's care. A `body` need not be there.
    """
    if event.get("type") != "m.room.tombstone" or event.get("state_key") != "":
        return None
    return _room(mapping(event.get("content")).get("replacement_room"))


def predecessor(content: Any) -> str | None:
    """The room that a new one claims to replace, by the content of its create event."""
    return _room(mapping(mapping(content).get("predecessor")).get("room_id"))


class Upgrades:
    """Asks the server about both rooms, freshly each time; raises MatrixError, ChatUnavailable."""

    def __init__(self, client: Client, doors: Doors, *, farewell: str) -> None:
        """`farewell` is the reason people see when the bot leaves what is no replacement."""
        self._client = client
        self._doors = doors
        self._farewell = farewell

    async def replaced_by(self, room: str) -> str | None:
        """The room that this one, in which the bot is, takes the place of: both say so."""
        claimed = predecessor(await self._state(room, "m.room.create"))
        return claimed if claimed and await self.is_named(claimed, room) else None

    async def is_named(self, old: str, new: str) -> bool:
        """Whether the tombstone of a room that the bot is or was in names the new one."""
        content = await self._state(old, "m.room.tombstone")
        return old != new and _room(mapping(content).get("replacement_room")) == new

    async def follow(self, old: str, new: str, *, via: str) -> None:
        """Go where a tombstone points, if the door is open; to be run beside the sync.

        What the sync then brings of our own join tells the core. A room that names another
        predecessor is left again.
        """
        if not await self._doors.enter(new, via=via):
            log.warning(
                "a room was replaced and nobody invited the bot",
                extra={"action": "upgrade_not_followed", "room": old, "replacement": new},
            )
        elif await self.replaced_by(new) != old:
            await self.retreat(new)

    async def retreat(self, room: str) -> None:
        """Leave a room that was entered for a tombstone's sake and is no replacement."""
        log.warning(
            "not a replacement of any room of ours",
            extra={"action": "upgrade_refused", "room": room},
        )
        await self._doors.leave(room, self._farewell)

    async def _state(self, room: str, kind: str) -> Json | None:
        try:
            return await self._client.ask("GET", at("rooms", room, "state", kind))
        except MatrixError as error:
            if error.is_for_good:
                return None
            raise


def _room(value: Any) -> str | None:
    return value if isinstance(value, str) and value.startswith("!") else None
