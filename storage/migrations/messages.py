"""Step 1: what comes in from the chats, and what goes out to them."""

from storage.migrations.steps import Step

_SYNC_POSITION = """CREATE TABLE sync_position (
    platform TEXT NOT NULL PRIMARY KEY,
    position TEXT NOT NULL
) {strict}"""

# A finished command is only kept so that a repeat of it is known: its text and person are emptied.
_INBOX = """CREATE TABLE inbox (
    seq {serial},
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('message', 'reaction', 'welcome', 'gone')),
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    person_platform TEXT NOT NULL,
    person TEXT NOT NULL,
    text TEXT NOT NULL,
    origin TEXT NOT NULL,
    sent_ms {bigint} NOT NULL,
    direct INTEGER NOT NULL CHECK (direct IN (0, 1)),
    thread TEXT,
    target TEXT,
    attempts INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'dead')),
    error TEXT NOT NULL DEFAULT '',
    done_ms {bigint}
) {strict}"""

# `leased_ms`: a worker has it until then. `woken`: its person arrived while a worker had it.
_OUTBOX = """CREATE TABLE outbox (
    seq {serial},
    id TEXT NOT NULL UNIQUE,
    platform TEXT NOT NULL,
    channel TEXT,
    person TEXT,
    content TEXT NOT NULL,
    created_ms {bigint} NOT NULL,
    reply_to TEXT,
    thread TEXT,
    priority INTEGER NOT NULL,
    card TEXT,
    fallback TEXT,
    fallback_channel TEXT,
    state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'dead')),
    attempts INTEGER NOT NULL,
    next_try_ms {bigint} NOT NULL,
    error TEXT NOT NULL,
    ref TEXT,
    leased_ms {bigint} NOT NULL DEFAULT 0,
    woken INTEGER NOT NULL DEFAULT 0 CHECK (woken IN (0, 1)),
    sent_ms {bigint},
    CHECK ((channel IS NULL) <> (person IS NULL))
) {strict}"""

# Written by the health check, so that it finds out whether writing works.
_PULSE = """CREATE TABLE pulse (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    beats {bigint} NOT NULL
) {strict}"""

MESSAGES = Step(
    "001 inbox and outbox",
    (
        _SYNC_POSITION,
        _INBOX,
        "CREATE INDEX inbox_waiting ON inbox (seq) WHERE state = 'waiting'",
        "CREATE INDEX inbox_done ON inbox (done_ms) WHERE state = 'done'",
        _OUTBOX,
        "CREATE INDEX outbox_due ON outbox (platform, priority, created_ms, seq)"
        " WHERE state = 'due'",
        "CREATE INDEX outbox_sent ON outbox (sent_ms) WHERE state = 'sent'",
        "CREATE INDEX outbox_person ON outbox (platform, person) WHERE person IS NOT NULL",
        _PULSE,
    ),
)
