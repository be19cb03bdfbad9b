"""What is asked every second, or for each command, is found by indexes, however much is kept."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.open import open_store
from storage.queries import cards, channels, clock, inbox, links, meetings, outbox, upkeep
from storage.queries.connection import Connection
from storage.queries.outbox import _MAY_GO
from storage.records import Channel, LinkKind, Person
from storage.sqlite.connection import SqliteConnection

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ANA = Person("matrix", "@ana:example.org")
TEAM = Channel("matrix", "!team:example.org")


@pytest.fixture
async def raw(tmp_path: Path) -> Any:
    await (await open_store(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / "bbb-bot.db", isolation_level=None)) as opened:
        yield opened


def plan(raw: sqlite3.Connection, sql: str, values: dict[str, Any]) -> list[str]:
    rows = raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)
    return [detail for *_, detail in rows if detail.startswith(("SEARCH", "SCAN"))]


async def test_whether_a_letter_may_go_is_found_by_index(raw: sqlite3.Connection) -> None:
    asked = f"SELECT id FROM outbox AS letter WHERE {_MAY_GO}"
    found = plan(raw, asked, {"platform": "matrix", "first": 0, "last": 2, "now": 0})
    assert [line.partition(" (")[0].split()[-1] for line in found] == [
        "outbox_due",
        "outbox_channel",
        "outbox_to_person",
    ]


class Planned(SqliteConnection):
    """Runs queries, and keeps the plan of each."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        super().__init__(raw)
        self.raw = raw
        self.lines: list[str] = []

    def rows(self, sql: str, /, **values: Any) -> Any:
        self.lines += plan(self.raw, sql, values)
        return super().rows(sql, **values)

    def run(self, sql: str, /, **values: Any) -> int:
        self.lines += plan(self.raw, sql, values)
        return super().run(sql, **values)

    def scans(self) -> Iterator[str]:
        """Tables walked from end to end: by a partial index (only what is due, say) it is none."""
        for line in self.lines:
            walked = re.fullmatch(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", line)
            if walked and (walked[2] is None or walked[2].startswith("sqlite_autoindex")):
                yield walked[1]


QUERIES: dict[str, Callable[[Connection], object]] = {
    "letters due": lambda c: outbox.any_due(c, now=NOW, platform="matrix", asked=False),
    "letters counted": outbox.letter_counts,
    "the oldest letter": outbox.oldest_waiting,
    "letters given up": outbox.dead_letters,
    "letters retried": lambda c: outbox.retry_letters(c, [1], cause="matrix:$1"),
    "letters dropped": lambda c: outbox.drop_letters(c, None, at=NOW, cause="matrix:$1"),
    "letters woken": lambda c: outbox.wake_letters(c, ANA, now=NOW),
    "a letter sent": lambda c: outbox.letter_sent(c, "one", "$ref", at=NOW),
    "a letter put off": lambda c: outbox.letter_later(c, "one", at=NOW, error=""),
    "commands waiting": inbox.waiting,
    "commands given up": inbox.dead_commands,
    "a command begun": lambda c: c.run("UPDATE inbox SET attempts = 1 WHERE id = :id", id="one"),
    "cards to edit": lambda c: cards.cards_to_edit(c, now=NOW, platform="matrix"),
    "a card by its message": lambda c: cards.card_by_ref(c, "matrix", "$ref"),
    "meetings due": lambda c: meetings.meetings_to_look_at(c, "main", now=NOW),
    "a room's meeting": lambda c: meetings.live_meeting(c, "room-1"),
    "a room's last meeting": lambda c: meetings.last_meeting(c, "room-1"),
    "a command's meeting": lambda c: meetings.meeting_by_cause(c, "matrix:$1"),
    "what a command ended": lambda c: meetings.meeting_ended_by(c, "matrix:$1"),
    "a link": lambda c: links.link(c, "0" * 64),
    "the newest link": lambda c: links.newest_link(c, LinkKind.PERSONAL, "room-1", ANA),
    "links revoked": lambda c: links.revoke_links(
        c, at=NOW, room_id="room-1", kind=LinkKind.GUEST, cause="matrix:$1"
    ),
    "a channel": lambda c: channels.channel(c, TEAM),
    "the last event": clock.last_event,
    "what outlived itself": lambda c: upkeep.prune(c, before=NOW - timedelta(days=30)),
}


@pytest.mark.parametrize("what", QUERIES)
async def test_no_big_table_is_walked(what: str, raw: sqlite3.Connection) -> None:
    planned = Planned(raw)
    QUERIES[what](planned)
    assert planned.lines
    walked = set(planned.scans())
    assert not walked & {"inbox", "outbox", "letter", "card", "meeting", "link", "room"}
