"""Questions that wait for "sure"; each is taken once, by the same cause as often as it likes."""

from datetime import datetime

from storage.queries.connection import Connection, insert
from storage.queries.rows import SAME_PERSON, confirmation, confirmation_row, person_row
from storage.queries.values import to_ms
from storage.records import Confirmation, Person


def ask_to_confirm(connection: Connection, question: Confirmation) -> None:
    insert(
        connection,
        "confirmation",
        confirmation_row(question),
        conflict="ON CONFLICT (person_platform, person, verb) DO UPDATE SET"
        " subject = excluded.subject, expires_ms = excluded.expires_ms,"
        " taken_by = excluded.taken_by",
    )


def take_confirmation(
    connection: Connection, person: Person, verb: str, *, now: datetime, cause: str
) -> Confirmation | None:
    row = connection.row(
        f"UPDATE confirmation SET taken_by = :cause WHERE {SAME_PERSON} AND verb = :verb"
        " AND (taken_by = :cause OR (taken_by IS NULL AND expires_ms > :now)) RETURNING *",
        verb=verb,
        now=to_ms(now),
        cause=cause,
        **person_row(person),
    )
    return confirmation(row) if row else None
