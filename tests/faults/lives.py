"""Lives of a bot: each a process of its own that ends well, or by SIGKILL, on the same data.

The processes are forked from a server that has imported everything: a life takes a tenth of a
second, so that hundreds of deaths fit into a test.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.chat.matrix.adapter import MatrixAdapter
from bot.chat.rocketchat.adapter import RocketChatAdapter
from bot.cli import main
from bot.clock import utc_now
from bot.core import Bot, Secrets
from bot.jobs import clockwork
from commands.ports import Limits, Policy
from commands.visits import Press
from storage.open import open_store
from storage.store import Store
from tests import canary
from tests.faults.broken import BROKEN
from tests.faults.paper import Paper, PaperChat
from tests.faults.points import Points

SECRET = canary.BBB_SECRET
ENOUGH_SECONDS = 60.0
KILLED = -signal.SIGKILL
LOOK_AGAIN_SECONDS = 0.005
OFTEN_SECONDS = 0.02
CHATS: dict[str, type] = {"matrix": MatrixAdapter, "rocketchat": RocketChatAdapter}
NEVER = ""
"""The fail point of a life without one."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    ["__main__", __name__, "httpcore", "anyio._backends._asyncio", "babel.dates", "babel.numbers"]
)

MOST = 1_000_000
UNLIMITED = Limits(
    commands_per_person=MOST,
    commands_per_channel=MOST,
    creates_per_person=MOST,
    invitations_per_person=MOST,
    rooms_per_channel=MOST,
)


@dataclass(slots=True)
class Life:
    """One process under way."""

    process: BaseProcess

    async def end(self) -> int:
        """Its exit code when it has ended by itself. Raises AssertionError when it does not."""
        await asyncio.to_thread(self.process.join, ENOUGH_SECONDS)
        code = self.process.exitcode
        if code is None:
            await self.kill()
            raise AssertionError("this life does not end")
        return code

    async def kill(self) -> int:
        """End it by SIGKILL, if it has not ended; its exit code."""
        self.process.kill()
        return await self.end()

    async def stop(self) -> int:
        """End it by SIGTERM; its exit code."""
        self.process.terminate()
        return await self.end()


@dataclass(slots=True)
class Lives:
    """The lives of one bot: `directory` keeps its data and what they printed."""

    directory: Path
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        self.output = self.directory / "output.txt"

    def on_paper(
        self, bbb: str, deadly: str = NEVER, nth: int = 1, *, broken: str = "", press: str = ""
    ) -> Life:
        """A life on the paper chat, with BBB at the address `bbb`; it ends when all is done.

        `broken` names an entry of `BROKEN`; `press` is the token of a link that is pressed.
        """
        return self._begin(_live_on_paper, str(self.directory), bbb, deadly, nth, broken, press)

    def on(
        self, chat: str, config: Path, deadly: str = NEVER, nth: int = 1, *, broken: str = ""
    ) -> Life:
        """A life of the whole program on one of `CHATS`; it ends by SIGTERM."""
        return self._begin(_live_as_program, chat, str(config), deadly, nth, broken)

    def _begin(self, live: Callable[..., None], *args: Any) -> Life:
        process = _processes.Process(target=_live, args=(str(self.output), live, *args))
        process.start()
        return Life(process)

    def last_words(self) -> str:
        return self.output.read_text(errors="replace")[-3000:]


# --- in the process of a life --------------------------------------------------------------------


def _live(output: str, live: Callable[..., None], *args: Any) -> None:
    handle = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    live(*args)


def _live_as_program(chat: str, config: str, deadly: str, nth: int, broken: str) -> None:
    if broken:
        BROKEN[broken](CHATS[chat])
    Points(deadly, nth).stand_around(CHATS[chat])
    sys.argv = ["bbb-bot", "run", "--config", config]
    main()


def _live_on_paper(
    directory: str, bbb: str, deadly: str, nth: int, broken: str, press: str
) -> None:
    if broken:
        BROKEN[broken](PaperChat)
    Points(deadly, nth).stand_around(PaperChat)
    vars(clockwork)["AT_LEAST_EVERY"] = OFTEN_SECONDS
    asyncio.run(_until_all_is_done(Path(directory), bbb, press))


async def _until_all_is_done(directory: Path, bbb: str, press: str) -> None:
    async with AsyncExitStack() as stack:
        store = await open_store(directory / "data")
        stack.push_async_callback(store.close)
        chat = PaperChat(Paper(directory), utc_now)
        servers = _servers(bbb)
        stack.push_async_callback(servers.close)
        bot = Bot(
            store=store,
            adapters=[chat],
            servers=servers,
            policy=Policy(
                public_url="https://calls.example.org",
                edit_every=timedelta(0),
                limits=UNLIMITED,
            ),
            keys=Secrets(canary.LINK_KEY, canary.PSEUDONYM_KEY),
            clock=utc_now,
        )
        stack.push_async_callback(bot.stop)
        await bot.start()
        if press:
            await bot.joining.press(Press(press))
        done = False
        while not done:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            done = chat.all_read and await _all_done(store)


def _servers(bbb: str) -> ServerPool:
    client = Client(
        name="one", url=f"{bbb}/bigbluebutton/api/", secrets=[SECRET], bot_version="test"
    )
    return ServerPool({"one": client}, chosen="one", origins=[bbb])


async def _all_done(store: Store) -> bool:
    """Whether no command, no letter and no edit of a card waits."""
    far = utc_now() + timedelta(days=1)
    return (
        not await store.waiting()
        and (await store.letter_counts())[0] == 0
        and not await store.cards_to_edit(now=far, platform=PaperChat.platform)
    )
