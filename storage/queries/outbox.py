"""Letters: written with what caused them, leased to one worker, sent, put off or given up."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.queries.connection import Connection, Row, insert_new
from storage.queries.rows import card_row, letter, letter_row
from storage.queries.values import FORGOTTEN, from_ms, to_ms
from storage.records import Card, Letter, Person

_FREE = "next_try_ms <= :now AND leased_ms <= :now"


def write(
    connection: Connection,
    letters: Sequence[Letter],
    cards: Sequence[Card] = (),
    *,
    leased_until: datetime | None = None,
) -> set[str]:
    """Write letters and cards, leaving those that are there; give the new letters' ids."""
    insert_new(connection, "card", [card_row(card) for card in cards])
    leased = {"leased_ms": to_ms(leased_until) or 0}
    return insert_new(connection, "outbox", [{**letter_row(each), **leased} for each in letters])


def say(
    connection: Connection, letters: Sequence[Letter], *, cards: Sequence[Card] = ()
) -> list[str]:
    new = write(connection, letters, cards)
    return [each for each in dict.fromkeys(letter.id for letter in letters) if each in new]


def any_due(connection: Connection, *, now: datetime, platform: str) -> bool:
    sql = f"SELECT 1 FROM outbox WHERE state = 'due' AND platform = :platform AND {_FREE} LIMIT 1"
    return connection.row(sql, now=to_ms(now), platform=platform) is not None


def claim_letters(
    connection: Connection, *, now: datetime, lease: timedelta, limit: int, platform: str
) -> list[Letter]:
    """The outer condition is for engines where two workers may read before either writes."""
    claimed = connection.rows(
        "UPDATE outbox SET leased_ms = :until, woken = 0 WHERE id IN ("
        f"SELECT id FROM outbox WHERE state = 'due' AND platform = :platform AND {_FREE}"
        " ORDER BY priority, created_ms, seq LIMIT :limit"
        f") AND state = 'due' AND {_FREE} RETURNING *",
        now=to_ms(now),
        until=to_ms(now + lease),
        limit=limit,
        platform=platform,
    )
    return [letter(row) for row in sorted(claimed, key=_turn)]


def _turn(row: Row) -> tuple[int, int, int]:
    return row["priority"], row["created_ms"], row["seq"]


def free_leases(connection: Connection) -> None:
    """Only for a start that nobody works beside."""
    connection.run("UPDATE outbox SET leased_ms = 0 WHERE state = 'due' AND leased_ms > 0")


def letter_sent(connection: Connection, letter_id: str, ref: str, *, at: datetime) -> None:
    """What the letter said goes: the chat has it."""
    sent = connection.row(
        "UPDATE outbox SET state = 'sent', ref = :ref, sent_ms = :at, content = '{}',"
        " fallback = NULL, person = CASE WHEN person IS NULL THEN NULL ELSE :nobody END"
        " WHERE id = :id AND state <> 'sent' RETURNING card",
        id=letter_id,
        ref=ref,
        at=to_ms(at),
        nobody=FORGOTTEN,
    )
    if sent and sent["card"]:
        _card_posted(connection, sent["card"], ref)


def _card_posted(connection: Connection, card_id: str, ref: str) -> None:
    """The letter showed the card's first revision."""
    connection.run(
        "UPDATE card SET ref = :ref, shown = CASE WHEN shown < 1 THEN 1 ELSE shown END"
        " WHERE id = :id",
        id=card_id,
        ref=ref,
    )


def letter_later(
    connection: Connection, letter_id: str, *, at: datetime, error: str, counts: bool = True
) -> None:
    """A letter whose person arrived while it was being tried is due at once."""
    connection.run(
        "UPDATE outbox SET next_try_ms = CASE WHEN woken = 1 THEN 0 ELSE :at END,"
        " leased_ms = 0, woken = 0, error = :error, attempts = attempts + :counts"
        " WHERE id = :id AND state = 'due'",
        id=letter_id,
        at=to_ms(at),
        error=error,
        counts=int(counts),
    )


def letter_dead(
    connection: Connection, letter_id: str, *, error: str, instead: Sequence[Letter] = ()
) -> None:
    dead = connection.run(
        "UPDATE outbox SET state = 'dead', error = :error WHERE id = :id AND state = 'due'",
        id=letter_id,
        error=error,
    )
    if dead:
        write(connection, instead)


def wake_letters(connection: Connection, person: Person, *, now: datetime) -> int:
    return connection.run(
        "UPDATE outbox SET woken = 1,"
        " next_try_ms = CASE WHEN next_try_ms > :now THEN :now ELSE next_try_ms END"
        " WHERE state = 'due' AND platform = :platform AND person = :person"
        f" AND NOT ({_FREE})",
        now=to_ms(now),
        platform=person.platform,
        person=person.id,
    )


def next_letter_at(connection: Connection, platform: str) -> datetime | None:
    row = connection.row(
        "SELECT MIN(CASE WHEN leased_ms > next_try_ms THEN leased_ms ELSE next_try_ms END) AS due"
        " FROM outbox WHERE state = 'due' AND platform = :platform",
        platform=platform,
    )
    return from_ms(row["due"]) if row else None


def letter_counts(connection: Connection) -> tuple[int, int]:
    sql = (
        "SELECT COUNT(*) FILTER (WHERE state = 'due') AS waiting,"
        " COUNT(*) FILTER (WHERE state = 'dead') AS dead FROM outbox"
    )
    [row] = connection.rows(sql)
    return row["waiting"], row["dead"]


def dead_letters(connection: Connection, *, limit: int = 50) -> list[Letter]:
    sql = "SELECT * FROM outbox WHERE state = 'dead' ORDER BY seq DESC LIMIT :limit"
    return [letter(row) for row in connection.rows(sql, limit=limit)]
