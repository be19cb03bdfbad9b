"""Bots with one promise broken on purpose, so that the ordeal can show that it would notice."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.bbb.pool import ServerPool
from bot.jobs.line import Line
from bot.jobs.outbox import Outbox
from commands.ports import MeetingPlan, Outgoing
from storage.records import Letter
from storage.sqlite.store import SqliteStore


def say_under_another_id_at_each_try(chat: type) -> None:
    """The chat cannot know a repeat."""
    inner = chat.send  # type: ignore[attr-defined]

    async def send(self: Any, message: Outgoing) -> Any:
        return await inner(self, replace(message, id=secrets.token_hex(8)))

    chat.send = send  # type: ignore[attr-defined]


def note_letters_as_sent_before_they_are(_: type) -> None:
    """What a crash falls between is lost."""
    inner = Outbox._send

    async def send(outbox: Outbox, line: Line, letter: Letter) -> bool:
        await outbox._store.letter_sent(letter.id, "not sent yet", at=outbox._clock())
        return await inner(outbox, line, letter)

    Outbox._send = send  # type: ignore[method-assign]


def be_done_before_the_answer_is_kept(_: type) -> None:
    """Two commits where there must be one."""
    inner = SqliteStore.finish

    async def finish(
        store: SqliteStore, command_id: str, letters: Sequence[Letter], **more: Any
    ) -> list[str]:
        await inner(store, command_id, (), at=more["at"])
        return await store.say(letters, cards=more["cards"])

    SqliteStore.finish = finish  # type: ignore[method-assign,assignment]


def make_another_call_at_each_try(_: type) -> None:
    """BBB cannot know a repeat."""
    inner = ServerPool.create

    async def create(pool: ServerPool, server: str, plan: MeetingPlan) -> Any:
        return await inner(pool, server, replace(plan, meeting_id=secrets.token_hex(8)))

    ServerPool.create = create  # type: ignore[method-assign]


BROKEN: dict[str, Callable[[type], None]] = {
    "another id": say_under_another_id_at_each_try,
    "done before sent": note_letters_as_sent_before_they_are,
    "two commits": be_done_before_the_answer_is_kept,
    "another call": make_another_call_at_each_try,
}
"""Each is given the class of the chat that the bot talks on."""
