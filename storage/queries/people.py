"""What is kept of people, and how it is forgotten."""

from datetime import datetime

from storage.queries.connection import Connection, Row, insert
from storage.queries.rows import SAME_PERSON, kept_person, kept_person_row, person_row
from storage.queries.values import FORGOTTEN, quoted, to_ms
from storage.records import Person, PersonRow

_LIVE_ROOMS = "SELECT room FROM meeting WHERE state <> 'ended'"
_LIVE_CARDS = "SELECT card FROM meeting WHERE state <> 'ended' AND card IS NOT NULL"
_OWN_ROOMS = (
    "SELECT id FROM room WHERE kind = 'personal'"
    " AND owner_platform = :person_platform AND owner = :person"
)
_OWN_LINKS_REVOKED = (
    "UPDATE link SET revoked_ms = :at WHERE revoked_ms IS NULL"
    f" AND (room IN ({_OWN_ROOMS}) OR ({SAME_PERSON}))"
)
_CARDS_EMPTIED = "UPDATE card SET content = '{}', shown = revision"

# In this order: the rooms know their owner until the end.
_FORGET = (
    f"DELETE FROM browser WHERE {SAME_PERSON}",
    f"DELETE FROM confirmation WHERE {SAME_PERSON}",
    "DELETE FROM person WHERE platform = :person_platform AND id = :person",
    # links: dead, and without the person; their goal tells that they existed
    _OWN_LINKS_REVOKED,
    f"UPDATE link SET person = :nobody WHERE {SAME_PERSON}",
    # letters: those to them, and those given up that name them
    "DELETE FROM outbox WHERE platform = :person_platform AND person = :person",
    "DELETE FROM outbox WHERE state = 'dead'"
    " AND REPLACE(content || COALESCE(fallback, ''), :quoted, '') <>"
    " content || COALESCE(fallback, '')",
    # commands given up: theirs, and those that name them
    "UPDATE inbox SET text = '' WHERE state = 'dead'"
    f" AND (({SAME_PERSON}) OR REPLACE(text, :person, '') <> text)",
    f"UPDATE inbox SET person = :nobody WHERE state = 'dead' AND {SAME_PERSON}",
    # a call that runs now keeps what it needs until it ends
    f"DELETE FROM invited WHERE {SAME_PERSON} AND room NOT IN ({_LIVE_ROOMS})",
    f"UPDATE invited SET forget = 1 WHERE {SAME_PERSON}",
    f"{_CARDS_EMPTIED} WHERE room IN ({_OWN_ROOMS})"
    f" OR (id NOT IN ({_LIVE_CARDS}) AND REPLACE(content, :quoted, '') <> content)",
    f"UPDATE meeting SET topic = '' WHERE room IN ({_OWN_ROOMS})",
    "UPDATE meeting SET starter = :nobody"
    " WHERE starter_platform = :person_platform AND starter = :person AND state = 'ended'",
    "UPDATE meeting SET forget = 1 WHERE starter_platform = :person_platform AND starter = :person",
    # their own room goes, with the name it has from them; other rooms lose their owner
    "UPDATE room SET name = '', folded = '',"
    " deleted_ms = COALESCE(deleted_ms, :at), deleted_cause = COALESCE(deleted_cause, 'forgotten')"
    f" WHERE id IN ({_OWN_ROOMS})",
    "UPDATE room SET owner = :nobody WHERE owner_platform = :person_platform AND owner = :person",
)


def person(connection: Connection, person: Person) -> PersonRow | None:
    sql = "SELECT * FROM person WHERE platform = :platform AND id = :id"
    row = connection.row(sql, platform=person.platform, id=person.id)
    return kept_person(row) if row else None


def put_person(connection: Connection, row: PersonRow) -> None:
    insert(
        connection,
        "person",
        kept_person_row(row),
        conflict="ON CONFLICT (platform, id) DO UPDATE SET"
        " language = excluded.language, pseudonym = excluded.pseudonym",
    )


def person_by_pseudonym(connection: Connection, pseudonym: str) -> Person | None:
    sql = "SELECT * FROM person WHERE pseudonym = :pseudonym"
    row = connection.row(sql, pseudonym=pseudonym)
    return kept_person(row).person if row else None


def forget_person(connection: Connection, person: Person, *, at: datetime) -> None:
    """Finished commands and sent letters name nobody anyway."""
    values = {
        **person_row(person),
        "at": to_ms(at),
        "nobody": FORGOTTEN,
        "quoted": quoted(person.id),
    }
    for sql in _FORGET:
        connection.run(sql, **values)


def forget_after_meeting(connection: Connection, ended: Row) -> None:
    """What had to wait for the end of a call: who was in it, who started it."""
    connection.run("DELETE FROM invited WHERE room = :room AND forget = 1", room=ended["room"])
    if ended["forget"]:
        connection.run(
            "UPDATE meeting SET starter = :nobody, forget = 0 WHERE id = :id",
            id=ended["id"],
            nobody=FORGOTTEN,
        )
        connection.run(f"{_CARDS_EMPTIED} WHERE id = :id", id=ended["card"])
