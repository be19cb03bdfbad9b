"""The permission table, cell by cell: what is typed x role x state, through dispatch and a store.

A verb, option, flag or button without a row in permission_table.py fails, whatever it allows.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from commands.handlers.buttons import BUTTONS
from commands.handlers.table import COMMANDS
from commands.permissions import Right, Standing, may
from commands.ports import Limits, Membership, Policy, Rights, Seat
from commands.spec import Args, Request, Say, Spec, Takes
from commands.world import World
from storage.records import Room
from tests.security.cells import check, furnish, policy_for
from tests.security.company import (
    ANA,
    BO,
    DIRECT,
    NAMESAKE,
    TEAM,
    Company,
    company,
    keys,
)
from tests.security.permission_table import (
    ALSO_FROM_OUTSIDE,
    ROWS,
    Outside,
    Role,
    Row,
    as_markdown,
    forms,
)

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"

cells = pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.form)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Company]:
    """A channel where guests and lobby are held back; Ana is named as the bot's admin."""
    policy = Policy(
        public_url="https://calls.example.org",
        lobby=True,
        admins=frozenset({ANA}),
        limits=Limits(commands_per_person=10**6, commands_per_channel=10**6),
    )
    async with company(tmp_path / "data", policy) as made:
        made.chat.rights[BO, TEAM] = Rights(Membership.JOINED)
        yield made


# --- the cells -----------------------------------------------------------------------------------


@cells
@pytest.mark.parametrize("role", Role)
async def test_of_the_people_in_the_channel(team: Company, row: Row, role: Role) -> None:
    policy_for(team, role)
    channel = DIRECT if role is Role.DIRECT else TEAM
    team.chat.rights[ANA, channel] = Rights(Membership.JOINED, admin=role is Role.ADMIN)
    await furnish(team, role)
    await check(team, row, role, ANA, row.answer(role))


@cells
async def test_a_namesake_of_another_server_is_any_member(team: Company, row: Row) -> None:
    """Same name, same local part: Ana opened, made and administers everything, and is there too."""
    team.chat.names = {ANA: "Ana", NAMESAKE: "Ana"}
    team.chat.rights[ANA, TEAM] = Rights(Membership.JOINED, admin=True)
    team.chat.rights[NAMESAKE, TEAM] = Rights(Membership.JOINED)
    await furnish(team, Role.MAKER, opener=ANA)
    await check(team, row, Role.MEMBER, NAMESAKE, row.answer(Role.MEMBER))


@cells
@pytest.mark.parametrize("state", Outside)
async def test_from_outside(team: Company, row: Row, state: Outside) -> None:
    """Ana was everything before: opener, maker, admin of the channel and of the bot."""
    await furnish(team, Role.MAKER, opener=ANA)
    if state is Outside.GUEST:
        for room in await team.world.store.rooms_in(TEAM):
            await team.world.store.invite(room.id, [ANA])
    membership = Membership.BANNED if state is Outside.BANNED else Membership.LEFT
    for channel in (TEAM, DIRECT):
        team.chat.rights[ANA, channel] = Rights(membership, admin=True)
    team.chat.silent = state is Outside.UNKNOWN
    expected = "yes" if row.form in ALSO_FROM_OUTSIDE else "no"
    for role in (Role.MEMBER, Role.DIRECT):
        await check(team, row, role, ANA, expected)


# --- what a table of answers does not say --------------------------------------------------------


def test_every_form_of_every_command_has_its_row_and_no_other() -> None:
    """Something new is denied a place in the product until it is written down who may do it."""
    assert forms(COMMANDS.specs) == set(ROWS)


def test_a_new_command_a_new_option_and_a_new_flag_would_be_missed() -> None:
    async def run(world: World, request: Request, args: Args) -> list[Say]:
        return []

    takes = Takes(flags=frozenset({"loudly"}), options=frozenset({"colour"}))
    new = Spec("sing", "sing", Right.MEMBER, takes, run)
    missed = forms([*COMMANDS.specs, new]) - set(ROWS)
    assert missed == {"sing", "sing loudly", "sing colour:"}


def test_aliases_are_the_command_itself() -> None:
    for spec in COMMANDS.specs:
        assert all(COMMANDS.find(alias) is spec for alias in spec.aliases)


def test_a_declaration_allows_nobody_whom_the_table_refuses() -> None:
    """The right in the declaration of a command is the least that any of its forms needs."""
    for spec in COMMANDS.specs:
        rows = [ROWS[form] for form in forms([spec]) if form in ROWS and form not in BUTTONS]
        someone = any(row.answer(Role.MEMBER) == "yes" for row in rows)
        assert (spec.right not in (Right.MEMBER, Right.ANYONE)) <= (not someone), spec.verb
        outside = {row.form in ALSO_FROM_OUTSIDE for row in rows}
        assert outside == {spec.right is Right.ANYONE}, spec.verb


def test_a_right_that_no_rule_knows_is_refused() -> None:
    everything = Standing(Rights(Membership.JOINED, admin=True), direct=True, bot_admin=True)
    assert not may("a right of tomorrow", everything)  # type: ignore[arg-type]


async def test_an_admin_demoted_between_end_and_end_sure_ends_nothing(team: Company) -> None:
    """A question asked of somebody is no permission to keep."""
    await furnish(team, Role.ADMIN)
    policy_for(team, Role.ADMIN)
    team.chat.rights[ANA, TEAM] = Rights(Membership.JOINED, admin=True)
    room = await team.world.store.default_room(TEAM)
    assert room is not None
    for name in ("Bo", "Cy"):
        await walk_in(team, room, name)
    assert keys(await team.types("end", ANA)) == ["end.sure"]

    team.chat.rights[ANA, TEAM] = Rights(Membership.JOINED)
    assert keys(await team.types("end sure", ANA)) == ["e.not_yours_to_end"]
    assert await team.world.store.live_meeting(room.id) is not None


async def test_a_private_call_is_not_there_for_whoever_was_not_invited(team: Company) -> None:
    """By its name, or by its id: the same answer as for a name that nobody ever gave."""
    team.chat.rights[ANA, TEAM] = Rights(Membership.JOINED, admin=True)
    team.chat.rights[BO, TEAM] = Rights(Membership.JOINED)
    await team.types('call @host:here.example "Secret plan"', BO)
    calls = await team.world.store.call_rooms_of(BO)
    assert [call.name for call in calls] == ["Secret plan"]
    for name in ("Secret plan", calls[0].id, calls[0].meeting_id):
        for verb in ("join", "status", "who", "end", "guest", "invite @bo:here.example"):
            assert keys(await team.types(f'{verb} "{name}"', ANA)) == ["e.no_room"]


async def walk_in(team: Company, room: Room, name: str) -> None:
    """Somebody is let into the call of this room at BBB."""
    meeting = await team.world.store.live_meeting(room.id)
    assert meeting is not None
    seat = Seat(room.meeting_id, name, True, meeting.create_time, name)
    url = team.world.servers.join_url(meeting.server, seat)
    async with httpx.AsyncClient(transport=team.line, follow_redirects=True) as browser:
        (await browser.get(url)).raise_for_status()


# --- the docs ------------------------------------------------------------------------------------


def test_the_docs_show_this_table() -> None:
    """`python -m tests.security.permission_table` prints it."""
    page = DOCS.read_text(encoding="utf-8")
    found = re.search(r"(?ms)^## Who may do what$.*?(^\|.*?\|)$\n(?!\|)", page)
    assert found is not None
    assert found[1] == as_markdown()
