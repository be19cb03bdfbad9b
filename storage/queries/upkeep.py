"""What is thrown away with time, and whether writing works."""

from datetime import datetime

from storage.queries.connection import Connection
from storage.queries.values import to_ms

_OUTLIVED = (
    "DELETE FROM inbox WHERE state = 'done' AND done_ms < :before",
    "DELETE FROM inbox WHERE state = 'dead' AND sent_ms < :before",
    "DELETE FROM outbox WHERE state = 'sent' AND sent_ms < :before",
    "DELETE FROM browser WHERE expires_ms < :before",
    "DELETE FROM confirmation WHERE expires_ms < :before",
    # The newest generation of a goal stays: it tells which ids were handed out before.
    "DELETE FROM link WHERE expires_ms < :before AND EXISTS (SELECT 1 FROM link AS newer"
    " WHERE newer.goal = link.goal AND newer.generation > link.generation)",
)


def prune(connection: Connection, *, before: datetime) -> int:
    return sum(connection.run(sql, before=to_ms(before)) for sql in _OUTLIVED)


def check(connection: Connection) -> None:
    connection.run(
        "INSERT INTO pulse (id, beats) VALUES (1, 1)"
        " ON CONFLICT (id) DO UPDATE SET beats = pulse.beats + 1"
    )
