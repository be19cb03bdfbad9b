"""Step 2: rooms, who was invited into them, their meetings and cards."""

from storage.migrations.steps import Step

# `folded` is the name without case. Rooms are marked as deleted, never taken out.
_ROOM = """CREATE TABLE room (
    seq {serial},
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('default', 'named', 'personal', 'call')),
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    meeting_id TEXT NOT NULL UNIQUE,
    owner_platform TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_ms {bigint} NOT NULL,
    cause TEXT NOT NULL,
    options TEXT NOT NULL,
    generation INTEGER NOT NULL,
    deleted_ms {bigint},
    deleted_cause TEXT,
    UNIQUE (kind, cause)
) {strict}"""

_ROOM_CHANGE = """CREATE TABLE room_change (
    cause TEXT NOT NULL PRIMARY KEY,
    room TEXT NOT NULL REFERENCES room (id)
) {strict}"""

# `forget`: the person asked to be forgotten while the call ran; it goes when the call ends.
_INVITED = """CREATE TABLE invited (
    seq {serial},
    room TEXT NOT NULL REFERENCES room (id),
    person_platform TEXT NOT NULL,
    person TEXT NOT NULL,
    forget INTEGER NOT NULL DEFAULT 0 CHECK (forget IN (0, 1)),
    UNIQUE (room, person_platform, person)
) {strict}"""

# `card` may name a card that is not written yet: a meeting is planned before its card is posted.
_MEETING = """CREATE TABLE meeting (
    seq {serial},
    id TEXT NOT NULL UNIQUE,
    room TEXT NOT NULL REFERENCES room (id),
    server TEXT NOT NULL,
    starter_platform TEXT NOT NULL,
    starter TEXT NOT NULL,
    created_ms {bigint} NOT NULL,
    cause TEXT NOT NULL UNIQUE,
    card TEXT,
    topic TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'open', 'running', 'ended')),
    internal_id TEXT NOT NULL,
    create_time {bigint} NOT NULL,
    joined_ms {bigint},
    ended_ms {bigint},
    present INTEGER NOT NULL,
    peak INTEGER NOT NULL,
    next_look_ms {bigint},
    forget INTEGER NOT NULL DEFAULT 0 CHECK (forget IN (0, 1))
) {strict}"""

# `wanted_ms`: when the newest content was to be shown; `floor_ms`: the chat bears no edit before.
_CARD = """CREATE TABLE card (
    seq {serial},
    id TEXT NOT NULL UNIQUE,
    room TEXT NOT NULL REFERENCES room (id),
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    content TEXT NOT NULL,
    created_ms {bigint} NOT NULL,
    revision INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    ref TEXT,
    wanted_ms {bigint} NOT NULL,
    floor_ms {bigint} NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL
) {strict}"""

CALLS = Step(
    "002 rooms, meetings and cards",
    (
        _ROOM,
        "CREATE UNIQUE INDEX room_default ON room (platform, channel)"
        " WHERE kind = 'default' AND deleted_ms IS NULL",
        "CREATE UNIQUE INDEX room_personal ON room (owner_platform, owner)"
        " WHERE kind = 'personal' AND deleted_ms IS NULL",
        "CREATE UNIQUE INDEX room_name ON room (platform, channel, folded)"
        " WHERE kind = 'named' AND deleted_ms IS NULL",
        _ROOM_CHANGE,
        _INVITED,
        "CREATE INDEX invited_person ON invited (person_platform, person)",
        _MEETING,
        "CREATE UNIQUE INDEX meeting_live ON meeting (room) WHERE state <> 'ended'",
        "CREATE INDEX meeting_room ON meeting (room, seq)",
        "CREATE INDEX meeting_due ON meeting (next_look_ms) WHERE state <> 'ended'",
        _CARD,
        "CREATE INDEX card_room ON card (room, seq)",
        "CREATE INDEX card_ref ON card (platform, ref) WHERE ref IS NOT NULL",
        "CREATE INDEX card_behind ON card (platform) WHERE shown < revision",
    ),
)
