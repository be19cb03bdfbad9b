"""Watches all Matrix rooms of the bench."""

from __future__ import annotations

from collections.abc import Callable

from bench.replies import Replies
from bot.demo.synapse import Account
from tests.matrix.client import Observer, Seen


class Watcher(Replies, Observer):
    def __init__(self, url: str, account: Account) -> None:
        Replies.__init__(self)
        Observer.__init__(self, url, account)

    def saw(self, one: Seen) -> None:
        if one.event["type"] == "m.room.message":
            self.note(one)

    async def wait(self, done: Callable[[], bool], *, seconds: float) -> bool:
        return await self.until(lambda _: done(), seconds=seconds)
