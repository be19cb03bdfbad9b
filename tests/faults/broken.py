"""Bots with one promise broken on purpose, so that the ordeal can show that it would notice."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.bbb.pool import ServerPool
from commands.ports import MeetingPlan, Outgoing
from storage.records import Letter
from storage.sqlite.store import SqliteStore
from tests.faults.paper import PaperChat


def say_under_another_id_at_each_try() -> None:
    """The chat cannot know a repeat."""
    inner = PaperChat.send

    async def send(chat: PaperChat, message: Outgoing) -> str:
        return await inner(chat, replace(message, id=secrets.token_hex(8)))

    PaperChat.send = send  # type: ignore[method-assign]


def be_done_before_the_answer_is_kept() -> None:
    """Two commits where there must be one."""
    inner = SqliteStore.finish

    async def finish(
        store: SqliteStore, command_id: str, letters: Sequence[Letter], **more: Any
    ) -> list[str]:
        await inner(store, command_id, (), at=more["at"])
        return await store.say(letters, cards=more["cards"])

    SqliteStore.finish = finish  # type: ignore[method-assign,assignment]


def make_another_call_at_each_try() -> None:
    """BBB cannot know a repeat."""
    inner = ServerPool.create

    async def create(pool: ServerPool, server: str, plan: MeetingPlan) -> Any:
        return await inner(pool, server, replace(plan, meeting_id=secrets.token_hex(8)))

    ServerPool.create = create  # type: ignore[method-assign]


BROKEN: dict[str, Callable[[], None]] = {
    "another id": say_under_another_id_at_each_try,
    "two commits": be_done_before_the_answer_is_kept,
    "another call": make_another_call_at_each_try,
}
