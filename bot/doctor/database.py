"""Checks what the database tells of: messages that wait for long, or were given up."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from bot.doctor.asking import Case
from bot.doctor.finding import Finding, fail, ok, warn
from storage.sqlite.look import Look, look
from storage.store import StoreError

DATABASE, DEAD, WAITING = "database", "database.dead", "database.waiting"
TOO_LONG = timedelta(minutes=10)


async def check_database(case: Case) -> AsyncIterator[Finding]:
    """Look from outside; the bot may run meanwhile."""
    path = case.settings.data_dir / "bbb-bot.db"
    try:
        seen = await asyncio.to_thread(look, path)
    except StoreError as error:
        remedy = "docs/operations.md shows how to restore a backup; never delete the file"
        yield fail(DATABASE, f"{path} {error}", remedy)
        return
    if seen is None:
        yield ok(DATABASE, "none yet: the first start makes it")
        return
    yield ok(DATABASE, "can be read")
    yield judge_dead(seen)
    yield judge_waiting(seen, case.now())


def judge_dead(seen: Look) -> Finding:
    """Letters and commands that were given up."""
    if seen.dead_letters or seen.dead_commands:
        text = f"{seen.dead_letters} messages and {seen.dead_commands} commands were given up"
        return warn(DEAD, text, "`!bbb admin outbox` shows, retries and drops them")
    return ok(DEAD, "nothing was given up")


def judge_waiting(seen: Look, now: datetime) -> Finding:
    """How long the oldest letter that is to go out has waited."""
    if seen.oldest is None:
        return ok(WAITING, "no message waits")
    age = now - seen.oldest
    text = f"{seen.waiting} messages wait, the oldest for {age // timedelta(minutes=1)} minutes"
    if age > TOO_LONG:
        return warn(WAITING, text, "see whether the bot runs, and what its log says of the chat")
    return ok(WAITING, text)
