"""Step 5: why and when a letter was given up, and what commands ended, revoked, retried."""

from storage.migrations.steps import Step

# `failures`: how often the chat broke on it. `settled_by`: the command that retried or dropped it.
_OUTBOX = (
    "ALTER TABLE outbox ADD COLUMN failures INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN reason TEXT"
    " CHECK (reason IN ('refused', 'failed', 'unopened', 'unreadable'))",
    "ALTER TABLE outbox ADD COLUMN dead_ms {bigint}",
    "ALTER TABLE outbox ADD COLUMN settled_by TEXT",
    "CREATE INDEX outbox_dead ON outbox (dead_ms, seq) WHERE state = 'dead'",
    "CREATE INDEX outbox_channel ON outbox (platform, channel, priority, created_ms, seq)"
    " WHERE state = 'due'",
    "CREATE INDEX outbox_to_person ON outbox (platform, person, priority, created_ms, seq)"
    " WHERE state = 'due'",
    "CREATE INDEX outbox_card ON outbox (card) WHERE state = 'due'",
    "CREATE INDEX outbox_settled ON outbox (settled_by) WHERE settled_by IS NOT NULL",
)

# Written before BBB is asked, so that a command run again after a crash knows which one it ended.
_MEETING_END = """CREATE TABLE meeting_end (
    cause TEXT NOT NULL PRIMARY KEY,
    meeting TEXT NOT NULL REFERENCES meeting (id)
) {strict}"""

HARDENING = Step(
    "005 dead letters and causes",
    (
        *_OUTBOX,
        "CREATE INDEX inbox_dead ON inbox (sent_ms) WHERE state = 'dead'",
        _MEETING_END,
        "ALTER TABLE link ADD COLUMN revoked_by TEXT",
        "CREATE INDEX link_revoked ON link (revoked_by) WHERE revoked_by IS NOT NULL",
    ),
)
