"""Letters: written with what caused them, leased to one worker, sent, put off or given up."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.queries.connection import Connection, Row, insert_new
from storage.queries.quarantine import readable
from storage.queries.rows import card_row, dead_letter, letter, letter_row
from storage.queries.values import FORGOTTEN, from_ms, to_ms
from storage.records import Card, DeadLetter, DeadReason, Letter, Person, Priority

_FREE = "next_try_ms <= :now AND leased_ms <= :now"


def _before(state: str) -> str:
    """Whether something in this state goes to the same goal and goes first.

    Once by channel and once by person: each then has its index.
    """
    channel, person = (
        f"EXISTS (SELECT 1 FROM outbox AS before WHERE before.state = 'due'"
        f" AND before.platform = letter.platform AND before.{goal} = letter.{goal} AND {state}"
        " AND (before.priority, before.created_ms, before.seq)"
        " < (letter.priority, letter.created_ms, letter.seq))"
        for goal in ("channel", "person")
    )
    return f"({channel} OR {person})"


_MAY_GO = (
    "letter.state = 'due' AND letter.platform = :platform"
    " AND letter.priority BETWEEN :first AND :last"
    " AND letter.next_try_ms <= :now AND letter.leased_ms <= :now AND NOT "
    + _before("(before.next_try_ms > :now OR before.leased_ms > :now)")
)


def write(
    connection: Connection,
    letters: Sequence[Letter],
    cards: Sequence[Card] = (),
) -> set[str]:
    """Write letters and cards, leaving those that are there; give the new letters' ids."""
    insert_new(connection, "card", [card_row(card) for card in cards])
    return insert_new(connection, "outbox", [letter_row(each) for each in letters])


def say(
    connection: Connection, letters: Sequence[Letter], *, cards: Sequence[Card] = ()
) -> list[str]:
    return _in_order(letters, write(connection, letters, cards))


def hand_over(
    connection: Connection,
    letters: Sequence[Letter],
    cards: Sequence[Card],
    *,
    at: datetime,
    lease: timedelta,
) -> list[str]:
    """Write letters, and lease the answers that need not wait behind one that is put off."""
    new = write(connection, letters, cards)
    leased = {
        row["id"]
        for each in [one.id for one in letters if one.priority == Priority.ANSWER]
        if each in new
        for row in connection.rows(
            "UPDATE outbox AS letter SET leased_ms = :until WHERE id = :id AND next_try_ms <= :at"
            f" AND NOT {_before('before.next_try_ms > :at')} RETURNING id",
            id=each,
            at=to_ms(at),
            until=to_ms(at + lease),
        )
    }
    return _in_order(letters, leased)


def _in_order(letters: Sequence[Letter], chosen: set[str]) -> list[str]:
    return [each for each in dict.fromkeys(letter.id for letter in letters) if each in chosen]


def any_due(
    connection: Connection, *, now: datetime, platform: str, asked: bool | None = None
) -> bool:
    sql = f"SELECT 1 FROM outbox AS letter WHERE {_MAY_GO} LIMIT 1"
    values = {"now": to_ms(now), "platform": platform, **_priorities(asked)}
    return connection.row(sql, **values) is not None


def claim_letters(
    connection: Connection,
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
    platform: str,
    asked: bool | None = None,
) -> list[Letter]:
    """The outer condition is for engines where two workers may read before either writes."""
    claimed = connection.rows(
        "UPDATE outbox SET leased_ms = :until, woken = 0 WHERE id IN ("
        f"SELECT id FROM outbox AS letter WHERE {_MAY_GO}"
        " ORDER BY priority, created_ms, seq LIMIT :limit"
        f") AND state = 'due' AND {_FREE} RETURNING *",
        now=to_ms(now),
        until=to_ms(now + lease),
        limit=limit,
        platform=platform,
        **_priorities(asked),
    )

    def set_aside(row: Row, why: str) -> None:
        letter_dead(connection, row["id"], at=now, reason=DeadReason.UNREADABLE, error=why)

    return readable("outbox", sorted(claimed, key=_turn), letter, set_aside)


def _priorities(asked: bool | None) -> dict[str, int]:
    first = Priority.ANSWER if asked is not False else Priority.ANSWER + 1
    last = Priority.ANSWER if asked else Priority.NOTICE
    return {"first": first, "last": last}


