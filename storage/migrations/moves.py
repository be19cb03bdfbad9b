"""Step 4: channels that another took the place of."""

from storage.migrations.steps import Step

MOVES = Step("004 replaced channels", ("ALTER TABLE channel ADD COLUMN moved_to TEXT",))
