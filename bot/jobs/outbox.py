"""Letters go out: in order within a channel, channels side by side, answers first."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.jobs.line import AFTER_BREAKING, Line, backoff
from bot.jobs.wording import Unreadable, Words
from bot.jobs.workers import Workers
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
from commands.ports import Clock, Outgoing
from commands.refs import INSTEAD, ref_of_letter
from storage.records import DeadReason, Letter, Person, Priority
from storage.store import Store, StoreError

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
BATCH = 200
UNOPENED_FOR = timedelta(hours=24)
"""How long a letter waits for a person to open the direct message."""


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
        lines: Iterable[Line],
        words: Words,
        clock: Clock,
        metrics: Metrics,
        *,
        alarm: Alarm,
    ) -> None:
        self._store = store
        self._lines = {line.platform: line for line in lines}
        self._words = words
        self._clock = clock
        self._sends = metrics.chat_sends
        self._alarm = alarm
        self._queues: dict[Goal, deque[Letter]] = {}
        self._under_way: set[str] = set()
        self._workers = Workers()

    async def collect(self) -> bool:
        """Set out with the letters due now, before they are sent; whether more may be due."""
        if len(self._under_way) >= BATCH:
            return False
        awake = [line for line in self._lines.values() if line.is_awake()]
        return any([await self._collect(line) for line in awake])

    def take(self, letters: Sequence[Letter]) -> None:
        """Set out with letters just written and leased for this.

        Those of a chat that wants us to wait are given back, and collected when it does no more.
        """
        waiting = []
        for letter in letters:
            line = self._lines.get(letter.platform)
            if line and line.is_awake():
                self._queue(line, letter)
            else:
                waiting.append(letter)
        if waiting:
            self._workers.begin(self._give_back(waiting))

    async def deliver_due(self) -> None:
        """Everything due now, delivered or put off."""
        under_way = True
        while under_way:
            more = await self.collect()
            under_way = more or bool(self._workers)
            await self._workers.drained()

    async def stop(self, within: float) -> None:
        """Let what is under way end within so many seconds; the rest stays due. Never raises."""
        await self._workers.stop(within)

    async def _collect(self, line: Line) -> bool:
        answers = await self._claim(line, BATCH, asked=True)
        for letter in answers:
            self._queue(line, letter)
        others = await self._collect_unasked(line)
        return BATCH in (len(answers), others)

    async def _collect_unasked(self, line: Line) -> int:
        """What nobody waits for, as much of it as the chat takes beside answers; how much it is."""
        most = min(BATCH, line.spare())
        letters = deque(await self._claim(line, most, asked=False) if most else ())
        taken = len(letters)
        while letters and _events(letters[0]) <= line.spare():
            line.spend(_events(letters[0]))
            self._queue(line, letters.popleft())
        if letters:
            await self._give_back(letters)
        line.crowded = taken == most
        return taken - len(letters)

    async def _claim(self, line: Line, limit: int, *, asked: bool) -> list[Letter]:
        return await self._store.claim_letters(
            now=self._clock(), lease=LEASE, limit=limit, platform=line.platform, asked=asked
        )

    def _queue(self, line: Line, letter: Letter) -> None:
        if letter.id in self._under_way:  # its lease ran out meanwhile
            return
        self._under_way.add(letter.id)
        goal = (letter.platform, letter.channel, letter.person)
        if goal in self._queues:
            self._queues[goal].append(letter)
        else:
            self._queues[goal] = deque([letter])
            self._workers.begin(self._send_all(line, goal))

    async def _send_all(self, line: Line, goal: Goal) -> None:
        """Send a channel's letters until one has to wait; the others then wait behind it."""
        queue = self._queues[goal]
        try:
            while queue and await self._settled(line, queue[0]):
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
            self._store_trouble(error)

    def _store_trouble(self, error: StoreError) -> None:
        log.warning("outbox waits", extra={"action": "store_trouble", "error": str(error)})

    async def _settled(self, line: Line, letter: Letter) -> bool:
        """Try a letter; False when it is due still.

        What the store cannot note now is tried again under the same id.
        """
        async with line.gate:
            if not line.is_awake():
                return False
            with about(ref_of_letter(letter)):
                try:
                    return await self._send(line, letter)
                except StoreError as error:
                    self._store_trouble(error)
                    return False

    async def _send(self, line: Line, letter: Letter) -> bool:
        channel = letter.channel or await self._direct_channel(line, letter)
        if channel is None:
            return False
        if letter.priority == Priority.ANSWER:
            line.spend(_events(letter))
        try:
            ref = await line.chat.send(self._outgoing(letter, channel))
        except ChatBusy as busy:
            line.slow_down(busy)
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
            return await self._failed(letter, error)
        else:
            await self._store.letter_sent(letter.id, ref, at=self._clock())
            self._sends.labels(line.platform, "sent").inc()
            log.debug("letter sent", extra={"action": "letter_sent", "platform": line.platform})
            return True
        return False

    async def _direct_channel(self, line: Line, letter: Letter) -> str | None:
        """Where to write to a person; None when the letter has to wait, or cannot go there.

        Opening a direct message has limits of its own: only this person's letters wait for them.
        """
        try:
            return await line.chat.open_dm(_person(letter))
        except NotThereYet:
            line.spend(1)  # a room made counts, too
            await self._wait_for_person(letter)
        except ChatBusy as busy:
            await self._after(letter, busy)
        except ChatRefused as refused:
            instead = _instead(letter) if isinstance(refused, DirectRefused) else []
            await self._give_up(letter, DeadReason.REFUSED, str(refused), instead)
        except ChatTrouble as error:
            await self._again(letter, error)
        except Exception as error:
            await self._failed(letter, error)
        return None

    async def _failed(self, letter: Letter, error: Exception) -> bool:
        """A bug, or an answer nobody thought of."""
        log.exception("letter failed", extra={"action": "letter_failed"})
        return await self._broke(letter, type(error).__name__)

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


def _events(letter: Letter) -> int:
    """How much of the chat's limit a letter takes: itself, and the buttons under it."""
    buttons = letter.content.get("buttons")
    return 1 + (len(buttons) if isinstance(buttons, list) else 0)


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
