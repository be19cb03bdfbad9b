"""Invitations to rooms: whom the bot follows, and following them."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.chat.matrix.direct import DirectRooms
from bot.chat.matrix.doors import Doors
from bot.chat.matrix.upgrades import Upgrades, predecessor
from bot.chat.shapes import Json

log = logging.getLogger(__name__)

_REFUSALS_KEPT = 1_000


class Refusal(StrEnum):
    """Why an invitation is declined; each has its text in the catalogues."""

    NOT_LISTED = "invite.not_listed"
    CLOSED = "invite.closed"


@dataclass(frozen=True, slots=True)
class Invite:
    """Somebody asked the bot into a room, which may claim to replace another."""

    room: str
    inviter: str
    is_direct: bool
    predecessor: str | None = None


def server_of(user: str) -> str:
    """The server of a user id; never ask this of a room id."""
    return user.partition(":")[2]


def is_allowed(inviter: str, allowed: frozenset[str]) -> bool:
    """`allowed` holds user ids and server names."""
    return inviter in allowed or server_of(inviter) in allowed


def invites_in(answer: Json, me: str) -> Iterator[Invite]:
    """The invitations of a sync answer."""
    for room, info in answer.get("rooms", {}).get("invite", {}).items():
        events = [
            each
            for each in info.get("invite_state", {}).get("events", [])
            if isinstance(each, dict)
        ]
        for event in events:
            if _is_for(event, me):
                direct = event["content"].get("is_direct") is True
                yield Invite(room, str(event.get("sender")), direct, _claim(events))


def _is_for(event: Json, me: str) -> bool:
    return (
        event.get("type") == "m.room.member"
        and event.get("state_key") == me
        and isinstance(event.get("content"), dict)
        and event["content"].get("membership") == "invite"
    )


def _claim(events: Sequence[Json]) -> str | None:
    """The room that this one claims to replace: only a hint, other servers may write anything."""
    creates = [each.get("content") for each in events if each.get("type") == "m.room.create"]
    return predecessor(creates[0]) if creates else None


class Invites:
    """Joins where it is allowed, and declines the rest with a reason.

    Besides the listed inviters, a room of ours that was replaced may ask the bot into its
    replacement. A refusal is logged once, however often the same person asks again.
    """

    def __init__(
        self,
        direct: DirectRooms,
        doors: Doors,
        upgrades: Upgrades,
        *,
        allowed: frozenset[str],
        reasons: Callable[[str], str],
    ) -> None:
        """`allowed` as in `is_allowed`; `reasons` gives a refusal in words."""
        self._direct = direct
        self._doors = doors
        self._upgrades = upgrades
        self._allowed = allowed
        self._reasons = reasons
        self._refused: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def answer(self, invite: Invite) -> None:
        """Join or decline; to be run beside the sync. Raises MatrixError, ChatUnavailable."""
        listed = is_allowed(invite.inviter, self._allowed)
        if not listed and not await self._is_replacement(invite):
            await self._decline(invite, Refusal.NOT_LISTED)
        elif not await self._doors.enter(invite.room, via=server_of(invite.inviter)):
            await self._decline(invite, Refusal.CLOSED)
        elif not listed and not await self._upgrades.replaced_by(invite.room):
            await self._upgrades.retreat(invite.room)
        elif invite.is_direct:
            self._direct.note(invite.inviter, invite.room)
            await self._direct.store()

    async def _is_replacement(self, invite: Invite) -> bool:
        old = invite.predecessor
        return old is not None and await self._upgrades.is_named(old, invite.room)

    async def _decline(self, invite: Invite, why: Refusal) -> None:
        extra = {
            "action": "invite_declined",
            "room": invite.room,
            "inviter": invite.inviter,
            "reason": why.name.lower(),
        }
        again = self._is_repeated(invite.inviter, why)
        log.log(logging.DEBUG if again else logging.WARNING, "invitation declined", extra=extra)
        await self._doors.leave(invite.room, self._reasons(why))

    def _is_repeated(self, inviter: str, why: Refusal) -> bool:
        """Whether this person was refused for this before; remembered as long as there is room."""
        known = (inviter, why.value) in self._refused
        self._refused[inviter, why.value] = None
        if len(self._refused) > _REFUSALS_KEPT:
            self._refused.popitem(last=False)
        return known
