"""Every command x every fault of the simulated BBB: one clear line, nothing half-made, no orphan.

The commands come from their declarations, so a new one joins by itself: typed bare, with all that
it takes, and with each of its flags.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import product

import pytest

from bot.demo.bbb import Fault
from bot.demo.bbb.faults import ALL
from commands.handlers.buttons import BUTTONS
from commands.handlers.table import COMMANDS
from commands.spec import Spec
from tests.faults.bbb_case import (
    CHANGES,
    DOUBTFUL,
    NOTHING,
    UNDERSTOOD,
    UNKNOWN,
    Case,
    case_of,
    key_of,
    leaks,
    listen_to,
    written,
)
from tests.faults.bbb_stage import Past, Theatre
from tests.scenario.scene import TEAM

MOST_TRIES = 3
"""Requests that one command may come to, in trouble."""
ASKS_BBB = {"start", "status", "who", "end", "say", "call", "⏹"}
"""The commands and buttons that come to ask BBB; the others are held to asking it nothing."""
PASTS = {"start": list(Past), "call": [Past.QUIET]}
"""When they do; the others only `LIVE`, for they say by themselves that nothing runs."""
LAST_CALL = {"end": "end", "⏹": "end", "say": "sendChatMessage"}
"""What those that look first do in the end: there the fault comes amid the command."""


def ways(spec: Spec) -> Sequence[str]:
    """A command bare, with all that it takes, and with each of its flags."""
    takes = spec.takes
    given = [
        *(["@bob"] if takes.people else []),
        *["Lab", "Den"][: takes.names],
        *(['"Planning"'] if takes.title else []),
        *(["Hello"] if takes.text else []),
    ]
    full = " ".join([spec.verb, *given])
    flagged = [f"{line} {flag}" for line in (spec.verb, full) for flag in sorted(takes.flags)]
    return list(dict.fromkeys([spec.verb, full, *flagged]))


ASKED = {spec.verb: ways(spec) for spec in COMMANDS.specs} | {key: [key] for key in BUTTONS}
"""What is typed or pressed, by command or button."""


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    return Theatre(tmp_path_factory.mktemp("theatre"))


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
@pytest.mark.parametrize("command", sorted(ASKS_BBB))
async def test_a_command_meets_a_fault(
    command: str, fault: Fault, theatre: Theatre, caplog: pytest.LogCaptureFixture
) -> None:
    listen_to(caplog)
    met = 0
    pasts = PASTS.get(command, [Past.LIVE])
    broken = [ALL, LAST_CALL[command]] if command in LAST_CALL else [ALL]
    for past, asked, call in product(pasts, ASKED[command], broken):
        async with theatre.after(past) as act:
            with case_of(act) as case:
                met += await _is_borne(case, asked, fault, call)
    assert met, "this command does not ask BBB any more: take it out of ASKS_BBB"
    assert not leaks(written(caplog.records))


SILENT = [(command, past) for command in sorted(ASKED.keys() - ASKS_BBB) for past in Past]
SILENT += [(command, Past.QUIET) for command in sorted(ASKS_BBB - PASTS.keys())]


@pytest.mark.parametrize(("command", "past"), SILENT)
async def test_a_command_that_asks_bbb_nothing_meets_no_fault(
    command: str, past: Past, theatre: Theatre
) -> None:
    async with theatre.after(past) as act:
        with case_of(act) as case:
            case.breaks(Fault.BAD_GATEWAY)
            for asked in ASKED[command]:
                said, calls = len(case.said()), case.calls()
                await case.ask(asked)
                answers = case.said()[said:]
                assert case.calls() == calls, "it asks BBB now: put it into ASKS_BBB"
                assert answers or command in BUTTONS
                assert not any(key_of(text) for _, text in answers)


async def _is_borne(case: Case, asked: str, fault: Fault, call: str) -> bool:
    """Judge one cell; whether the command met the fault."""
    said, calls, at_bbb, kept = len(case.said()), len(case.calls()), case.at_bbb(), case.kept()
    case.breaks(fault, call)
    await case.ask(asked)
    answers, sent = case.said()[said:], case.calls()[calls:]
    met = bool(sent) if call == ALL else call in sent
    assert not leaks(repr(answers))
    if not met or fault in UNDERSTOOD:
        assert not any(key_of(text) for _, text in answers)
        return met

    assert sent.count(sent[-1]) <= MOST_TRIES
    [(where, text)] = answers  # one line, to nobody else
    assert (where, text.count("\n")) == (TEAM, 0)
    key = key_of(text)
    in_doubt = fault in DOUBTFUL and sent[-1] in CHANGES
    assert key in (UNKNOWN if in_doubt else NOTHING), text
    assert case.kept() == kept
    assert not case.planned() or in_doubt
    if not in_doubt:
        assert case.at_bbb() == at_bbb
    await _is_well_again(case, asked)
    return True


async def _is_well_again(case: Case, asked: str) -> None:
    """BBB has healed: nothing is left over, and the same line works, once."""
    scene = case.act.scene
    case.heals()
    for seconds in (40, 5):  # to look again; and BBB ends a meeting in its own time
        scene.clock.now += timedelta(seconds=seconds)
        await scene.settle()
    assert case.orphans() == []
    said = len(case.said())
    await case.ask(asked)
    answers = case.said()[said:]
    assert not any(key_of(text) for _, text in answers)
    assert case.orphans() == []
    assert case.planned() == []
    topics = [one.plan.name for one in scene.bbb.state.meetings() if not one.forcibly_ended]
    assert len(topics) == len(set(topics)), "the same call twice"


def test_every_line_of_the_table_is_a_line_of_its_own() -> None:
    assert all(ways(spec)[0] == spec.verb for spec in COMMANDS.specs)
    assert ASKED["start"] == ["start", 'start "Planning"', "start new", 'start "Planning" new']
    assert ASKED["end"] == ["end", "end Lab", "end sure", "end Lab sure"]


def test_a_line_about_trouble_is_known_by_its_key() -> None:
    assert key_of("Team – call opened") == ""
    assert leaks("https://bbb-of-the-fault-table.example/x?checksum=") != []
