"""Letters and card edits go out: in order within a channel, channels side by side, answers
first.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.metrics import Metrics
from commands.errors import (
    ChatBusy,
    ChatFailed,
    ChatRefused,
    ChatTrouble,
    ChatUnavailable,
    DirectRefused,
    NotThereYet,
)
from commands.i18n import Renderer
from commands.links import Links
from commands.messages import Document, from_json
from commands.ports import Chat, Clock, Outgoing, Policy
from storage.records import Card, Json, Letter, Person
from storage.store import Store, StoreError

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
BATCH = 200
AT_ONCE = 16
"""Sends under way at the same time, per platform."""
MOST_WAIT = 60.0
"""Seconds between two tries at most."""
FAILED_TOO_OFTEN = 3
"""A chat that answers 500 so often to the same content will never take it."""
UNOPENED_FOR = timedelta(hours=24)
"""How long a letter waits for a person to open the direct message."""


class Words:
    """Renders stored messages, one renderer per language."""

    def __init__(self, policy: Policy, links: Links) -> None:
        self._policy = policy
        self._links = links
        self._renderers: dict[str, Renderer] = {}

    def document(self, content: Json) -> Document:
        """The stored message in words. Raises KeyError or ValueError for one that cannot
        be read.
        """
        message = from_json(content)
        return self._renderer(message.language or self._policy.language).document(message)

    def _renderer(self, language: str) -> Renderer:
        if language not in self._renderers:
            self._renderers[language] = Renderer(
                language=language,
                zone=self._policy.time_zone,
                prefix=self._policy.prefixes[0],
                links=self._links.address,
            )
        return self._renderers[language]


Goal = tuple[str, str | None, str | None]
"""Where letters go: platform, channel, person."""


class Outbox:
    """Delivers what is due. A letter is marked sent only after the chat accepted it."""

    def __init__(
        self,
        store: Store,
        chats: Mapping[str, Chat],
        words: Words,
        clock: Clock,
        metrics: Metrics,
        *,
        edit_every: timedelta,
    ) -> None:
        """A card is edited at most once per `edit_every`."""
        self._store = store
        self._chats = chats
        self._words = words
        self._clock = clock
        self._sends = metrics.chat_sends
        self._edit_every = edit_every
        self._slowed: dict[str, datetime] = {}
        self._gates = {platform: asyncio.Semaphore(AT_ONCE) for platform in chats}
        self._queues: dict[Goal, deque[Letter]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._editing: set[str] = set()

    async def collect(self) -> bool:
        """Set out with the letters due now, before they are sent; whether more may be due."""
        if sum(map(len, self._queues.values())) >= BATCH:
            return False
        return any([await self._collect(chat) for chat in self._awake()])

    def take(self, letters: Sequence[Letter]) -> None:
        """Set out with letters just written and leased for this; while their chat wants us to wait,
        the lease runs out and they are collected later.
        """
        awake = {chat.platform: chat for chat in self._awake()}
        for letter in letters:
            if chat := awake.get(letter.platform):
                self._queue(chat, letter)

    async def collect_edits(self) -> bool:
        """Set out with the cards that may be edited now; there are no more."""
        for chat in self._awake():
            for card in await self._store.cards_to_edit(now=self._clock(), platform=chat.platform):
                if card.id not in self._editing:
                    self._editing.add(card.id)
                    self._begin(self._edit(chat, card))
        return False

    async def drained(self) -> None:
        """Return when nothing is under way."""
        while self._workers:
            await asyncio.wait(set(self._workers))

    async def deliver_due(self) -> None:
        """Everything due now, delivered or put off."""
        under_way = True
        while under_way:
            more = await self.collect()
            await self.collect_edits()
            under_way = more or bool(self._workers)
            await self.drained()

    async def stop(self, within: float) -> None:
        """Let what is under way end within so many seconds; the rest stays due. Never raises."""
        if self._workers:
            _, late = await asyncio.wait(set(self._workers), timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _awake(self) -> list[Chat]:
        """The chats that have not asked us to wait."""
        now = self._clock()
        return [chat for name, chat in self._chats.items() if self._slowed.get(name, now) <= now]

    async def _collect(self, chat: Chat) -> bool:
        letters = await self._store.claim_letters(
            now=self._clock(), lease=LEASE, limit=BATCH, platform=chat.platform
        )
        for letter in letters:
            self._queue(chat, letter)
        return len(letters) == BATCH

    def _queue(self, chat: Chat, letter: Letter) -> None:
        goal = (letter.platform, letter.channel, letter.person)
        if goal in self._queues:
            self._queues[goal].append(letter)
        else:
            self._queues[goal] = deque([letter])
            self._begin(self._send_all(chat, goal))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._workers.add(task)
        task.add_done_callback(self._workers.discard)

    async def _send_all(self, chat: Chat, goal: Goal) -> None:
        queue = self._queues[goal]
        try:
            while queue:
                async with self._gates[chat.platform]:
                    await self._safely(self._send(chat, queue[0]))
                queue.popleft()
        finally:
            del self._queues[goal]

    async def _safely(self, work: Coroutine[None, None, None]) -> None:
        """What the store cannot note now is tried again when the lease is over, under the
        same id.
        """
        try:
            await work
        except StoreError as error:
            log.warning("outbox waits", extra={"action": "store_trouble", "error": str(error)})
        except Exception:
            log.exception("letter failed", extra={"action": "letter_failed"})

    async def _send(self, chat: Chat, letter: Letter) -> None:
        channel = letter.channel or await self._direct_channel(chat, letter)
        if channel is None:
            return
        try:
            ref = await chat.send(self._outgoing(letter, channel))
        except ChatBusy as busy:
            self._slowed[chat.platform] = self._clock() + busy.retry_after
            await self._after(letter, busy)
        except ChatTrouble as error:
            await self._trouble(letter, error)
        except (KeyError, ValueError) as unreadable:
            log.exception("letter unreadable", extra={"action": "letter_unreadable"})
            await self._store.letter_dead(letter.id, error=type(unreadable).__name__)
        else:
            await self._store.letter_sent(letter.id, ref, at=self._clock())
            self._sends.labels(chat.platform, "sent").inc()

    async def _direct_channel(self, chat: Chat, letter: Letter) -> str | None:
        """Where to write to a person; None when the letter has to wait, or cannot go there.

        Opening a direct message has limits of its own: only this letter waits for them.
        """
        try:
            return await chat.open_dm(_person(letter))
        except NotThereYet:
            await self._wait_for_person(letter)
        except ChatBusy as busy:
            await self._after(letter, busy)
        except ChatTrouble as error:
            await self._trouble(letter, error)
        return None

    async def _trouble(self, letter: Letter, error: ChatTrouble) -> None:
        if isinstance(error, ChatRefused):
            await self._give_up(letter, error)
        else:
            await self._again(letter, error)

    async def _after(self, letter: Letter, busy: ChatBusy) -> None:
        """The chat asks to wait; that is no failure."""
        until = self._clock() + busy.retry_after
        await self._store.letter_later(letter.id, at=until, error=str(busy), counts=False)

    def _outgoing(self, letter: Letter, channel: str) -> Outgoing:
        return Outgoing(
            id=letter.id,
            channel=channel,
            document=self._words.document(letter.content),
            reply_to=letter.reply_to,
            thread=letter.thread,
        )

    async def _wait_for_person(self, letter: Letter) -> None:
        """The letter waits until the person opens the direct message; the adapter tells when."""
        if self._clock() - letter.created_at > UNOPENED_FOR:
            await self._store.letter_dead(letter.id, error="the direct message was never opened")
            return
        later = self._clock() + timedelta(minutes=10)
        await self._store.letter_later(
            letter.id, at=later, error="waits for the person", counts=False
        )

    async def _give_up(self, letter: Letter, refused: ChatRefused) -> None:
        log.warning(
            "letter refused",
            extra={"action": "letter_dead", "letter": letter.id, "error": str(refused)},
        )
        self._sends.labels(letter.platform, "dead").inc()
        instead = _instead(letter) if isinstance(refused, DirectRefused) else []
        await self._store.letter_dead(letter.id, error=str(refused), instead=instead)

    async def _again(self, letter: Letter, error: ChatTrouble) -> None:
        if isinstance(error, ChatFailed) and letter.attempts + 1 >= FAILED_TOO_OFTEN:
            await self._give_up(letter, ChatRefused(str(error)))
            return
        self._sends.labels(letter.platform, "retry").inc()
        at = self._clock() + backoff(letter.attempts)
        await self._store.letter_later(letter.id, at=at, error=str(error))

    async def _edit(self, chat: Chat, card: Card) -> None:
        try:
            async with self._gates[chat.platform]:
                await self._safely(self._try_edit(chat, card))
        finally:
            self._editing.discard(card.id)

    async def _try_edit(self, chat: Chat, card: Card) -> None:
        message = Outgoing(
            id=f"{card.id}/{card.revision}",
            channel=card.channel.id,
            document=self._words.document(card.content),
        )
        try:
            await chat.edit(card.ref or "", message)
        except ChatBusy as busy:
            self._slowed[chat.platform] = self._clock() + busy.retry_after
            await self._store.card_edit_later(card.id, at=self._slowed[chat.platform])
        except ChatRefused as refused:
            log.warning("edit refused", extra={"action": "edit_refused", "error": str(refused)})
            await self._store.card_edit_dropped(card.id, card.revision)
        except ChatUnavailable:
            at = self._clock() + backoff(card.attempts)
            await self._store.card_edit_later(card.id, at=at)
        else:
            again = self._clock() + self._edit_every
            await self._store.card_edited(card.id, card.revision, next_edit_at=again)


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 … 60 s, each between half and all of it."""
    whole = min(MOST_WAIT, 2.0 ** min(attempts, 10))
    return timedelta(seconds=whole * random.uniform(0.5, 1.0))


def _person(letter: Letter) -> Person:
    return Person(letter.platform, letter.person or "")


def _instead(letter: Letter) -> list[Letter]:
    """What the channel hears when a person cannot be written to."""
    if letter.fallback is None or letter.fallback_channel is None:
        return []
    return [
        replace(
            letter,
            id=f"{letter.id}/instead",
            content=letter.fallback,
            channel=letter.fallback_channel,
            person=None,
            fallback=None,
            fallback_channel=None,
            attempts=0,
            next_try_at=None,
        )
    ]
