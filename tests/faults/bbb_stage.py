"""A bot in the middle of its life, put back as it was for every case: its past is lived only once.

Alice, an admin of the bot and of #team, has opened a call there and made the room Lab. `LIVE`:
she is in both of them now. `QUIET`: both have been over for an hour.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import httpx

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.chat.base import Adapter
from bot.chat.console import PLATFORM, LocalChat
from bot.core import Bot, Secrets
from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.state import State
from bot.demo.bbb.transport import InProcess
from bot.web.app import make_app
from bot.web.limits import Limits as WebLimits
from bot.web.waiting import Pace
from commands.ports import Limits, Policy
from storage.open import open_store
from storage.records import Person
from storage.store import Store
from tests.canary import BBB_SECRET, LINK_KEY, PSEUDONYM_KEY
from tests.scenario.console import ConsoleStage
from tests.scenario.scene import OTHER, TEAM, Clock, Line, Scene, link_in

BBB = "https://bbb-of-the-fault-table.example"
PUBLIC = "https://calls.example.org"
UNHURRIED, HURRIED = 30.0, 0.02
"""Seconds a call to BBB may take; the second while it hangs, so that nobody waits long for that."""

_MANY = Limits(
    commands_per_person=1000,
    commands_per_channel=1000,
    creates_per_person=1000,
    invitations_per_person=1000,
)


class Past(StrEnum):
    LIVE = "a call runs"
    QUIET = "no call runs"


class Wire(httpx.AsyncBaseTransport):
    """The line of a client that outlives its servers; `server` is who answers now."""

    server: httpx.AsyncBaseTransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.server.handle_async_request(request)


@dataclass(frozen=True, slots=True)
class Lived:
    """A past: the data directory, what clock, chat and BBB remember, Bob's link and a guest's."""

    directory: Path
    remembered: tuple[Clock, LocalChat, State]
    bobs: str
    guests: str


@dataclass(frozen=True, slots=True)
class Act:
    """One stage, ready for a case."""

    directory: Path
    scene: Scene
    client: Client
    wire: Wire
    web: httpx.AsyncClient
    bobs: str
    guests: str


def client_on(wire: httpx.AsyncBaseTransport) -> Client:
    return Client(
        name="one",
        url=f"{BBB}/bigbluebutton/api/",
        secrets=[BBB_SECRET],
        bot_version="test",
        transport=wire,
    )


def bot_on(chat: Adapter, client: Client, store: Store, clock: Clock, admin: Person) -> Bot:
    """Not started; it is never in anybody's way with its limits."""
    servers = ServerPool(
        {"one": client}, chosen="one", origins=[BBB], now=lambda: clock().timestamp()
    )
    return Bot(
        store=store,
        adapters=[chat],
        servers=servers,
        policy=Policy(public_url=PUBLIC, admins=frozenset({admin}), limits=_MANY),
        keys=Secrets(LINK_KEY, PSEUDONYM_KEY),
        clock=clock,
    )


class Theatre:
    """Puts pasts on. One client serves all of them: its certificates take long to load."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lived: dict[Past, Lived] = {}
        self._wire = Wire()
        self._client = client_on(self._wire)

    @asynccontextmanager
    async def after(self, past: Past) -> AsyncIterator[Act]:
        """The bot as it stands at the end of that past."""
        if past not in self._lived:
            self._lived[past] = await self._live(past)
        lived, here = self._lived[past], self._directory / "now"
        shutil.copytree(lived.directory, here)
        clock, chat, state = deepcopy(lived.remembered)
        try:
            async with self._scene(here, clock, chat) as scene, _browser(scene) as web:
                vars(scene.bbb.state).update(vars(state))
                await scene.begin()
                yield Act(here, scene, self._client, self._wire, web, lived.bobs, lived.guests)
        finally:
            shutil.rmtree(here)

    async def _live(self, past: Past) -> Lived:
        directory, clock = self._directory / past.name, Clock()
        chat = ConsoleStage(clock).chat
        async with self._scene(directory, clock, chat) as scene:
            for where in (TEAM, OTHER):
                await scene.stage.welcomes_bot(where)
            for line in ("create Lab", "start Weekly", "join", "join Lab", "guest for 20h"):
                await scene.says("alice", f"!bbb {line}")
            guests = await scene.last()
            for text in (await scene.told("alice"))[-2:]:
                await scene.press(text)
            await scene.forward(seconds=30)
            if past is Past.QUIET:
                await scene.leaves("Alice Martin")
                await scene.forward(minutes=2)
                clock.now += timedelta(hours=1)
            await scene.says("bob", "!bbb join")
            bobs = (await scene.told("bob"))[-1]
        await chat.stop()
        return Lived(directory, (clock, chat, scene.bbb.state), link_in(bobs), link_in(guests))

    @asynccontextmanager
    async def _scene(self, directory: Path, clock: Clock, chat: LocalChat) -> AsyncIterator[Scene]:
        bbb = SimulatedBBB(BBB_SECRET, now=clock, public_url=BBB)
        self._wire.server = InProcess(bbb)
        self._client.seconds, self._client.healthy = UNHURRIED, True
        store = await open_store(directory)
        bot = bot_on(chat, self._client, store, clock, Person(PLATFORM, "alice"))
        stage = ConsoleStage(clock)
        stage.chat = chat
        await stage.open(bot.inbox)
        try:
            yield Scene(bot, bbb, Line(bbb), clock, stage)
        finally:
            await store.close()


@asynccontextmanager
async def _browser(scene: Scene) -> AsyncIterator[httpx.AsyncClient]:
    """A browser before the bot's own pages; those that wait are told at once when it is over."""
    pages = make_app(
        scene.bot.joining,
        public_url=PUBLIC,
        origins=[BBB],
        trusted_proxies=(),
        clock=scene.clock,
        stop=asyncio.Event(),
        parts=scene.bot.health,
        metrics=scene.bot.metrics,
        limits=WebLimits(),
        pace=Pace(every=0, rest=0, longest=0),
    )
    transport = httpx.ASGITransport(pages, client=("198.51.100.7", 50000))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as browser:
        yield browser
