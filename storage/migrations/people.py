"""Step 3: links, browsers, channels, people, and what they were asked to confirm."""

from storage.migrations.steps import Step

# `goal` is a digest of kind, room and person. It stays when the person is forgotten: a link's id
# follows from goal and generation, so generation 1 handed out again would revive the oldest link.
_LINK = """CREATE TABLE link (
    hash TEXT NOT NULL PRIMARY KEY,
    goal TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('room', 'personal', 'call', 'guest')),
    room TEXT NOT NULL REFERENCES room (id),
    person_platform TEXT,
    person TEXT,
    generation INTEGER NOT NULL,
    created_ms {bigint} NOT NULL,
    expires_ms {bigint},
    used_ms {bigint},
    revoked_ms {bigint},
    CHECK ((person IS NULL) = (person_platform IS NULL))
) {strict}"""

_BROWSER = """CREATE TABLE browser (
    seq {serial},
    browser TEXT NOT NULL,
    person_platform TEXT NOT NULL,
    person TEXT NOT NULL,
    created_ms {bigint} NOT NULL,
    expires_ms {bigint} NOT NULL,
    UNIQUE (browser, person_platform, person)
) {strict}"""

_CHANNEL = """CREATE TABLE channel (
    platform TEXT NOT NULL,
    id TEXT NOT NULL,
    direct INTEGER NOT NULL CHECK (direct IN (0, 1)),
    settings TEXT NOT NULL,
    left_ms {bigint},
    PRIMARY KEY (platform, id)
) {strict}"""

_PERSON = """CREATE TABLE person (
    platform TEXT NOT NULL,
    id TEXT NOT NULL,
    language TEXT,
    pseudonym TEXT UNIQUE,
    PRIMARY KEY (platform, id)
) {strict}"""

_CONFIRMATION = """CREATE TABLE confirmation (
    person_platform TEXT NOT NULL,
    person TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,
    expires_ms {bigint} NOT NULL,
    taken_by TEXT,
    PRIMARY KEY (person_platform, person, verb)
) {strict}"""

PEOPLE = Step(
    "003 links and people",
    (
        _LINK,
        "CREATE INDEX link_goal ON link (goal, generation)",
        "CREATE INDEX link_room ON link (room)",
        "CREATE INDEX link_person ON link (person_platform, person)",
        "CREATE INDEX link_expiry ON link (expires_ms)",
        _BROWSER,
        "CREATE INDEX browser_person ON browser (person_platform, person)",
        _CHANNEL,
        _PERSON,
        _CONFIRMATION,
    ),
)
