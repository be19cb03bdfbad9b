"""Applies the schema's steps on SQLite, by the migrations of sqlite-utils."""

from collections.abc import Callable

from sqlite_utils import Database, Migrations

from storage.migrations import STEPS, Step

TYPES = {"bigint": "INTEGER", "serial": "INTEGER PRIMARY KEY", "strict": "STRICT"}


def migrate(database: Database) -> None:
    """Apply the steps that are missing, each in a transaction with the note of it."""
    migrations().apply(database)


def migrations() -> Migrations:
    """All steps; tests apply some of them with `stop_before`."""
    every = Migrations("bbb-bot")
    for version, step in enumerate(STEPS, start=1):
        every(name=step.name)(_applied(version, step))
    return every


def _applied(version: int, step: Step) -> Callable[[Database], None]:
    def apply(database: Database) -> None:
        for statement in step.sql(TYPES):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {version}")

    return apply