def _turn(row: Row) -> tuple[int, int, int]:
    return row["priority"], row["created_ms"], row["seq"]


def release_letters(connection: Connection, letter_ids: Sequence[str]) -> None:
    for each in letter_ids:
        sql = "UPDATE outbox SET leased_ms = 0 WHERE id = :id AND state = 'due'"
        connection.run(sql, id=each)


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
    connection: Connection,
    letter_id: str,
    *,
    at: datetime,
    error: str,
    counts: bool = True,
    broke: bool = False,
) -> None:
    """A letter whose person arrived while it was being tried is due at once."""
    connection.run(
        "UPDATE outbox SET next_try_ms = CASE WHEN woken = 1 THEN 0 ELSE :at END,"
        " leased_ms = 0, woken = 0, error = :error,"
        " attempts = attempts + :counts, failures = failures + :broke"
        " WHERE id = :id AND state = 'due'",
        id=letter_id,
        at=to_ms(at),
        error=error,
        counts=int(counts),
        broke=int(broke),
    )


def letter_dead(
    connection: Connection,
    letter_id: str,
    *,
    at: datetime,
    reason: DeadReason,
    error: str,
    instead: Sequence[Letter] = (),
) -> None:
    dead = connection.run(
        "UPDATE outbox SET state = 'dead', dead_ms = :at, reason = :reason, error = :error,"
        " leased_ms = 0 WHERE id = :id AND state = 'due'",
        id=letter_id,
        at=to_ms(at),
        reason=reason.value,
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


def letter_counts(connection: Connection) -> tuple[int, int]:
    """Each number is asked for by itself, of an index: sent letters stay for a month."""
    [row] = connection.rows(
        "SELECT (SELECT COUNT(*) FROM outbox WHERE state = 'due') AS waiting,"
        " (SELECT COUNT(*) FROM outbox WHERE state = 'dead') AS dead"
    )
    return row["waiting"], row["dead"]


def oldest_waiting(connection: Connection) -> datetime | None:
    [row] = connection.rows("SELECT MIN(created_ms) AS oldest FROM outbox WHERE state = 'due'")
    return from_ms(row["oldest"])


def dead_letters(connection: Connection, *, limit: int = 50) -> list[DeadLetter]:
    sql = "SELECT * FROM outbox WHERE state = 'dead' ORDER BY dead_ms DESC, seq DESC LIMIT :limit"
    return [dead_letter(row) for row in connection.rows(sql, limit=limit)]


def retry_letters(
    connection: Connection, numbers: Sequence[int] | None, *, cause: str
) -> list[int]:
    return _settle(
        connection,
        "state = 'due', attempts = 0, failures = 0, next_try_ms = 0, leased_ms = 0, error = '',"
        " reason = NULL, dead_ms = NULL",
        numbers,
        cause=cause,
    )


def drop_letters(
    connection: Connection, numbers: Sequence[int] | None, *, at: datetime, cause: str
) -> list[int]:
    """Kept for a while like one that was sent: what it was about is not said again."""
    return _settle(
        connection,
        "state = 'sent', sent_ms = :at, content = '{}', fallback = NULL,"
        " person = CASE WHEN person IS NULL THEN NULL ELSE :nobody END",
        numbers,
        cause=cause,
        at=to_ms(at),
        nobody=FORGOTTEN,
    )


def _settle(
    connection: Connection,
    change: str,
    numbers: Sequence[int] | None,
    *,
    cause: str,
    **values: str | int,
) -> list[int]:
    """Change letters given up; the same cause again only gives what it changed before."""
    mine = "SELECT seq FROM outbox WHERE settled_by = :cause ORDER BY seq"
    if before := connection.rows(mine, cause=cause):
        return [row["seq"] for row in before]
    sql = f"UPDATE outbox SET {change}, settled_by = :cause WHERE state = 'dead'"
    if numbers is None:
        connection.run(sql, cause=cause, **values)
    for number in dict.fromkeys(numbers or ()):
        connection.run(f"{sql} AND seq = :seq", seq=number, cause=cause, **values)
    return [row["seq"] for row in connection.rows(mine, cause=cause)]
