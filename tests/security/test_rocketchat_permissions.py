"""The permission table over Rocket.Chat, cell by cell: owner, moderator, leader, member, guest of
the workspace, bot admin, and who is gone before a command is carried out; with and without threads.

What is typed goes through the server, the adapter and dispatch; rights are asked of the server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path

import pytest

from commands.ports import Limits, Policy
from tests.conftest import Proof
from tests.security.cells import check, furnish, policy_for
from tests.security.permission_table import ALSO_FROM_OUTSIDE, ROWS, Role, Row
from tests.security.rocket_company import RocketCompany, rocket_company

MANY = 10**6
GUEST = "guest of the workspace"
CASTS: dict[str, Role] = {
    "owner": Role.ADMIN,
    "moderator": Role.ADMIN,
    "leader": Role.ADMIN,
    "member": Role.MEMBER,
    GUEST: Role.MEMBER,
    "bot admin": Role.BOT_ADMIN,
    "opened the call": Role.OPENER,
    "made the room": Role.MAKER,
    "direct message": Role.DIRECT,
}
ROOM_ROLES = {"owner", "moderator", "leader"}


@asynccontextmanager
async def opened(directory: Path, *, threads: bool) -> AsyncIterator[RocketCompany]:
    limits = Limits(commands_per_person=MANY, commands_per_channel=MANY)
    policy = Policy(public_url="https://calls.example.org", lobby=True, limits=limits)
    async with rocket_company(directory, policy, threads=threads) as team:
        yield team


class Cells:
    """Checks cells and remembers those that are not as the table says."""

    def __init__(self) -> None:
        self.number = 0
        self.wrong: list[str] = []

    async def check(self, team: RocketCompany, row: Row, role: Role, who: str, wanted: str) -> None:
        self.number += 1
        try:
            await check(team, row, role, team.cast.ana, wanted)
        except AssertionError as error:
            self.wrong.append(f"{row.form} by {who}, should be {wanted}: {error}")


@pytest.mark.parametrize("threads", [True, False], ids=["threads", "no-threads"])
@pytest.mark.promise("Who may do what in Rocket.Chat is what docs/commands.md says, cell by cell.")
async def test_of_the_people_in_the_room(tmp_path: Path, threads: bool, proof: Proof) -> None:
    """In short every third cell, or sixth without threads; at length all."""
    cells, step = Cells(), proof.amount(3 if threads else 6, long=1)
    async with opened(tmp_path / "data", threads=threads) as team:
        for (number, row), (turn, who) in product(enumerate(ROWS.values()), enumerate(CASTS)):
            if (number + turn) % step == 0:
                role = CASTS[who]
                team.recast(role=who if who in ROOM_ROLES else "", guest=who == GUEST)
                policy_for(team, role)
                await furnish(team, role)
                await cells.check(team, row, role, who, row.answer(role))
    proof.measured(cells=cells.number, wrong=len(cells.wrong))
    assert cells.wrong == []


def leaves(team: RocketCompany) -> None:
    team.server.leave(team.ana, team.room)


def is_removed(team: RocketCompany) -> None:
    team.server.leave(team.ana, team.room, by=team.bot)


def is_removed_without_a_word(team: RocketCompany) -> None:
    team.server.leave(team.ana, team.room, event=False)


def is_deactivated(team: RocketCompany) -> None:
    team.server.leave(team.ana, team.room)
    team.server.deactivate(team.ana)


def cannot_be_asked_about(team: RocketCompany) -> None:
    team.faults.rest.fail(status=503, times=None)


OUTSIDE: list[Callable[[RocketCompany], None]] = [
    leaves,
    is_removed,
    is_removed_without_a_word,
    is_deactivated,
    cannot_be_asked_about,
]


@pytest.mark.promise("Who left a room of Rocket.Chat has no say there any more, cell by cell.")
async def test_from_outside(tmp_path: Path, proof: Proof) -> None:
    """Ana was everything before: owner, opener, maker; invited by name, too."""
    cells = Cells()
    async with opened(tmp_path / "data", threads=True) as team:
        for number, row in enumerate(ROWS.values()):
            for how in OUTSIDE if proof.long else [OUTSIDE[number % len(OUTSIDE)]]:
                team.recast(role="owner")
                policy_for(team, Role.MAKER)
                await furnish(team, Role.MAKER, opener=team.cast.ana)
                for room in await team.world.store.rooms_in(team.cast.channel):
                    await team.world.store.invite(room.id, [team.cast.ana])
                wanted = "yes" if row.form in ALSO_FROM_OUTSIDE else "no"
                team.meanwhile = lambda how=how: how(team)
                await cells.check(team, row, Role.MEMBER, how.__name__, wanted)
                team.faults.rest.stop()
    proof.measured(cells=cells.number, wrong=len(cells.wrong))
    assert cells.wrong == []
