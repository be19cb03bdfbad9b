"""Starts the bot with one promise broken on purpose, so that the harness can show it would notice.

python -m tests.matrix.variants random-ids run --config FILE
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable

import bot.chat.matrix.sending
import bot.core
from bot.cli import main
from bot.jobs.line import Line
from bot.jobs.outbox import Outbox
from storage.records import Letter


class DoneBeforeSent(Outbox):
    """Notes a letter as sent, and only then sends it: what a crash falls between is lost."""

    async def _send(self, line: Line, letter: Letter) -> bool:
        await self._store.letter_sent(letter.id, "not sent yet", at=self._clock())
        return await super()._send(line, letter)


def random_id(*parts: str) -> str:
    """Another transaction at each try: the server cannot know a repeat."""
    return secrets.token_hex(16)


def use_random_ids() -> None:
    vars(bot.chat.matrix.sending)["transaction_id"] = random_id


def mark_done_before_sending() -> None:
    vars(bot.core)["Outbox"] = DoneBeforeSent


VARIANTS: dict[str, Callable[[], None]] = {
    "random-ids": use_random_ids,
    "done-before-sent": mark_done_before_sending,
}


if __name__ == "__main__":
    VARIANTS[sys.argv.pop(1)]()
    main()
