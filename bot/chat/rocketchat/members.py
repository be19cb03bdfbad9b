"""Who is in a channel or group, and what they are there; the calls differ by version."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.chat.remembering import Remembered
from bot.chat.rocketchat.answers import Refused, RestError
from bot.chat.rocketchat.lookups import Account, Room
from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.workspace import Workspace
from bot.chat.shapes import nested, objects
from commands.ports import Membership

LISTED_WITH_ROLES = (7, 3)
"""Since when rooms.membersOrderedByRole is there."""
ROLES_OF_ANY_ROOM = (7, 10)
"""Since when rooms.roles is there."""

_PAGE = 100
_MOST_PAGES = 100
_NOT_IN = {"BANNED": Membership.BANNED, "INVITED": Membership.LEFT}
"""Subscriptions of 8.x that are no membership."""

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is in a room: owner, moderator, leader, or none of these."""

    membership: Membership
    roles: frozenset[str] = frozenset()


class Members:
    """Answers are at most 10 s old. All raise RestError, Refused where the bot may not know."""

    def __init__(
        self, rest: RestApi, workspace: Workspace, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._rest = rest
        self._workspace = workspace
        self._standing = Remembered(self._standing_now, steady=steady)
        self._roles = Remembered(self._roles_now, steady=steady)

    async def standing(self, room: Room, account: Account) -> Standing:
        """What the account is in a channel or group."""
        return await self._standing((room, account))

    async def like(self, room: Room, name: str | None) -> AsyncIterator[Entry]:
        """The active members, those with this in a name where one is given.

        The server looks into the fields of its setting Accounts_SearchFields.
        """
        path = self._list_of(room)
        for page in range(_MOST_PAGES):
            offset = page * _PAGE
            answer = await self._rest.get(
                path, roomId=room.id, filter=name, count=_PAGE, offset=offset
            )
            found = objects(answer.get("members"))
            for entry in found:
                yield entry
            total = answer.get("total")
            if not found or not isinstance(total, int) or offset + len(found) >= total:
                return

    def _list_of(self, room: Room) -> str:
        if room.kind == "d":
            return "dm.members"
        if self._workspace.version >= LISTED_WITH_ROLES:
            return "rooms.membersOrderedByRole"
        return "channels.members" if room.kind == "c" else "groups.members"

    async def _standing_now(self, key: tuple[Room, Account]) -> Standing:
        room, account = key
        try:
            entry = await self._entry(room, account, account.username)
            if entry is None and await self._is_subscribed(room, account):
                entry = await self._entry(room, account, None)  # the filter does not find it
        except Refused:  # a broadcast: its members are nobody's business
            there = await self._is_subscribed(room, account)
            return await self._in(room, account) if there else Standing(Membership.LEFT)
        if entry is None:
            return Standing(Membership.LEFT)
        if outside := _NOT_IN.get(str(nested(entry, "subscription", "status"))):
            return Standing(outside)
        if self._workspace.version >= LISTED_WITH_ROLES:
            return Standing(Membership.JOINED, _words(entry.get("roles")))
        return await self._in(room, account)

    async def _in(self, room: Room, account: Account) -> Standing:
        roles = await self._roles(room)
        return Standing(Membership.JOINED, roles.get(account.id, frozenset()))

    async def _entry(self, room: Room, account: Account, name: str | None) -> Entry | None:
        async for entry in self.like(room, name):
            if entry.get("_id") == account.id:
                return entry
        return None

    async def _is_subscribed(self, room: Room, account: Account) -> bool:
        """Whether there is a subscription, be it of somebody invited or banned.

        No: `isMember: false` (read in source) or error-user-not-found (documented). Early 6.x
        has no such call (6.13 has): then the list was right.
        """
        try:
            answer = await self._rest.get("rooms.isMember", roomId=room.id, userId=account.id)
        except RestError as error:
            if error.code == "error-user-not-found" or error.status == 404:
                return False
            raise
        return answer.get("isMember") is True

    async def _roles_now(self, room: Room) -> dict[str, frozenset[str]]:
        """The roles of all who have one, by user id."""
        if self._workspace.version >= ROLES_OF_ANY_ROOM:
            answer = await self._rest.get("rooms.roles", rid=room.id)
        else:
            path = "channels.roles" if room.kind == "c" else "groups.roles"
            answer = await self._rest.get(path, roomId=room.id)
        listed = objects(answer.get("roles"))
        return {str(nested(one, "u", "_id")): _words(one.get("roles")) for one in listed}


def _words(value: Any) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
