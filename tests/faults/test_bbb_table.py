"""Every command x every fault of the simulated BBB: one clear line, nothing half-made, no orphan.

The commands come from their declarations, so a new one joins by itself: typed bare, with all that
it takes, and with each of its flags.
"""

from collections.abc import Sequence
from itertools import product

import pytest

from bot.demo.bbb import Fault
from bot.demo.bbb.faults import ALL
from commands.handlers.buttons import BUTTONS
from commands.handlers.table import COMMANDS
from commands.spec import Spec
from tests.faults.bbb_case import case_of, is_borne, key_of, leaks, listen_to, written
from tests.faults.bbb_stage import Past, Theatre

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
                met += await is_borne(case, asked, fault, call)
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


def test_every_line_of_the_table_is_a_line_of_its_own() -> None:
    assert all(ways(spec)[0] == spec.verb for spec in COMMANDS.specs)
    assert ASKED["start"] == ["start", 'start "Planning"', "start new", 'start "Planning" new']
    assert ASKED["end"] == ["end", "end Lab", "end sure", "end Lab sure"]


def test_a_line_about_trouble_is_known_by_its_key() -> None:
    assert key_of("Team – call opened") == ""
    assert leaks("https://bbb-of-the-fault-table.example/x?checksum=") != []
