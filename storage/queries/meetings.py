"""Meetings: planned before BBB is asked, one alive per room, looked at until they end."""

from datetime import datetime

from storage.queries.connection import Connection, Row, insert
from storage.queries.people import forget_after_meeting
from storage.queries.rows import meeting as meeting_of
from storage.queries.rows import meeting_row
from storage.queries.values import to_ms
from storage.records import Meeting
from storage.store import StoreError


def plan_meeting(connection: Connection, meeting: Meeting) -> Meeting:
    if there := meeting_by_cause(connection, meeting.cause):
        return there
    insert(connection, "meeting", meeting_row(meeting))
    return _require(connection, meeting.id)


def meeting_created(
    connection: Connection,
    meeting_id: str,
    *,
    internal_id: str,
    create_time: int,
    next_look_at: datetime,
) -> None:
    connection.run(
        "UPDATE meeting SET state = CASE state WHEN 'planned' THEN 'open' ELSE state END,"
        " internal_id = :internal_id, create_time = :create_time, next_look_ms = :next_look"
        " WHERE id = :id AND state <> 'ended'",
        id=meeting_id,
        internal_id=internal_id,
        create_time=create_time,
        next_look=to_ms(next_look_at),
    )


def drop_meeting(connection: Connection, meeting_id: str) -> None:
    connection.run("DELETE FROM meeting WHERE id = :id AND state = 'planned'", id=meeting_id)


def meeting(connection: Connection, meeting_id: str) -> Meeting | None:
    row = connection.row("SELECT * FROM meeting WHERE id = :id", id=meeting_id)
    return _meeting_or_none(row)


def live_meeting(connection: Connection, room_id: str) -> Meeting | None:
    sql = "SELECT * FROM meeting WHERE room = :room AND state <> 'ended'"
    return _meeting_or_none(connection.row(sql, room=room_id))


def last_meeting(connection: Connection, room_id: str) -> Meeting | None:
    sql = "SELECT * FROM meeting WHERE room = :room ORDER BY seq DESC LIMIT 1"
    return _meeting_or_none(connection.row(sql, room=room_id))


def live_meetings(connection: Connection) -> list[Meeting]:
    rows = connection.rows("SELECT * FROM meeting WHERE state <> 'ended' ORDER BY seq")
    return [meeting_of(row) for row in rows]


def meetings_to_look_at(
    connection: Connection, server: str, *, now: datetime, limit: int = 100
) -> list[Meeting]:
    rows = connection.rows(
        "SELECT * FROM meeting WHERE state <> 'ended' AND server = :server"
        " AND next_look_ms <= :now ORDER BY next_look_ms, seq LIMIT :limit",
        server=server,
        now=to_ms(now),
        limit=limit,
    )
    return [meeting_of(row) for row in rows]


def meeting_seen(
    connection: Connection,
    meeting_id: str,
    *,
    present: int,
    at: datetime,
    next_look_at: datetime,
) -> Meeting:
    connection.run(
        "UPDATE meeting SET present = :present, next_look_ms = :next_look,"
        " peak = CASE WHEN peak < :present THEN :present ELSE peak END,"
        " state = CASE WHEN :present > 0 THEN 'running' ELSE state END,"
        " joined_ms = CASE WHEN :present > 0 AND joined_ms IS NULL THEN :at ELSE joined_ms END"
        " WHERE id = :id AND state <> 'ended'",
        id=meeting_id,
        present=present,
        at=to_ms(at),
        next_look=to_ms(next_look_at),
    )
    return _require(connection, meeting_id)


def look_again(connection: Connection, meeting_id: str, *, at: datetime) -> None:
    connection.run(
        "UPDATE meeting SET next_look_ms = :at WHERE id = :id AND state <> 'ended'",
        id=meeting_id,
        at=to_ms(at),
    )


def meeting_ended(connection: Connection, meeting_id: str, *, at: datetime) -> None:
    ended = connection.row(
        "UPDATE meeting SET state = 'ended', ended_ms = :at, present = 0, next_look_ms = NULL"
        " WHERE id = :id AND state <> 'ended' RETURNING *",
        id=meeting_id,
        at=to_ms(at),
    )
    if ended:
        forget_after_meeting(connection, ended)


def meeting_by_cause(connection: Connection, cause: str) -> Meeting | None:
    row = connection.row("SELECT * FROM meeting WHERE cause = :cause", cause=cause)
    return _meeting_or_none(row)


def ending_meeting(connection: Connection, meeting_id: str, *, cause: str) -> None:
    connection.run(
        "INSERT INTO meeting_end (cause, meeting) VALUES (:cause, :meeting)"
        " ON CONFLICT (cause) DO NOTHING",
        cause=cause,
        meeting=meeting_id,
    )


def meeting_ended_by(connection: Connection, cause: str) -> Meeting | None:
    row = connection.row(
        "SELECT meeting.* FROM meeting_end JOIN meeting ON meeting.id = meeting_end.meeting"
        " WHERE meeting_end.cause = :cause",
        cause=cause,
    )
    return _meeting_or_none(row)


def _require(connection: Connection, meeting_id: str) -> Meeting:
    found = meeting(connection, meeting_id)
    if found is None:
        raise StoreError(f"there is no meeting {meeting_id}")
    return found


def _meeting_or_none(row: Row | None) -> Meeting | None:
    return meeting_of(row) if row else None
