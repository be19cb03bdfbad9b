"""Who may do what, written down once by hand; the tests compare declarations and behaviour with it.

`python -m tests.security.permission_table` prints the table of docs/commands.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from commands.handlers.buttons import BUTTONS
from commands.spec import Spec


class Role(StrEnum):
    """What the asker is, beside being there."""

    MEMBER = "member"
    ADMIN = "channel admin"
    BOT_ADMIN = "bot admin"
    OPENER = "opened the call"
    MAKER = "made the room"
    DIRECT = "direct message"


class Outside(StrEnum):
    """Why the asker is nobody here, whatever they were before."""

    LEFT = "left"  # or removed; the chat may still name them admin
    BANNED = "banned"
    GUEST = "guest"  # invited into the channel's rooms by name, never in the channel
    UNKNOWN = "chat cannot be asked"


ALSO_FROM_OUTSIDE = frozenset({"forget-me", "help", "help NAME"})
"""Only about the asker, or the same for everybody."""

# `-`: it has no meaning there (no such room in a direct message, or only in channels).
BY_HAND = """
form             | typed                  | member | admin | bot admin | opener | maker | direct
start            | start                  | yes    | yes   | yes       | yes    | yes   | yes
start new        | start new              | yes    | yes   | yes       | yes    | yes   | -
start record:    | start record:auto      | yes    | yes   | yes       | yes    | yes   | -
start max:       | start max:20           | yes    | yes   | yes       | yes    | yes   | -
start mute:      | start mute             | yes    | yes   | yes       | yes    | yes   | -
start moderators:| start moderators:admins| yes    | yes   | yes       | yes    | yes   | -
start for:       | start for 90m          | yes    | yes   | yes       | yes    | yes   | -
start lobby:     | start lobby:off        | no     | yes   | yes       | no     | no    | -
start guests:    | start guests:on        | no     | yes   | yes       | no     | no    | -
status           | status                 | yes    | yes   | yes       | yes    | yes   | yes
status NAME      | status Board           | yes    | yes   | yes       | yes    | yes   | -
who              | who                    | yes    | yes   | yes       | yes    | yes   | yes
who NAME         | who Board              | yes    | yes   | yes       | yes    | yes   | -
end              | end                    | no     | yes   | yes       | yes    | no    | yes
end sure         | end sure               | no     | yes   | yes       | yes    | no    | yes
end NAME         | end Board              | no     | yes   | yes       | no     | yes   | -
say              | say hello              | yes    | yes   | yes       | yes    | yes   | yes
create           | create "Fresh"         | yes    | yes   | yes       | yes    | yes   | -
create record:   | create Fresh record    | yes    | yes   | yes       | yes    | yes   | -
create max:      | create Fresh max:20    | yes    | yes   | yes       | yes    | yes   | -
create mute:     | create Fresh mute      | yes    | yes   | yes       | yes    | yes   | -
create moderators:| create Fresh moderators:admins | yes | yes | yes    | yes    | yes   | -
create for:      | create Fresh for 90m   | yes    | yes   | yes       | yes    | yes   | -
create lobby:    | create Fresh lobby:off | no     | yes   | yes       | no     | no    | -
create guests:   | create Fresh guests:on | no     | yes   | yes       | no     | no    | -
rooms            | rooms                  | yes    | yes   | yes       | yes    | yes   | -
rename           | rename "Plan" "Map"    | no     | yes   | yes       | no     | yes   | -
delete-room      | delete-room Plan       | no     | yes   | yes       | no     | yes   | -
join             | join                   | yes    | yes   | yes       | yes    | yes   | yes
join NAME        | join Board             | yes    | yes   | yes       | yes    | yes   | -
my               | my                     | yes    | yes   | yes       | yes    | yes   | yes
my reset         | my reset               | yes    | yes   | yes       | yes    | yes   | yes
call PEOPLE      | call @bo:here.example  | yes    | yes   | yes       | yes    | yes   | yes
invite PEOPLE    | invite @bo:here.example| yes    | yes   | yes       | yes    | yes   | yes
invite NAME      | invite @bo:here.example Board | yes | yes | yes     | yes    | yes   | -
guest            | guest                  | no     | yes   | yes       | no     | no    | yes
guest NAME       | guest Board            | no     | yes   | yes       | no     | yes   | -
guest for:       | guest for 2h           | no     | yes   | yes       | no     | no    | yes
guest off        | guest off              | no     | yes   | yes       | no     | no    | yes
lang             | lang                   | yes    | yes   | yes       | yes    | yes   | yes
lang NAME        | lang fr                | no     | yes   | yes       | no     | no    | yes
forget-me        | forget-me              | yes    | yes   | yes       | yes    | yes   | yes
help             | help                   | yes    | yes   | yes       | yes    | yes   | yes
help NAME        | help end               | yes    | yes   | yes       | yes    | yes   | yes
admin            | admin outbox           | no     | no    | yes       | no     | no    | no
▶                | ▶                      | yes    | yes   | yes       | yes    | yes   | -
⏹                | ⏹                      | no     | yes   | yes       | yes    | no    | -
"""

DEMANDING = {"delete-room": "NAME", "call": "PEOPLE", "invite": "PEOPLE"}
"""Verbs that only ask for what is missing when they stand alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that can be asked for: what is typed, and the answer for each role."""

    form: str
    typed: str
    answers: tuple[str, ...]

    def answer(self, role: Role) -> str:
        return self.answers[list(Role).index(role)]


def _rows() -> Iterator[Row]:
    for line in BY_HAND.strip().splitlines()[1:]:
        form, typed, *answers = (cell.strip() for cell in line.split("|"))
        yield Row(form, typed, tuple(answers))


ROWS = {row.form: row for row in _rows()}


def forms(specs: Sequence[Spec]) -> set[str]:
    """Everything that the declarations let people ask for, a row each."""
    typed = {form for spec in specs for form in _forms(spec)}
    return typed | set(BUTTONS)


def _forms(spec: Spec) -> Iterator[str]:
    takes = spec.takes
    if spec.verb not in DEMANDING or DEMANDING[spec.verb] == "NAME":
        yield spec.verb
    if takes.names == 1 and DEMANDING.get(spec.verb) != "NAME":
        yield f"{spec.verb} NAME"
    if takes.people:
        yield f"{spec.verb} PEOPLE"
    yield from (f"{spec.verb} {flag}" for flag in takes.flags)
    yield from (f"{spec.verb} {key}:" for key in takes.options)


def as_markdown() -> str:
    """The table for docs/commands.md: what is answered alike stands in one row."""
    head = "| what is typed | " + " | ".join(Role) + " |"
    rows = sorted(ROWS.values(), key=lambda row: row.answers, reverse=True)
    grouped = groupby(rows, key=lambda row: row.answers)
    body = [
        "| "
        + ", ".join(f"`{_shown(row.form)}`" for row in alike)
        + " | "
        + " | ".join("–" if answer == "-" else answer for answer in answers)
        + " |"
        for answers, alike in grouped
    ]
    return "\n".join([head, "|---" * (len(Role) + 1) + "|", *body])


def _shown(form: str) -> str:
    return form.replace("NAME", "…").replace("PEOPLE", "@…")


if __name__ == "__main__":
    print(as_markdown())  # noqa: T201
