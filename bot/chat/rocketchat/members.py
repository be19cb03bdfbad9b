"""Who is in a channel or group, and what they are there; the calls differ by version."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.chat.remembering import Remembered
from bot.chat.rocketchat.answers import Refused, RestError, is_denied, is_unknown_call
from bot.chat.rocketchat.lookups import Account, Room
from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.workspace import Workspace
from bot.chat.shapes import Json, nested, objects
from commands.ports import Membership

LISTED_WITH_ROLES = (7, 3)
"""Since when rooms.membersOrderedByRole is there."""
ROLES_OF_ANY_ROOM = (7, 10)
"""Since when rooms.roles is there."""

_FAMILIES = {"c": "channels", "p": "groups"}
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
        for page in range(_MOST_PAGES):
            offset = page * _PAGE
            asked = {"roomId": room.id, "filter": name, "count": _PAGE, "offset": offset}
            answer = await self._first_known([(path, asked) for path in self._lists_of(room)])
            found = objects(answer.get("members"))
            for entry in found:
                yield entry
            total = answer.get("total")
            if not found or not isinstance(total, int) or offset + len(found) >= total:
                return

    def _lists_of(self, room: Room) -> tuple[str, ...]:
        """The calls that list members, by what the version should have."""
        if room.kind == "d":
            return ("dm.members",)
        new, old = "rooms.membersOrderedByRole", f"{_FAMILIES[room.kind]}.members"
        return (new, old) if self._workspace.version >= LISTED_WITH_ROLES else (old, new)

    async def _first_known(self, calls: Sequence[tuple[str, Json]]) -> Json:
        """The answer to the first of these calls that the server has. Raises RestError."""
        *others, (last, params) = calls
        for path, others_params in others:
            try:
                return await self._rest.get(path, **others_params)
            except RestError as error:
                if not is_unknown_call(error):
                    raise
        return await self._rest.get(last, **params)

    async def _standing_now(self, key: tuple[Room, Account]) -> Standing:
        room, account = key
        try:
            entry = await self._entry(room, account, account.username)
            if entry is None and await self._is_subscribed_unlisted(room, account):
                entry = await self._entry(room, account, None)  # the filter does not find it
        except RestError as error:
            if not is_denied(error):
                raise
            # a broadcast: its members are nobody's business
            there = await self._is_subscribed(room, account)
            return await self._in(room, account) if there else Standing(Membership.LEFT)
        if entry is None:
            return Standing(Membership.LEFT)
        if outside := _NOT_IN.get(str(nested(entry, "subscription", "status"))):
            return Standing(outside)
        if isinstance(entry.get("roles"), list):
            return Standing(Membership.JOINED, _words(entry["roles"]))
        try:
            return await self._in(room, account)
        except Refused:  # a member in any case
            return Standing(Membership.JOINED)

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

        No: `isMember: false` (read in source) or error-user-not-found (documented).
        """
        try:
            answer = await self._rest.get("rooms.isMember", roomId=room.id, userId=account.id)
        except RestError as error:
            if error.code == "error-user-not-found":
                return False
            raise
        return answer.get("isMember") is True

    async def _is_subscribed_unlisted(self, room: Room, account: Account) -> bool:
        """The same of somebody whom the list does not have. Early 6.x cannot be asked (6.13 can):
        then the list was right.
        """
        try:
            return await self._is_subscribed(room, account)
        except RestError as error:
            if is_unknown_call(error):
                return False
            raise

    async def _roles_now(self, room: Room) -> dict[str, frozenset[str]]:
        """The roles of all who have one, by user id."""
        calls = [(f"{_FAMILIES[room.kind]}.roles", {"roomId": room.id})]
        if self._workspace.version >= ROLES_OF_ANY_ROOM:
            calls.insert(0, ("rooms.roles", {"rid": room.id}))
        listed = objects((await self._first_known(calls)).get("roles"))
        return {str(nested(one, "u", "_id")): _words(one.get("roles")) for one in listed}


def _words(value: Any) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
