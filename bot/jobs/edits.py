"""Cards that should show something newer: edited in the chat, the latest content wins."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from bot.jobs.line import AFTER_BREAKING, Line, backoff
from bot.jobs.wording import Unreadable, Words
from bot.jobs.workers import Workers
from commands.errors import ChatBusy, ChatFailed, ChatRefused, ChatTrouble
from commands.ports import Clock, Outgoing
from storage.records import Card
from storage.store import Store, StoreError

log = logging.getLogger(__name__)


class Edits:
    """Edits one card at most `every` so often. New messages go first: edits spend what these leave.

    One that the chat refuses is dropped: the card goes on showing what it shows, until it should
    show something else.
    """

    def __init__(
        self, store: Store, lines: Iterable[Line], words: Words, clock: Clock, *, every: timedelta
    ) -> None:
        self._store = store
        self._lines = tuple(lines)
        self._words = words
        self._clock = clock
        self._every = every
        self._workers = Workers()
        self._under_way: set[str] = set()
        self._broke: dict[str, tuple[int, int]] = {}
        """By card: on which revision the chat broke, and how often."""

    async def collect(self) -> bool:
        """Set out with the cards that may be edited now; there are no more."""
        for line in self._lines:
            if line.is_awake() and not line.crowded:
                await self._collect(line)
        return False

    async def deliver_due(self) -> None:
        """Everything due now, edited or put off."""
        await self.collect()
        await self._workers.drained()

    async def stop(self, within: float) -> None:
        """Let what is under way end within so many seconds; the rest stays due. Never raises."""
        await self._workers.stop(within)

    async def _collect(self, line: Line) -> None:
        for card in await self._store.cards_to_edit(now=self._clock(), platform=line.platform):
            if card.id not in self._under_way and line.spare():
                line.spend(1)
                self._under_way.add(card.id)
                self._workers.begin(self._edit(line, card))

    async def _edit(self, line: Line, card: Card) -> None:
        try:
            async with line.gate:
                if line.is_awake():
                    await self._try(line, card)
        except StoreError as error:
            log.warning("an edit waits", extra={"action": "store_trouble", "error": str(error)})
        finally:
            self._under_way.discard(card.id)

    async def _try(self, line: Line, card: Card) -> None:
        try:
            await line.chat.edit(card.ref or "", self._outgoing(card))
        except ChatBusy as busy:
            await self._store.card_edit_later(card.id, at=line.slow_down(busy))
        except (ChatRefused, Unreadable) as refused:
            await self._drop(card, str(refused))
        except ChatFailed as failed:
            await self._broken(card, str(failed))
        except ChatTrouble:
            await self._again(card)
        except Exception as error:
            log.exception("edit failed", extra={"action": "edit_failed"})
            await self._broken(card, type(error).__name__)
        else:
            self._broke.pop(card.id, None)
            again = self._clock() + self._every
            await self._store.card_edited(card.id, card.revision, next_edit_at=again)

    def _outgoing(self, card: Card) -> Outgoing:
        return Outgoing(
            id=f"{card.id}/{card.revision}",
            channel=card.channel.id,
            document=self._words.document(card.content),
        )

    async def _broken(self, card: Card, error: str) -> None:
        """The chat broke on it: try again, but not for ever."""
        revision, times = self._broke.get(card.id, (card.revision, 0))
        times = times + 1 if revision == card.revision else 1
        self._broke[card.id] = (card.revision, times)
        if times > len(AFTER_BREAKING):
            await self._drop(card, error)
        else:
            await self._again(card)

    async def _again(self, card: Card) -> None:
        await self._store.card_edit_later(card.id, at=self._clock() + backoff(card.attempts))

    async def _drop(self, card: Card, error: str) -> None:
        log.warning("edit refused", extra={"action": "edit_refused", "error": error})
        self._broke.pop(card.id, None)
        await self._store.card_edit_dropped(card.id, card.revision)
