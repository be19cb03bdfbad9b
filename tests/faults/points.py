"""Named points at which a bot's process dies, put around its parts from outside: only tests do.

receive       commands and the chat's position are kept
store.plan    a meeting is written down before BBB is asked
bbb.create    BBB makes it
store.created what BBB said is written down
bbb.end       BBB ends it
bbb.say       BBB says a line in it, which it does at each call
store.ended   its end is written down
store.finish  a command is done, and what it says is in the outbox
send          the chat takes a letter
mark          the letter is marked as sent
edit          the chat takes a card's edit
mark.edit     the edit is marked as done

Each has a `before` and an `after`; what writes has an `inside`, too: done, and not committed yet.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.bbb.pool import ServerPool
from storage.queries import cards, inbox, meetings, outbox
from storage.queries.connection import Connection
from storage.sqlite.thread import DatabaseThread

WRITES: dict[Callable[..., Any], str] = {
    inbox.accept: "receive",
    meetings.plan_meeting: "store.plan",
    meetings.meeting_created: "store.created",
    meetings.meeting_ended: "store.ended",
    inbox.finish: "store.finish",
    outbox.letter_sent: "mark",
    cards.card_edited: "mark.edit",
}
CALLS = {"create": "bbb.create", "end": "bbb.end"}
SAY = {"say": "bbb.say"}
SENDS = {"send": "send", "edit": "edit"}

POINTS = (
    *(f"{step}.{when}" for step in WRITES.values() for when in ("before", "inside", "after")),
    *(
        f"{step}.{when}"
        for step in (*CALLS.values(), *SENDS.values())
        for when in ("before", "after")
    ),
)
SAY_POINTS = tuple(f"{step}.{when}" for step in SAY.values() for when in ("before", "after"))


@dataclass(slots=True)
class Points:
    """Counts passes; at the `nth` pass of `deadly` the process kills itself, as by `kill -9`."""

    deadly: str
    nth: int = 1
    passes: Counter[str] = field(default_factory=Counter)

    def passed(self, point: str) -> None:
        self.passes[point] += 1
        if point == self.deadly and self.passes[point] == self.nth:
            os.kill(os.getpid(), signal.SIGKILL)

    def stand_around(self, chat: type) -> None:
        """Put them around store, BBB and the chat's class, for the rest of this process."""
        self._around_writes()
        for owner, methods in ((ServerPool, CALLS | SAY), (chat, SENDS)):
            for method, step in methods.items():
                self._around(owner, method, step)

    def _around(self, owner: type, method: str, step: str) -> None:
        inner = getattr(owner, method)

        async def watched(part: Any, *args: Any) -> Any:
            self.passed(f"{step}.before")
            result = await inner(part, *args)
            self.passed(f"{step}.after")
            return result

        setattr(owner, method, watched)

    def _around_writes(self) -> None:
        inner = DatabaseThread.write

        async def write(thread: DatabaseThread, query: Any, *args: Any, **kwargs: Any) -> Any:
            step = _step(query, args)
            if step is None:
                return await inner(thread, query, *args, **kwargs)

            def work(connection: Connection) -> Any:
                result = query(connection, *args, **kwargs)
                self.passed(f"{step}.inside")
                return result

            self.passed(f"{step}.before")
            result = await inner(thread, work)
            self.passed(f"{step}.after")
            return result

        DatabaseThread.write = write  # type: ignore[method-assign]


def _step(query: Callable[..., Any], args: tuple[Any, ...]) -> str | None:
    """The step a write belongs to; a position that is kept without commands is none."""
    if query is inbox.accept and not args[-1]:
        return None
    return WRITES.get(query)
