"""Who may administer a Matrix room: the specification's rules, pure, and asking the server.

No cache but for the create event, which never changes: a demotion holds at once.
"""

import asyncio
import math
import re
from collections.abc import Mapping
from typing import Any

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, at
from bot.chat.shapes import mapping
from commands.errors import ChatUnavailable
from commands.ports import Membership, Rights

Level = int | float
"""A power level; a creator of a room of version 12 has an infinite one."""

LOWEST_ADMIN = 50
"""Nobody below is an admin, even where a room asks less for its state."""

_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


def number(value: Any) -> int | None:
    """A level as rooms up to version 9 may write it (100 or "100"); None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    return None


def creators(create: Mapping[str, Any]) -> frozenset[str]:
    """Who made the room, and in version 12 whom they put beside them."""
    content = mapping(create.get("content"))
    version = _version(content)
    if _are_privileged(version):
        added = content.get("additional_creators")
        listed = added if isinstance(added, list) else []
        found = [create.get("sender"), *listed]
    elif version is not None and version <= 10:
        found = [content.get("creator", create.get("sender"))]
    else:
        found = [create.get("sender")]
    return frozenset(who for who in found if isinstance(who, str))


def has_privileged_creators(create: Mapping[str, Any]) -> bool:
    """From version 12 on creators stand above every level; an unknown version counts as older."""
    return _are_privileged(_version(mapping(create.get("content"))))


def level_of(user: str, *, create: Mapping[str, Any], power: Mapping[str, Any] | None) -> Level:
    """A member's level. `power` is the content of m.room.power_levels, None without that event.

    No event and an empty content differ: the creator has 100 in the first case, 0 in the second.
    """
    made_it = user in creators(create)
    if made_it and has_privileged_creators(create):
        return math.inf
    if power is None:
        return 100 if made_it else 0
    own = number(mapping(power.get("users")).get(user))
    default = number(power.get("users_default"))
    return next((level for level in (own, default) if level is not None), 0)


def required_for_state(power: Mapping[str, Any] | None) -> int | None:
    """The level that state events need by default: 50 where nothing is said; None for nonsense."""
    if power is None or "state_default" not in power:
        return LOWEST_ADMIN
    return number(power["state_default"])


def is_admin(user: str, *, create: Mapping[str, Any], power: Mapping[str, Any] | None) -> bool:
    """Whether a member may change the room's state, and has 50 at least."""
    required = required_for_state(power)
    if required is None:
        return False
    return level_of(user, create=create, power=power) >= max(LOWEST_ADMIN, required)


def _version(content: Mapping[str, Any]) -> int | None:
    version = content.get("room_version", "1")
    if version == "org.matrix.hydra.11":
        return 12
    return int(version) if isinstance(version, str) and _VERSION.fullmatch(version) else None


def _are_privileged(version: int | None) -> bool:
    return version is not None and version >= 12


class Permissions:
    """Asks the homeserver, freshly each time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._creates: dict[str, Mapping[str, Any]] = {}

    async def of(self, user: str, room: str) -> Rights:
        """Raises ChatUnavailable for every answer that does not say yes or no."""
        try:
            create, power, membership = await asyncio.gather(
                self._create(room), self._power(room), self._membership(user, room)
            )
        except MatrixError as error:
            raise ChatUnavailable(f"rights could not be asked: {error}") from error
        if membership is not Membership.JOINED:
            return Rights(membership)
        return Rights(membership, admin=is_admin(user, create=create, power=power))

    async def _create(self, room: str) -> Mapping[str, Any]:
        if room not in self._creates:
            path = at("rooms", room, "state", "m.room.create")
            self._creates[room] = await self._client.ask("GET", path, query={"format": "event"})
        return self._creates[room]

    async def _power(self, room: str) -> Mapping[str, Any] | None:
        return await self._state(room, "m.room.power_levels")

    async def _membership(self, user: str, room: str) -> Membership:
        found = await self._state(room, "m.room.member", user)
        word = (found or {}).get("membership")
        return {"join": Membership.JOINED, "ban": Membership.BANNED}.get(str(word), Membership.LEFT)

    async def _state(self, room: str, *kind: str) -> Mapping[str, Any] | None:
        try:
            return await self._client.ask("GET", at("rooms", room, "state", *kind))
        except MatrixError as error:
            if error.status == 404 and error.errcode == "M_NOT_FOUND":
                return None
            raise
