"""One cell of the permission table, on any platform: a channel furnished, a line typed, judged."""

from __future__ import annotations

from commands.handlers.buttons import BUTTONS
from commands.options import Options
from commands.services import meetings, rooms
from storage.records import Kind, Letter, Person
from tests.security.company import NOW, Company, keys
from tests.security.permission_table import Role, Row

HARMLESS = {"accept", "finish", "take_confirmation", "meeting_seen"}
"""Writes of a refused command: that it came and was answered, the asker's own question, a look."""

NOT_ABOUT_RIGHTS = {"e.nobody_inside", "e.room_busy"}
"""Somebody who may is told this by the state of things."""


async def furnish(team: Company, role: Role, *, opener: Person | None = None) -> None:
    """The rooms of the channel as they are when Ana has this role."""
    world, cast = team.world, team.cast
    here, host = cast.channel, cast.host
    opener = cast.ana if role is Role.OPENER else opener or host
    maker = cast.ana if role is Role.MAKER else host

    def cause(name: str) -> str:
        return f"{name} of {here.id}"

    default = await rooms.default_room(world, here, host, cause("default"))
    await rooms.create(world, here, maker, "Plan", Options(), cause("plan"))
    board = await rooms.create(world, here, maker, "Board", Options(), cause("board"))
    opened = await meetings.open_for_command(world, default, opener, "", Options(), cause("call"))
    await meetings.open_for_command(world, board, host, "", Options(), cause("board-call"))
    assert opened.card is not None
    letter = meetings.cards.letter_of(opened.card, letter_id=cause("card"))
    await world.store.say([letter], cards=[opened.card])
    await world.store.letter_sent(letter.id, cast.card, at=NOW)
    if role is Role.DIRECT:
        own = await rooms.personal_room(world, cast.ana, cast.direct, cause("own"))
        await meetings.open_for_command(world, own, host, "", Options(), cause("own-call"))


def policy_for(team: Company, role: Role) -> None:
    """Bot admins are named in the configuration; nobody else is."""
    admins = frozenset({team.cast.ana} if role is Role.BOT_ADMIN else ())
    object.__setattr__(team.world.policy, "admins", admins)


async def asks(team: Company, row: Row, role: Role, by: Person) -> list[Letter]:
    """The row's line typed, or its button pressed."""
    cast = team.cast
    channel = cast.direct if role is Role.DIRECT else cast.channel
    if row.form in BUTTONS:
        return await team.types(
            row.typed, by, channel=channel, kind=Kind.REACTION, target=cast.card
        )
    return await team.types(row.typed, by, channel=channel)


def did_it(letters: list[Letter]) -> bool:
    """Whether something else than a refusal came of it."""
    said = keys(letters)
    refused = {key for key in said if key.startswith("e.")} - NOT_ABOUT_RIGHTS
    return bool(letters) and not refused


def without_effect(team: Company) -> bool:
    """Whether nothing was written but the answer, and nothing asked of BBB but a look."""
    calls = {request.path.rpartition("/")[2] for request in team.line.requests}
    return set(team.store.writes) <= HARMLESS and calls <= {"getMeetingInfo"}


def forget_the_past(team: Company) -> None:
    team.store.writes.clear()
    team.line.requests.clear()


async def check(team: Company, row: Row, role: Role, by: Person, expected: str) -> None:
    """Raises AssertionError when the cell is not what it should be."""
    forget_the_past(team)
    letters = await asks(team, row, role, by)
    assert did_it(letters) is (expected == "yes"), keys(letters)
    if expected != "yes":
        assert without_effect(team), (team.store.writes, team.line.requests)
