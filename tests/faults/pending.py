"""Whether a bot still has something to do; only to know how long to wait, never to judge."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

QUESTIONS = (
    "SELECT count(*) FROM inbox WHERE state = 'waiting'",
    "SELECT count(*) FROM outbox WHERE state = 'due'",
)


def nothing_pending(data: Path) -> bool:
    """Whether inbox and outbox of the bot with this data directory are empty."""
    file = data / "bbb-bot.db"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        return not any(database.execute(question).fetchone()[0] for question in QUESTIONS)
