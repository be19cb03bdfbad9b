"""Letters and card edits go out: in order in a channel, channels side by side, answers first."""

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.jobs.pace import Budget
from bot.logs import about
from bot.metrics import Metrics
from commands.errors import (
    ChatBusy,
    ChatFailed,
    ChatRefused,
    ChatTrouble,
    DirectRefused,
    NotThereYet,
)
from commands.i18n import Renderer
from commands.links import Links
from commands.messages import Document, from_json
from commands.ports import Chat, Clock, Outgoing, Policy
from commands.refs import INSTEAD, ref_of_letter
from storage.records import Card, DeadReason, Json, Letter, Person, Priority
from storage.store import Store, StoreError

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
BATCH = 200
AT_ONCE = 16
"""Sends under way at the same time, per platform."""
MOST_WAIT = 60.0
"""Seconds between two tries at most."""
AFTER_BREAKING = (timedelta(seconds=15), timedelta(seconds=45))
"""A chat that breaks (500) on a letter is given it again after this; the next time it is dead.

Spread over a minute, so that a chat which is ill for a moment loses nothing."""
UNOPENED_FOR = timedelta(hours=24)
"""How long a letter waits for a person to open the direct message."""


class Unreadable(Exception):
    """A stored message has no words; the text says no more than which kind of error it was."""


class Words:
    """Renders stored messages, one renderer per language."""

    def __init__(self, policy: Policy, links: Links) -> None:
        self._policy = policy
        self._links = links
        self._renderers: dict[str, Renderer] = {}

    def document(self, content: Json) -> Document:
        """The stored message in words. Raises Unreadable."""
        try:
            message = from_json(content)
            return self._renderer(message.language or self._policy.language).document(message)
        except Exception as error:  # whatever it is: the row is poison, and no other one is
            raise Unreadable(type(error).__name__) from error

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

Alarm = Callable[[Letter], Awaitable[Sequence[Letter]]]
"""What is said, to whom, about a letter that is given up."""


