"""A row that cannot be read does not stop the others: it is set aside, and the log says so."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from storage.queries.connection import Row

log = logging.getLogger(__name__)

T = TypeVar("T")


def readable(
    table: str, rows: Iterable[Row], read: Callable[[Row], T], set_aside: Callable[[Row, str], None]
) -> list[T]:
    """The rows as records. `set_aside` is given each row that is none, and what was wrong."""
    found: list[T] = []
    for row in rows:
        try:
            found.append(read(row))
        except (ValueError, TypeError, ArithmeticError) as error:
            why = type(error).__name__
            log.error(
                "a stored row cannot be read",
                extra={"action": "row_unreadable", "table": table, "row": row["seq"], "error": why},
            )
            set_aside(row, why)
    return found
