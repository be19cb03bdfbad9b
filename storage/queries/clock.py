"""The wall clock was set back: what has a time to come keeps the time it had left."""

from datetime import datetime, timedelta

from storage.queries.connection import Connection
from storage.queries.values import MILLISECOND, from_ms, to_ms

_TO_COME = (
    ("outbox", "next_try_ms", "state = 'due'"),
    ("outbox", "leased_ms", "state = 'due'"),
    ("meeting", "next_look_ms", "state <> 'ended'"),
    ("card", "wanted_ms", "shown < revision"),
    ("card", "floor_ms", "shown < revision"),
    ("confirmation", "expires_ms", "taken_by IS NULL"),
    ("link", "expires_ms", "revoked_ms IS NULL"),
    ("browser", "expires_ms", "1 = 1"),
)


def clock_went_back(connection: Connection, *, by: timedelta, now: datetime) -> None:
    for table, column, where in _TO_COME:
        connection.run(
            f"UPDATE {table} SET {column} = {column} - :by WHERE {where} AND {column} > :now",
            by=by // MILLISECOND,
            now=to_ms(now),
        )


def last_event(connection: Connection) -> datetime | None:
    """Both numbers are the end of an index."""
    [row] = connection.rows(
        "SELECT (SELECT MAX(done_ms) FROM inbox WHERE state = 'done') AS done,"
        " (SELECT MAX(sent_ms) FROM outbox WHERE state = 'sent') AS sent"
    )
    known = [at for at in (row["done"], row["sent"]) if at is not None]
    return from_ms(max(known)) if known else None