class Outbox:
    """Delivers what is due. A letter is marked sent only after the chat accepted it.

    A letter that has to wait holds up what comes after it in its channel, unless it is dead. What
    nobody waits for leaves a part of the chat's rate limit to answers.
    """

    def __init__(
        self,
        store: Store,
        chats: Mapping[str, Chat],
        words: Words,
        clock: Clock,
        metrics: Metrics,
        *,
        policy: Policy,
        alarm: Alarm,
    ) -> None:
        self._store = store
        self._chats = chats
        self._words = words
        self._clock = clock
        self._sends = metrics.chat_sends
        self._edit_every = policy.edit_every
        self._alarm = alarm
        self._budgets = {platform: Budget(policy.paces.get(platform)) for platform in chats}
        self._slowed: dict[str, datetime] = {}
        self._gates = {platform: asyncio.Semaphore(AT_ONCE) for platform in chats}
        self._queues: dict[Goal, deque[Letter]] = {}
        self._under_way: set[str] = set()
        self._held_back: set[str] = set()
        self._workers: set[asyncio.Task[None]] = set()
        self._editing: set[str] = set()
        self._broken_edits: Counter[tuple[str, int]] = Counter()

    async def collect(self) -> bool:
        """Set out with the letters due now, before they are sent; whether more may be due."""
        if len(self._under_way) >= BATCH:
            return False
        return any([await self._collect(chat) for chat in self._awake()])

    def take(self, letters: Sequence[Letter]) -> None:
        """Set out with letters just written and leased for this; those of a chat that wants us to
        wait are given back, and collected when it does no more.
        """
        waiting = [letter for letter in letters if not self._is_awake(letter.platform)]
        if waiting:
            self._begin(self._give_back(waiting))
        for letter in letters:
            if letter not in waiting:
                self._queue(self._chats[letter.platform], letter)

    async def collect_edits(self) -> bool:
        """Set out with the cards that may be edited now; there are no more.

        New messages go first: edits spend only what these leave.
        """
        for chat in self._awake():
            if chat.platform in self._held_back:
                continue
            budget = self._budgets[chat.platform]
            for card in await self._store.cards_to_edit(now=self._clock(), platform=chat.platform):
                if card.id not in self._editing and budget.spare(self._clock()):
                    budget.spend(self._clock(), 1)
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

    def clock_went_back(self, by: timedelta) -> None:
        """A chat that asked us to wait is not waited for any longer than it asked."""
        self._slowed = {platform: until - by for platform, until in self._slowed.items()}

    def _awake(self) -> list[Chat]:
        """The chats that have not asked us to wait."""
        return [chat for name, chat in self._chats.items() if self._is_awake(name)]

    def _is_awake(self, platform: str) -> bool:
        now = self._clock()
        return platform in self._chats and self._slowed.get(platform, now) <= now

    async def _collect(self, chat: Chat) -> bool:
        answers = await self._claim(chat, BATCH, asked=True)
        for letter in answers:
            self._queue(chat, letter)
        others = await self._collect_unasked(chat)
        return BATCH in (len(answers), others)

    async def _collect_unasked(self, chat: Chat) -> int:
        """What nobody waits for, as much of it as the chat takes beside answers; how much it is."""
        budget = self._budgets[chat.platform]
        most = min(BATCH, budget.spare(self._clock()))
        letters = deque(await self._claim(chat, most, asked=False) if most else ())
        taken = len(letters)
        while letters and _events(letters[0]) <= budget.spare(self._clock()):
            budget.spend(self._clock(), _events(letters[0]))
            self._queue(chat, letters.popleft())
        if letters:
            await self._give_back(letters)
        behind = self._held_back.add if taken == most else self._held_back.discard
        behind(chat.platform)
        return taken - len(letters)

    async def _claim(self, chat: Chat, limit: int, *, asked: bool) -> list[Letter]:
        return await self._store.claim_letters(
            now=self._clock(), lease=LEASE, limit=limit, platform=chat.platform, asked=asked
        )

    def _queue(self, chat: Chat, letter: Letter) -> None:
        if letter.id in self._under_way:  # its lease ran out meanwhile
            return
        self._under_way.add(letter.id)
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
        """Send a channel's letters until one has to wait; the others then wait behind it."""
        queue = self._queues[goal]
        try:
            while queue and await self._settled(chat, queue[0]):
                self._under_way.discard(queue.popleft().id)
        finally:
            del self._queues[goal]
            self._under_way.difference_update(letter.id for letter in queue)
        if queue:
            await self._give_back(queue)

    async def _give_back(self, letters: Sequence[Letter]) -> None:
        try:
            await self._store.release_letters([letter.id for letter in letters])
        except StoreError as error:  # their leases run out
            log.warning("outbox waits", extra={"action": "store_trouble", "error": str(error)})

    async def _settled(self, chat: Chat, letter: Letter) -> bool:
        """Try a letter; False when it is due still.

        What the store cannot note now is tried again under the same id.
        """
        async with self._gates[chat.platform]:
            if not self._is_awake(chat.platform):
                return False
            with about(ref_of_letter(letter)):
                return await self._tried(chat, letter)

    async def _tried(self, chat: Chat, letter: Letter) -> bool:
        try:
            return await self._send(chat, letter)
        except StoreError as error:
            log.warning("outbox waits", extra={"action": "store_trouble", "error": str(error)})
            return False

    async def _send(self, chat: Chat, letter: Letter) -> bool:
        channel = letter.channel or await self._direct_channel(chat, letter)
        if channel is None:
            return False
        if letter.priority == Priority.ANSWER:
            self._budgets[chat.platform].spend(self._clock(), _events(letter))
        try:
            ref = await chat.send(self._outgoing(letter, channel))
        except ChatBusy as busy:
            self._slow_down(chat, busy)
            await self._after(letter, busy)
        except ChatRefused as refused:
            return await self._give_up(letter, DeadReason.REFUSED, str(refused))
        except Unreadable as unreadable:
            return await self._give_up(letter, DeadReason.UNREADABLE, str(unreadable))
        except ChatFailed as failed:
            return await self._broke(letter, str(failed))
        except ChatTrouble as error:
            await self._again(letter, error)
        except Exception as error:
            log.exception("letter failed", extra={"action": "letter_failed"})
            return await self._broke(letter, type(error).__name__)
        else:
            await self._store.letter_sent(letter.id, ref, at=self._clock())
            self._sends.labels(chat.platform, "sent").inc()
            log.debug("letter sent", extra={"action": "letter_sent", "platform": chat.platform})
            return True
        return False

    def _slow_down(self, chat: Chat, busy: ChatBusy) -> None:
        now = self._clock()
        self._slowed[chat.platform] = now + busy.retry_after
        self._budgets[chat.platform].refused(now, busy.retry_after)

    async def _direct_channel(self, chat: Chat, letter: Letter) -> str | None:
        """Where to write to a person; None when the letter has to wait, or cannot go there.

        Opening a direct message has limits of its own: only this person's letters wait for them.
        """
        try:
            return await chat.open_dm(_person(letter))
        except NotThereYet:
            self._budgets[chat.platform].spend(self._clock(), 1)  # a room made counts, too
            await self._wait_for_person(letter)
        except ChatBusy as busy:
            await self._after(letter, busy)
        except ChatRefused as refused:
            instead = _instead(letter) if isinstance(refused, DirectRefused) else []
            await self._give_up(letter, DeadReason.REFUSED, str(refused), instead)
        except ChatTrouble as error:
            await self._again(letter, error)
        return None

    async def _after(self, letter: Letter, busy: ChatBusy) -> None:
        """The chat asks to wait; that is no failure."""
        until = self._clock() + busy.retry_after
        await self._store.letter_later(letter.id, at=until, error=str(busy), counts=False)

    def _outgoing(self, letter: Letter, channel: str) -> Outgoing:
        in_channel = letter.channel is not None
        return Outgoing(
            id=letter.id,
            channel=channel,
            document=self._words.document(letter.content),
            reply_to=letter.reply_to if in_channel else None,
            thread=letter.thread if in_channel else None,
            decided_at=letter.created_at,
        )

    async def _wait_for_person(self, letter: Letter) -> None:
        """The letter waits until the person opens the direct message; the adapter tells when."""
        if self._clock() - letter.created_at > UNOPENED_FOR:
            await self._give_up(letter, DeadReason.UNOPENED, "")
            return
        later = self._clock() + timedelta(minutes=10)
        await self._store.letter_later(
            letter.id, at=later, error="waits for the person", counts=False
        )

    async def _broke(self, letter: Letter, error: str) -> bool:
        """The chat broke on it: try again, but not for ever."""
        if letter.failures >= len(AFTER_BREAKING):
            return await self._give_up(letter, DeadReason.FAILED, error)
        self._sends.labels(letter.platform, "retry").inc()
        at = self._clock() + AFTER_BREAKING[letter.failures]
        await self._store.letter_later(letter.id, at=at, error=error, broke=True)
        return False

    async def _give_up(
        self, letter: Letter, reason: DeadReason, error: str, instead: Sequence[Letter] = ()
    ) -> bool:
        log.warning(
            "letter given up",
            extra={
                "action": "letter_dead",
                "letter": letter.id,
                "reason": reason.value,
                "error": error,
            },
        )
        self._sends.labels(letter.platform, "dead").inc()
        told = instead or reason is DeadReason.UNOPENED  # nobody but the person could change that
        said = list(instead) if told else await self._alarm(letter)
        await self._store.letter_dead(
            letter.id, at=self._clock(), reason=reason, error=error, instead=said
        )
        return True

    async def _again(self, letter: Letter, error: ChatTrouble) -> None:
        self._sends.labels(letter.platform, "retry").inc()
        at = self._clock() + backoff(letter.attempts)
        await self._store.letter_later(letter.id, at=at, error=str(error))

    # --- cards

    async def _edit(self, chat: Chat, card: Card) -> None:
        try:
            async with self._gates[chat.platform]:
                if self._is_awake(chat.platform):
                    await self._try_edit(chat, card)
        except StoreError as error:
            log.warning("outbox waits", extra={"action": "store_trouble", "error": str(error)})
        finally:
            self._editing.discard(card.id)

    async def _try_edit(self, chat: Chat, card: Card) -> None:
        try:
            message = Outgoing(
                id=f"{card.id}/{card.revision}",
                channel=card.channel.id,
                document=self._words.document(card.content),
            )
            await chat.edit(card.ref or "", message)
        except ChatBusy as busy:
            self._slow_down(chat, busy)
            await self._store.card_edit_later(card.id, at=self._slowed[chat.platform])
        except (ChatRefused, Unreadable) as refused:
            await self._drop_edit(card, str(refused))
        except ChatFailed as failed:
            await self._edit_broke(card, str(failed))
        except ChatTrouble:
            await self._edit_again(card)
        except Exception as error:
            log.exception("edit failed", extra={"action": "edit_failed"})
            await self._edit_broke(card, type(error).__name__)
        else:
            self._broken_edits.pop((card.id, card.revision), None)
            again = self._clock() + self._edit_every
            await self._store.card_edited(card.id, card.revision, next_edit_at=again)

    async def _edit_broke(self, card: Card, error: str) -> None:
        what = (card.id, card.revision)
        self._broken_edits[what] += 1
        if self._broken_edits[what] > len(AFTER_BREAKING):
            await self._drop_edit(card, error)
        else:
            await self._edit_again(card)

    async def _edit_again(self, card: Card) -> None:
        await self._store.card_edit_later(card.id, at=self._clock() + backoff(card.attempts))

    async def _drop_edit(self, card: Card, error: str) -> None:
        """The card goes on showing what it shows, until it should show something else."""
        log.warning("edit refused", extra={"action": "edit_refused", "error": error})
        self._broken_edits.pop((card.id, card.revision), None)
        await self._store.card_edit_dropped(card.id, card.revision)


def _events(letter: Letter) -> int:
    """How much of the chat's limit a letter takes: itself, and the buttons under it."""
    buttons = letter.content.get("buttons")
    return 1 + (len(buttons) if isinstance(buttons, list) else 0)


def backoff(attempts: int) -> timedelta:
    """1, 2, 4 … 60 s, each between half and all of it."""
    whole = min(MOST_WAIT, 2.0 ** min(attempts, 10))
    return timedelta(seconds=whole * random.uniform(0.5, 1.0))  # noqa: S311  (jitter)


def _person(letter: Letter) -> Person:
    return Person(letter.platform, letter.person or "")


def _instead(letter: Letter) -> list[Letter]:
    """What the channel hears when a person cannot be written to."""
    if letter.fallback is None or letter.fallback_channel is None:
        return []
    return [
        replace(
            letter,
            id=f"{letter.id}{INSTEAD}",
            content=letter.fallback,
            channel=letter.fallback_channel,
            person=None,
            fallback=None,
            fallback_channel=None,
            attempts=0,
            failures=0,
            next_try_at=None,
        )
    ]
