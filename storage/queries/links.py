"""Links, kept as hashes: put again they may live longer, revoked they stay dead."""

from collections.abc import Sequence
from datetime import datetime

from storage.queries.connection import Connection, Row, insert
from storage.queries.rows import SAME_PERSON, goal, link_row, person_row
from storage.queries.rows import link as link_of
from storage.queries.values import to_ms
from storage.records import Link, LinkKind, Person


def put_link(connection: Connection, link: Link) -> None:
    insert(
        connection,
        "link",
        link_row(link),
        conflict="ON CONFLICT (hash) DO UPDATE SET expires_ms = CASE"
        " WHEN link.expires_ms IS NULL OR excluded.expires_ms IS NULL THEN NULL"
        " WHEN excluded.expires_ms > link.expires_ms THEN excluded.expires_ms"
        " ELSE link.expires_ms END",
    )


def link(connection: Connection, hash: str) -> Link | None:
    row = connection.row("SELECT * FROM link WHERE hash = :hash", hash=hash)
    return link_of(row) if row else None


def newest_link(
    connection: Connection, kind: LinkKind, room_id: str, person: Person | None
) -> Link | None:
    row = connection.row(
        "SELECT * FROM link WHERE goal = :goal ORDER BY generation DESC LIMIT 1",
        goal=goal(kind, room_id, person),
    )
    return link_of(row) if row else None


def link_used(connection: Connection, hash: str, *, at: datetime) -> None:
    """The latest use is kept."""
    connection.run(
        "UPDATE link SET used_ms = :at WHERE hash = :hash AND (used_ms IS NULL OR used_ms < :at)",
        hash=hash,
        at=to_ms(at),
    )


def revoke_links(
    connection: Connection,
    *,
    at: datetime,
    room_id: str | None = None,
    person: Person | None = None,
    kind: LinkKind | None = None,
    endless: bool = False,
    cause: str | None = None,
) -> int:
    """Expired links too, or `put_link` could revive them; only the living are counted."""
    before = [] if cause is None else _revoked_by(connection, cause)
    if before:
        return _living(before)
    wanted = []
    if room_id is not None:
        wanted.append("room = :room_id")
    if person is not None:
        wanted.append(SAME_PERSON)
    if kind is not None:
        wanted.append("kind = :kind")
    if not wanted:
        raise ValueError("say which links: by room, person or kind")
    if endless:
        wanted.append("expires_ms IS NULL")
    revoked = connection.rows(
        "UPDATE link SET revoked_ms = :at, revoked_by = :cause"
        f" WHERE revoked_ms IS NULL AND {' AND '.join(wanted)} RETURNING expires_ms, revoked_ms",
        at=to_ms(at),
        cause=cause,
        **({"room_id": room_id} if room_id is not None else {}),
        **(person_row(person) if person is not None else {}),
        **({"kind": kind.value} if kind is not None else {}),
    )
    return _living(revoked)


def _revoked_by(connection: Connection, cause: str) -> list[Row]:
    sql = "SELECT expires_ms, revoked_ms FROM link WHERE revoked_by = :cause"
    return connection.rows(sql, cause=cause)


def _living(revoked: Sequence[Row]) -> int:
    """How many were alive until they were revoked."""
    return sum(
        row["expires_ms"] is None or row["expires_ms"] > row["revoked_ms"] for row in revoked
    )
