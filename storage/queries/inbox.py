"""Commands from the chats, each accepted and finished once, and where a chat's sync goes on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.queries.connection import Connection, Row, insert, insert_new
from storage.queries.outbox import hand_over, write
from storage.queries.quarantine import readable
from storage.queries.rows import command, command_row
from storage.queries.values import FORGOTTEN, to_ms
from storage.records import Card, Command, Letter
from storage.store import StoreError


def accept(
    connection: Connection, platform: str, position: str | None, commands: Sequence[Command]
) -> list[Command]:
    if position is not None:
        _move(connection, platform, position)
    first: dict[str, Command] = {}  # of two with one id
    for each in commands:
        first.setdefault(each.id, each)
    new = insert_new(connection, "inbox", [command_row(each) for each in first.values()])
    return [each for each in first.values() if each.id in new]


def _move(connection: Connection, platform: str, position: str) -> None:
    insert(
        connection,
        "sync_position",
        {"platform": platform, "position": position},
        conflict="ON CONFLICT (platform) DO UPDATE SET position = excluded.position",
    )


def position(connection: Connection, platform: str) -> str | None:
    sql = "SELECT position FROM sync_position WHERE platform = :platform"
    row = connection.row(sql, platform=platform)
    return row["position"] if row else None


_WAITING = "SELECT * FROM inbox WHERE state = 'waiting' ORDER BY seq"


def waiting(connection: Connection) -> list[Command]:
    return readable("inbox", connection.rows(_WAITING), command, lambda row, why: None)


def any_unreadable(connection: Connection) -> bool:
    return len(waiting(connection)) < len(connection.rows(_WAITING))


def bury_unreadable(connection: Connection) -> None:
    def set_aside(row: Row, why: str) -> None:
        bury(connection, row["id"], f"unreadable: {why}")

    readable("inbox", connection.rows(_WAITING), command, set_aside)


def finish(
    connection: Connection,
    command_id: str,
    letters: Sequence[Letter],
    *,
    at: datetime,
    cards: Sequence[Card] = (),
    lease: timedelta = timedelta(0),
) -> list[str]:
    """What the command said goes: only its id is needed, to know a repeat."""
    done = connection.run(
        "UPDATE inbox SET state = 'done', done_ms = :at, text = '', person = :nobody"
        " WHERE id = :id AND state = 'waiting'",
        id=command_id,
        at=to_ms(at),
        nobody=FORGOTTEN,
    )
    if not done:
        _require(connection, command_id)
        return []
    return hand_over(connection, letters, cards, at=at, lease=lease)


def attempt(connection: Connection, command_id: str) -> int:
    sql = "UPDATE inbox SET attempts = attempts + 1 WHERE id = :id RETURNING attempts"
    row = connection.row(sql, id=command_id)
    if row is None:
        raise _unknown(command_id)
    tries: int = row["attempts"]
    return tries


def bury(
    connection: Connection, command_id: str, error: str, letters: Sequence[Letter] = ()
) -> None:
    buried = connection.run(
        "UPDATE inbox SET state = 'dead', error = :error WHERE id = :id AND state = 'waiting'",
        id=command_id,
        error=error,
    )
    if buried:
        write(connection, letters)
    else:
        _require(connection, command_id)


def dead_commands(connection: Connection) -> int:
    [row] = connection.rows("SELECT COUNT(*) AS dead FROM inbox WHERE state = 'dead'")
    dead: int = row["dead"]
    return dead


def _require(connection: Connection, command_id: str) -> None:
    if connection.row("SELECT id FROM inbox WHERE id = :id", id=command_id) is None:
        raise _unknown(command_id)


def _unknown(command_id: str) -> StoreError:
    return StoreError(f"the inbox has no command {command_id}")
