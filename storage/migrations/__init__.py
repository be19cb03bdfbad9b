"""The schema as numbered steps, in the SQL that SQLite and PostgreSQL share.

A change of the schema is a new step at the end; a step that was released is never edited.
"""

from storage.migrations.calls import CALLS
from storage.migrations.hardening import HARDENING
from storage.migrations.messages import MESSAGES
from storage.migrations.moves import MOVES
from storage.migrations.people import PEOPLE
from storage.migrations.steps import Step, in_order

STEPS = in_order(MESSAGES, CALLS, PEOPLE, MOVES, HARDENING)
"""First to last; a database of version n has had the first n."""

__all__ = ["STEPS", "Step", "in_order"]
