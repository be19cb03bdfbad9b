"""Recognised browsers: who is signed in where, and at most so many for one person."""

from datetime import datetime

from storage.queries.connection import Connection, insert
from storage.queries.rows import SAME_PERSON, browser, browser_row, person_row
from storage.queries.values import to_ms
from storage.records import BrowserPerson


def people_in_browser(
    connection: Connection, browser_hash: str, *, now: datetime
) -> list[BrowserPerson]:
    rows = connection.rows(
        "SELECT * FROM browser WHERE browser = :browser AND expires_ms > :now"
        " ORDER BY created_ms DESC, seq DESC",
        browser=browser_hash,
        now=to_ms(now),
    )
    return [browser(row) for row in rows]


def sign_in(
    connection: Connection, row: BrowserPerson, *, most: int, instead_of: str | None
) -> None:
    """Taken out and put in again, so that it counts as the newest."""
    connection.run(
        "UPDATE browser SET browser = :browser WHERE browser = :instead_of",
        browser=row.browser,
        instead_of=instead_of,
    )
    connection.run(
        f"DELETE FROM browser WHERE browser = :browser AND {SAME_PERSON}",
        browser=row.browser,
        **person_row(row.person),
    )
    insert(connection, "browser", browser_row(row))
    connection.run(
        f"DELETE FROM browser WHERE {SAME_PERSON} AND seq NOT IN ("
        f"SELECT seq FROM browser WHERE {SAME_PERSON}"
        " ORDER BY created_ms DESC, seq DESC LIMIT :most)",
        most=most,
        **person_row(row.person),
    )
