"""The bot without a web page or a process: store, chats and servers put together."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import product

from bot import memory
from bot.chat.base import Adapter, Mode
from bot.jobs.clock_watch import ClockWatch
from bot.jobs.clockwork import Clockwork
from bot.jobs.edits import Edits
from bot.jobs.housekeeping import Housekeeping
from bot.jobs.inbox import Inbox
from bot.jobs.line import Line
from bot.jobs.outbox import Outbox
from bot.jobs.wording import Words
from bot.metrics import Metrics
from bot.web.readiness import Health, Part
from commands.dispatch import Dispatcher
from commands.links import Links
from commands.ports import Clock, MeetingServers, Policy
from commands.services import channels, looking
from commands.services.alarms import undelivered
from commands.services.joining import Joining
from commands.world import Limiters, World
from storage.records import Channel, Person
from storage.store import Store, StoreError

log = logging.getLogger(__name__)

DRAIN = 3.0
"""Seconds that commands, and then letters, get to end when the bot stops."""
KEPT_FOR = timedelta(days=30)
"""How long finished commands and sent letters are kept."""
PRUNED_EVERY = timedelta(hours=6)
MEASURED_EVERY = timedelta(seconds=15)
TRIMMED_EVERY = timedelta(minutes=1)


_HEALTH = {Mode.LIVE: Part.OK, Mode.POLLING: Part.DEGRADED, Mode.DOWN: Part.DOWN}


@dataclass(frozen=True, slots=True)
class Secrets:
    """The keys the core signs with: of links, of what BBB knows people by."""

    link: bytes = field(repr=False)
    pseudonym: bytes = field(repr=False)


class Bot:
    """Every moving part of the core. The same object serves a team, the demo and the tests."""

    def __init__(
        self,
        *,
        store: Store,
        adapters: Sequence[Adapter],
        servers: MeetingServers,
        policy: Policy,
        keys: Secrets,
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        links = Links(keys.link, policy.public_url)
        chats = {adapter.platform: adapter for adapter in adapters}
        self.world = World(
            store=store,
            chats=chats,
            servers=servers,
            links=links,
            clock=clock,
            random=secrets.token_bytes,
            policy=policy,
            pseudonym_key=keys.pseudonym,
            limiters=Limiters(policy.limits),
        )
        self.adapters = tuple(adapters)
        self._modes: dict[str, Mode] = {}
        for adapter, mode in product(self.adapters, Mode):
            gauge = self.metrics.chat_mode.labels(adapter.platform, mode)
            gauge.set_function(partial(_is_heard, adapter, mode))
        self.joining = Joining(self.world)
        words = Words(policy, links)
        self._lines = [Line(one, clock, policy.paces.get(one.platform)) for one in adapters]
        self.outbox = Outbox(
            store,
            self._lines,
            words,
            clock,
            self.metrics,
            alarm=lambda letter: undelivered(self.world, letter),
        )
        self.edits = Edits(store, self._lines, words, clock, every=policy.edit_every)
        self.inbox = Inbox(
            store,
            Dispatcher(self.world, count=self._count).run,
            after=self.outbox.take,
            arrived=self._arrived,
            unreadable=self._not_read,
        )
        self._post = Clockwork("post", self.outbox.collect)
        self._edits = Clockwork("edits", self.edits.collect)
        # One loop for each server: a dead one holds nobody else's meetings up.
        self._watches = [
            Clockwork(f"watch {server}", partial(looking.look_due, self.world, server))
            for server in servers.names()
        ]
        self._trials = Clockwork("trials", servers.try_again)
        self.clock_watch = ClockWatch(store, clock, self._clock_went_back)
        self._clock = Clockwork("clock", self.clock_watch.tick)
        self._housekeeping = Housekeeping()
        self._housekeeping.every(PRUNED_EVERY, self.prune)
        self._housekeeping.every(MEASURED_EVERY, self.measure)
        self._housekeeping.every(TRIMMED_EVERY, memory.give_back)

    async def start(self) -> None:
        """Connect the chats, take up what was left, and begin to do what is due."""
        await self.clock_watch.begin()
        self.inbox.hold()
        await self._connect()
        await looking.write_off(self.world)
        await self.inbox.resume()
        for clockwork in (self._post, self._edits, self._trials, self._clock, *self._watches):
            clockwork.start()
        self._housekeeping.start()

    async def _connect(self) -> None:
        """Side by side: a chat that is slow to answer holds up no other. Raises what one raised."""
        starts = (adapter.start(self.inbox) for adapter in self.adapters)
        for failure in await asyncio.gather(*starts, return_exceptions=True):
            if failure:
                raise failure

    async def stop(self) -> None:
        """Take nothing new, finish what runs, send what is decided, close. Never raises."""
        self._housekeeping.stop()
        watching = (self._edits, self._trials, self._clock, *self._watches)
        await asyncio.gather(*(clockwork.stop() for clockwork in watching))
        await self.inbox.stop(DRAIN)
        await self._post.stop()
        await self._last_letters()
        await asyncio.gather(self.outbox.stop(DRAIN), self.edits.stop(DRAIN))
        await asyncio.gather(*(adapter.stop() for adapter in self.adapters))

    def _clock_went_back(self, by: timedelta) -> None:
        for line in self._lines:
            line.clock_went_back(by)
        self._housekeeping.clock_was_set()

    async def _last_letters(self) -> None:
        try:
            await self.outbox.collect()
        except Exception:
            log.exception("letters wait for the next start", extra={"action": "drain_failed"})

    async def settle(self) -> None:
        """Do everything that is due now, with nothing running by itself: for tests with a clock."""
        await self.inbox.drained()
        await self.world.servers.try_again()
        for server in self.world.servers.names():
            await looking.look_due(self.world, server)
        await self.outbox.deliver_due()
        await self.edits.deliver_due()

    async def prune(self) -> None:
        """Housekeeping: forget finished commands, sent letters and dead links after 30 days."""
        await self.world.store.prune(before=self.world.clock() - KEPT_FOR)

    async def measure(self) -> None:
        """Bring the gauges up to date."""
        waiting, dead = await self.world.store.letter_counts()
        self.metrics.outbox_waiting.set(waiting)
        self.metrics.outbox_dead.set(dead)
        self.metrics.tasks.set(len(asyncio.all_tasks()))
        for adapter in self.adapters:
            self._note(adapter.platform, adapter.mode)

    def _note(self, platform: str, mode: Mode) -> None:
        if self._modes.get(platform) is not mode:
            self._modes[platform] = mode
            level = logging.INFO if mode is Mode.LIVE else logging.WARNING
            how = {"action": "chat_mode", "platform": platform, "mode": mode}
            log.log(level, "%s is %s", platform, mode, extra=how)

    async def health(self) -> Health:
        """How the parts are, as far as we know without asking anybody but the database."""
        return Health(
            database=await self._database(),
            chats={adapter.platform: _HEALTH[adapter.mode] for adapter in self.adapters},
            bbb=Part.OK if self.world.servers.healthy() else Part.DEGRADED,
        )

    async def _database(self) -> Part:
        try:
            await self.world.store.check()
        except StoreError:
            return Part.DOWN
        return Part.OK

    def _count(self, verb: str, outcome: str) -> None:
        self.metrics.commands.labels(verb, outcome).inc()

    async def _not_read(self, channel: Channel, ref: str) -> None:
        try:
            if await channels.unreadable(self.world, channel, ref):
                self._post.stir()
        except StoreError as error:
            log.warning("hint not kept", extra={"action": "store_trouble", "error": str(error)})

    async def _arrived(self, person: Person) -> None:
        if await self.world.store.wake_letters(person, now=self.world.clock()):
            self._post.stir()


def _is_heard(adapter: Adapter, mode: Mode) -> bool:
    return adapter.mode is mode
