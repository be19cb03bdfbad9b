"""What a query needs of an engine, and how rows are inserted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

Row = Mapping[str, Any]

ROWS_AT_ONCE = 500
"""Keeps an INSERT below the number of values that SQLite takes in a statement (32766)."""


class Connection(Protocol):
    """An open transaction. A broken UNIQUE raises Conflict, other trouble StoreError."""

    def rows(self, sql: str, /, **values: Any) -> list[Row]:
        """All rows the statement gives."""

    def row(self, sql: str, /, **values: Any) -> Row | None:
        """The first row, or None."""

    def run(self, sql: str, /, **values: Any) -> int:
        """Run a statement that gives no rows; how many rows it changed."""


def insert(connection: Connection, table: str, row: Row, *, conflict: str = "") -> None:
    """Insert one row; `conflict` says what to do where it is there already (`ON CONFLICT ...`)."""
    connection.run(f"{_insertion(table, [row])} {conflict}", **_numbered([row]))


def insert_new(connection: Connection, table: str, rows: Sequence[Row]) -> set[str]:
    """Insert the rows whose `id` is not there yet; give these ids."""
    new: set[str] = set()
    for part in _parts(rows):
        sql = f"{_insertion(table, part)} ON CONFLICT (id) DO NOTHING RETURNING id"
        new.update(row["id"] for row in connection.rows(sql, **_numbered(part)))
    return new


def insert_all(connection: Connection, table: str, rows: Sequence[Row], *, conflict: str) -> None:
    """Insert many rows; `conflict` as in `insert`."""
    for part in _parts(rows):
        connection.run(f"{_insertion(table, part)} {conflict}", **_numbered(part))


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


def _insertion(table: str, rows: Sequence[Row]) -> str:
    columns = list(rows[0])
    groups = (
        "(" + ", ".join(f":{column}_{number}" for column in columns) + ")"
        for number in range(len(rows))
    )
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join(groups)}"


def _numbered(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        f"{column}_{number}": value
        for number, row in enumerate(rows)
        for column, value in row.items()
    }
