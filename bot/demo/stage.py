"""Everything the demo plays on: a simulated BBB, a local chat, the real bot, its real pages.

All of it listens on this machine only, and the data lives in a directory that goes with the stage.
"""

import asyncio
import secrets
import tempfile
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.app import PagesAt, serve_pages
from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.chat.base import Adapter
from bot.chat.console import LocalChat
from bot.core import Bot, Secrets
from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.clock import Clock
from bot.demo.bbb.faults import Fault as ServerFault
from bot.demo.bbb.run import serving
from bot.demo.faults import BrokenJoining, Fault, RefusingChat
from bot.demo.ports import LOOPBACK, free_ports
from bot.demo.webchat import WebChat
from bot.web.gateway import Gateway
from commands.ports import Limits, Policy
from storage.open import open_store

TEAM = "#team"
LOOK_EVERY = timedelta(seconds=1)
EDIT_EVERY = timedelta(seconds=2)
PLENTY = Limits(
    commands_per_person=120,
    commands_per_channel=240,
    creates_per_person=120,
    invitations_per_person=240,
)
"""Whoever tries things out types a lot."""


def temporary_directory(stack: AsyncExitStack) -> Path:
    """A new directory that goes, with everything in it, when the stack is closed."""
    temporary = tempfile.TemporaryDirectory(prefix="bbb-bot-demo-", ignore_cleanup_errors=True)
    return Path(stack.enter_context(temporary))


class Studio:
    """The parts around a chat: BBB, bot, pages. `open` starts them, `stack` takes them down."""

    def __init__(
        self, *, language: str, speed: float, fault: Fault | None, stack: AsyncExitStack
    ) -> None:
        """`speed` is how much faster than real time the clock of bot and BBB runs."""
        self.clock = Clock(speed)
        self._language = language
        self._fault = fault
        self._stack = stack
        self._secret = secrets.token_urlsafe(24)

    async def open(self, chat: Adapter, *, directory: Path, pages: int, video: int) -> Bot:
        """Start a bot in this chat, its pages on the port `pages`, BBB on the port `video`."""
        origin = await self._open_video(video)
        store = await open_store(directory)
        self._stack.push_async_callback(store.close)
        servers = self._servers(origin)
        self._stack.push_async_callback(servers.close)
        bot = Bot(
            store=store,
            adapters=[chat],
            servers=servers,
            policy=self._policy(pages),
            keys=Secrets(link=secrets.token_bytes(32), pseudonym=secrets.token_bytes(32)),
            clock=self.clock,
        )
        if self._fault is Fault.JOIN_PAGE_500:
            bot.joining = BrokenJoining(bot.world)
        self._stack.push_async_callback(bot.stop)
        await serve_pages(bot, PagesAt(LOOPBACK, pages), self._stack)
        await bot.start()
        return bot

    async def _open_video(self, port: int) -> str:
        """Start the BBB server, unless it shall be down; give its origin."""
        origin = f"http://{LOOPBACK}:{port}"
        bbb = SimulatedBBB(self._secret, now=self.clock, public_url=origin)
        if self._fault is Fault.LOST_REPLY:
            bbb.faults.set(ServerFault.LOST_REPLY, call="create")
        if self._fault is not Fault.BBB_DOWN:
            await self._stack.enter_async_context(serving(bbb, port=port))
        return origin

    def _servers(self, origin: str) -> ServerPool:
        wrong = self._fault is Fault.WRONG_SECRET
        client = Client(
            name="simulated",
            url=f"{origin}/bigbluebutton/api/",
            secrets=[secrets.token_urlsafe(24) if wrong else self._secret],
            bot_version=version("bbb-bot"),
        )
        return ServerPool({client.name: client}, chosen=client.name, origins=[origin])

    def _policy(self, pages: int) -> Policy:
        return Policy(
            public_url=f"http://{LOOPBACK}:{pages}",
            language=self._language,
            look_every=LOOK_EVERY,
            edit_every=EDIT_EVERY,
            limits=PLENTY,
        )


class Stage:
    """Use as `async with`: Alice and Bob in #team of a local chat, seen in a web chat.

    The ports are the first free ones from `port` on: web chat, join pages, BBB. Raises NoFreePort.
    """

    def __init__(
        self,
        *,
        language: str = "en",
        port: int = 0,
        speed: float = 1.0,
        fault: Fault | None = None,
    ) -> None:
        self._stack = AsyncExitStack()
        self._studio = Studio(language=language, speed=speed, fault=fault, stack=self._stack)
        self._language = language
        ports = free_ports(port, 3)
        self._web_port, self._pages_port, self._video_port = ports
        self.web, self.pages, self.video = (f"http://{LOOPBACK}:{port}" for port in ports)
        self.switches = f"{self.video}/simulator"
        self.chat = self._people(RefusingChat if fault is Fault.CHAT_REFUSES else LocalChat)

    def _people(self, kind: type[LocalChat]) -> LocalChat:
        chat = kind(clock=self._studio.clock, prefixes=["!bbb"], web=f"{self.web}/")
        chat.add_person("alice", "Alice Martin")
        chat.add_person("bob", "Bob Keller")
        chat.add_channel(TEAM, TEAM, ["alice", "bob"], admins=["alice"])
        return chat

    async def __aenter__(self) -> Self:
        async with self._stack:
            self.directory = temporary_directory(self._stack)
            await self._open_web()
            await self._studio.open(
                self.chat,
                directory=self.directory,
                pages=self._pages_port,
                video=self._video_port,
            )
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _open_web(self) -> None:
        stop = asyncio.Event()
        web = WebChat(
            self.chat, channel=TEAM, language=self._language, video=self.switches, stop=stop
        )
        gateway = Gateway(web.app, host=LOOPBACK, port=self._web_port, stop=stop)
        await gateway.start()
        self._stack.push_async_callback(gateway.stop)
