"""The whole bot behind its pages: local chat, simulated BBB, real database, every call counted."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.core import Bot, Secrets
from bot.demo.bbb import SimulatedBBB
from bot.web.app import make_app
from bot.web.limits import Limits
from commands.ports import Policy
from storage.open import open_store
from storage.store import Store
from tests import canary
from tests.scenario.console import ConsoleStage
from tests.scenario.scene import OTHER, TEAM, Clock, Line, Scene, link_in
from tests.web.world import BBB, PUBLIC, Browser, World

SECRET = canary.BBB_SECRET

READS = frozenset(
    {
        "link",
        "room",
        "invited_to",
        "live_meeting",
        "last_meeting",
        "people_in_browser",
        "person",
        "channel",
        "meeting",
        "card",
    }
)
"""Methods of the store that change nothing; every other one counts as a write."""


class CountedStore:
    """A store that counts what is asked of it, by method."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        self.asked[name] += 1
        return method

    @property
    def writes(self) -> dict[str, int]:
        return {name: times for name, times in self.asked.items() if name not in READS}


@dataclass(slots=True)
class House:
    """A bot that greeted #team and #other; `app` are its pages, with limits that never bite."""

    scene: Scene
    stage: ConsoleStage
    store: CountedStore
    file: Path
    world: World = field(default_factory=World)

    def app(self, limits: Limits | None = None) -> Starlette:
        return make_app(
            self.scene.bot.joining,
            public_url=self.world.public_url,
            origins=self.world.origins,
            trusted_proxies=(),
            clock=self.scene.clock,
            stop=self.world.stop,
            parts=self.scene.bot.health,
            metrics=self.world.metrics,
            limits=limits or Limits(1_000_000, 1_000_000, 1_000_000),
            pace=self.world.pace,
        )

    def browser(self, address: str = "198.51.100.7") -> Browser:
        return Browser(self.app(), address=address)

    # --- links, each a real one out of the chat

    async def room_link(self, where: str = TEAM) -> str:
        await self.scene.says("alice", "!bbb", where)
        return link_in(await self.scene.last(where))

    async def personal_link(self, who: str, where: str = TEAM) -> str:
        await self.scene.says(who, "!bbb join", where)
        return await self.newest_link(who)

    async def call_link(self, caller: str = "alice", called: str = "bob") -> str:
        await self.scene.says(caller, f"!bbb call @{called}")
        return await self.newest_link(called)

    async def newest_link(self, who: str) -> str:
        """The last link that somebody was sent directly."""
        return link_in([text for text in await self.scene.told(who) if "/j/" in text][-1])

    async def guest_link(self, typed: str = "") -> str:
        await self.scene.says("alice", f"!bbb guest {typed}".rstrip())
        return link_in(await self.scene.last())

    async def live_links(self) -> dict[str, str]:
        """One living link of every kind, by kind."""
        return {
            "room": await self.room_link(),
            "personal": await self.personal_link("bob"),
            "call": await self.call_link(),
            "guest": await self.guest_link(),
        }

    # --- what happened

    def begin_counting(self) -> None:
        self.store.asked.clear()
        self.scene.line.requests.clear()

    @property
    def bbb_calls(self) -> int:
        return len(self.scene.line.requests)

    def rows(self) -> list[str]:
        """Everything the database holds, as SQL, read past the bot."""
        with closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True)) as database:
            return list(database.iterdump())


@asynccontextmanager
async def open_house(directory: Path, policy: Policy | None = None) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        clock = Clock()
        stage = ConsoleStage(clock)
        bbb = SimulatedBBB(SECRET, now=clock, public_url=BBB)
        line = Line(bbb)
        store = CountedStore(await open_store(directory))
        stack.push_async_callback(store.close)
        client = Client(
            name="one",
            url=f"{BBB}/bigbluebutton/api/",
            secrets=[SECRET],
            bot_version="test",
            transport=line,
        )
        servers = ServerPool({"one": client}, chosen="one", origins=[BBB])
        stack.push_async_callback(servers.close)
        bot = Bot(
            store=store,
            adapters=[stage.chat],
            servers=servers,
            policy=policy or Policy(public_url=PUBLIC),
            keys=Secrets(canary.LINK_KEY, canary.PSEUDONYM_KEY),
            clock=clock,
        )
        await stage.chat.start(bot.inbox)
        for where in (TEAM, OTHER):
            await stage.welcomes_bot(where)
        scene = Scene(bot, bbb, line, clock, stage)
        await scene.begin()
        yield House(scene, stage, store, directory / "bbb-bot.db")
