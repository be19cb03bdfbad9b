"""One case of a fault table: what is at BBB and in the database, what was said, what leaked."""

import logging
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.demo.bbb import Fault
from bot.demo.bbb.faults import ALL
from commands.handlers.buttons import BUTTONS
from commands.i18n import texts
from tests.canary import BBB_SECRET
from tests.faults.bbb_stage import BBB, HURRIED, UNHURRIED, Act
from tests.scenario.scene import TEAM

HANGS = {Fault.HANG, Fault.NEVER_TOLD, Fault.DRIP}
UNDERSTOOD = {Fault.WRONG_CHARSET, Fault.BARE, Fault.STRANGE_ELEMENTS}
"""Odd, and still an answer."""
DOUBTFUL = HANGS | {
    Fault.BAD_GATEWAY,
    Fault.XML_500,
    Fault.XML_BOMB,
    Fault.GZIP_BOMB,
    Fault.EMPTY,
    Fault.TRUNCATED,
    Fault.RESET,
    Fault.LOST_REPLY,
}
"""Those after which only the server knows whether it has carried a call out."""
CHANGES = {"create", "end", "sendChatMessage"}

NOTHING, UNKNOWN = {"e.bbb", "e.bbb_busy", "e.bbb_secret"}, {"e.bbb_unknown", "e.say_unknown"}
"""Lines that say that nothing has changed, or that it is not known."""

MOST_TRIES = 3
"""Requests that one command may come to, in trouble."""

_KEPT = (
    "SELECT id, name, meeting_id, generation FROM room WHERE deleted_ms IS NULL",
    "SELECT id, room, state, internal_id FROM meeting WHERE state <> 'planned'",
    "SELECT hash, generation FROM link WHERE revoked_ms IS NULL",
    "SELECT id, room, content FROM card",
    "SELECT invited.room, person FROM invited JOIN room ON room.id = invited.room"
    " WHERE deleted_ms IS NULL",
)
_PLANNED = "SELECT id, next_look_ms FROM meeting WHERE state = 'planned'"
_KNOWN = (
    "SELECT internal_id FROM meeting WHERE state IN ('open', 'running')",
    "SELECT meeting_id FROM room WHERE deleted_ms IS NULL",
)


@dataclass(frozen=True, slots=True)
class Case:
    """An act, and a second pair of eyes on its database."""

    act: Act
    database: sqlite3.Connection

    def breaks(self, fault: Fault, call: str = ALL) -> None:
        self.act.scene.bbb.faults.set(fault, call=call)
        self.act.client.seconds = HURRIED if fault in HANGS else UNHURRIED

    def heals(self) -> None:
        self.act.scene.bbb.faults.clear()
        self.act.client.seconds = UNHURRIED

    async def ask(self, asked: str) -> None:
        """Alice types a command in #team, or presses a button under its card."""
        scene = self.act.scene
        if asked in BUTTONS:
            [card] = [seen for seen in await scene.stage.messages(TEAM) if "Weekly" in seen.text]
            await scene.presses("alice", card, asked)
        else:
            await scene.says("alice", f"!bbb {asked}")

    # --- looking

    def said(self) -> list[tuple[str, str]]:
        """All that the bot ever posted, as it shows now: where, and what."""
        return self.act.scene.stage.posted()

    def calls(self) -> list[str]:
        """The calls that reached BBB."""
        return [seen.call for seen in self.act.scene.bbb.requests if seen.call]

    def at_bbb(self) -> list[tuple[str, bool, int, int]]:
        """Its meetings: which, whether ended, how many inside, how much was said."""
        return [
            (one.internal_id, one.forcibly_ended, len(one.inside), len(one.messages))
            for one in self.act.scene.bbb.state.meetings()
        ]

    def kept(self) -> list[list[tuple[object, ...]]]:
        """What the database holds of rooms, meetings, links, cards, invitations."""
        return [self._rows(question) for question in _KEPT]

    def planned(self) -> list[tuple[object, ...]]:
        """Meetings that may or may not be at BBB, and when that is to be found out."""
        return self._rows(_PLANNED)

    def orphans(self) -> list[str]:
        """Meetings at BBB that no row knows, and that no room would find again."""
        ids, rooms = self._rows(_KNOWN[0]), self._rows(_KNOWN[1])
        return [
            one.plan.name
            for one in self.act.scene.bbb.state.meetings()
            if (one.internal_id,) not in ids and (one.plan.meeting_id,) not in rooms
            if not one.forcibly_ended
        ]

    def _rows(self, question: str) -> list[tuple[object, ...]]:
        return sorted(self.database.execute(question).fetchall())


@contextmanager
def case_of(act: Act) -> Iterator[Case]:
    """The act as a case."""
    database = f"file:{act.directory / 'bbb-bot.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        yield Case(act, connection)


def key_of(text: str) -> str:
    """The catalogue's key of a line about trouble; "" for any other text."""
    for key in sorted(NOTHING | UNKNOWN):
        words = re.escape(texts("en").template(key)).replace(r"\{ref\}", "[0-9a-f]{8}")
        if re.fullmatch(words, text):
            return key
    return ""


def leaks(text: str) -> list[str]:
    """What of BBB's secrets stands in a text."""
    secrets = [BBB_SECRET, BBB.removeprefix("https://"), "checksum="]
    return [secret for secret in secrets if secret in text] + re.findall("[0-9a-f]{40,}", text)


def listen_to(caplog: pytest.LogCaptureFixture) -> None:
    """Hear all that the bot logs, at any level."""
    for name in ("bot", "commands"):
        caplog.set_level(logging.DEBUG, name)


def written(records: Sequence[logging.LogRecord]) -> str:
    """All that log records hold, whatever of it a formatter shows."""
    ours = [record for record in records if record.name.partition(".")[0] in ("bot", "commands")]
    return "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours)


async def is_borne(case: Case, asked: str, fault: Fault, call: str) -> bool:
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
    await is_well_again(case, asked)
    return True


async def is_well_again(case: Case, asked: str) -> None:
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
