"""What the outbox asks every second is answered by indexes, however many letters wait."""

import sqlite3
from contextlib import closing
from pathlib import Path

from storage.open import open_store
from storage.queries.outbox import _MAY_GO


async def test_whether_a_letter_may_go_is_found_by_index(tmp_path: Path) -> None:
    await (await open_store(tmp_path)).close()
    asked = f"EXPLAIN QUERY PLAN SELECT id FROM outbox AS letter WHERE {_MAY_GO}"
    values = {"platform": "matrix", "first": 0, "last": 2, "now": 0}
    with closing(sqlite3.connect(tmp_path / "bbb-bot.db")) as raw:
        plan = [detail for *_, detail in raw.execute(asked, values)]
    searched = [line for line in plan if line.startswith(("SEARCH", "SCAN"))]
    assert [line.partition(" (")[0].split()[-1] for line in searched] == [
        "outbox_due",
        "outbox_channel",
        "outbox_to_person",
    ]
