"""Cards: what they should show, what the chat has been given; the latest content wins."""

from datetime import datetime

from storage.queries.connection import Connection, Row
from storage.queries.quarantine import readable
from storage.queries.rows import card as card_of
from storage.queries.values import to_ms, to_text
from storage.records import Card, Json


def card(connection: Connection, card_id: str) -> Card | None:
    return _card_or_none(connection.row("SELECT * FROM card WHERE id = :id", id=card_id))


def card_by_ref(connection: Connection, platform: str, ref: str) -> Card | None:
    sql = "SELECT * FROM card WHERE platform = :platform AND ref = :ref ORDER BY seq DESC LIMIT 1"
    return _card_or_none(connection.row(sql, platform=platform, ref=ref))


def show_on_card(connection: Connection, card_id: str, content: Json, *, edit_at: datetime) -> None:
    """A wish that waits already keeps its time when that is earlier. New content, new attempts."""
    connection.run(
        "UPDATE card SET content = :content, revision = revision + 1, attempts = 0,"
        " wanted_ms = CASE WHEN shown < revision AND wanted_ms > 0 AND wanted_ms < :edit_at"
        " THEN wanted_ms ELSE :edit_at END"
        " WHERE id = :id AND content <> :content",
        id=card_id,
        content=to_text(content),
        edit_at=to_ms(edit_at),
    )


_TO_EDIT = (
    "platform = :platform AND shown < revision AND ref IS NOT NULL"
    " AND wanted_ms <= :now AND floor_ms <= :now AND NOT EXISTS (SELECT 1 FROM channel"
    " WHERE channel.platform = card.platform AND channel.id = card.channel"
    " AND left_ms IS NOT NULL)"
)


def any_to_edit(connection: Connection, *, now: datetime, platform: str) -> bool:
    sql = f"SELECT 1 FROM card WHERE {_TO_EDIT} LIMIT 1"
    return connection.row(sql, platform=platform, now=to_ms(now)) is not None


def cards_to_edit(connection: Connection, *, now: datetime, platform: str) -> list[Card]:
    def set_aside(row: Row, why: str) -> None:
        card_edit_dropped(connection, row["id"], row["revision"])

    sql = f"SELECT * FROM card WHERE {_TO_EDIT} ORDER BY wanted_ms, seq"
    rows = connection.rows(sql, platform=platform, now=to_ms(now))
    return readable("card", rows, card_of, set_aside)


def card_edited(
    connection: Connection, card_id: str, revision: int, *, next_edit_at: datetime
) -> None:
    connection.run(
        "UPDATE card SET shown = :revision, floor_ms = :next, attempts = 0"
        " WHERE id = :id AND shown < :revision",
        id=card_id,
        revision=revision,
        next=to_ms(next_edit_at),
    )


def card_edit_later(connection: Connection, card_id: str, *, at: datetime) -> None:
    connection.run(
        "UPDATE card SET floor_ms = :at, attempts = attempts + 1 WHERE id = :id",
        id=card_id,
        at=to_ms(at),
    )


def card_edit_dropped(connection: Connection, card_id: str, revision: int) -> None:
    connection.run(
        "UPDATE card SET shown = :revision, attempts = 0 WHERE id = :id AND shown < :revision",
        id=card_id,
        revision=revision,
    )


def _card_or_none(row: Row | None) -> Card | None:
    return card_of(row) if row else None
