"""Matrix adapters for tests: one account each, stopped after the test, started again at will."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.chat.backoff import Backoff
from bot.chat.matrix.adapter import MatrixAdapter
from bot.demo.synapse import Account, Synapse
from commands.messages import Document, Style, Text
from commands.ports import Outgoing
from storage.records import Channel, Person
from tests.matrix.intake import Inbox


def in_words(text: str, style: Style = Style.NOTICE, **more: Any) -> Document:
    return Document(((Text(text),),), style=style, **more)


def outgoing(room: str, text: str, *, id: str = "", **more: Any) -> Outgoing:
    return Outgoing(id=id or f"{room}/{text}", channel=room, document=in_words(text), **more)


def channel(room: str) -> Channel:
    return Channel("matrix", room)


def person(user_id: str) -> Person:
    return Person("matrix", user_id)


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float = 20.0) -> None:
    """Ask again and again. Raises AssertionError when it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, "it never came so"
        await asyncio.sleep(0.05)


@dataclass(slots=True)
class Bot:
    """An adapter with its inbox; `restart` begins again from the position in the inbox."""

    url: str
    account: Account
    directory: Path
    settings: dict[str, Any]
    inbox: Inbox
    adapter: MatrixAdapter
    leaving: AsyncExitStack

    @property
    def user_id(self) -> str:
        return self.account.user_id

    async def start(self) -> None:
        self.adapter = adapter_for(self.url, self.account, self.directory, **self.settings)
        self.leaving.push_async_callback(self.adapter.stop)
        await self.adapter.start(self.inbox)

    async def restart(self) -> None:
        await self.adapter.stop()
        await self.start()

    async def says(self, room: str, text: str, **more: Any) -> str:
        return await self.adapter.send(outgoing(room, text, **more))


def adapter_for(url: str, account: Account, directory: Path, **settings: Any) -> MatrixAdapter:
    return MatrixAdapter(
        **{
            "homeserver": url,
            "user_id": account.user_id,
            "device_id": account.device_id,
            "access_token": account.access_token,
            "store_dir": directory,
            "identity_file": directory.with_name(f"{directory.name}-cross-signing.json"),
            "pickle_key": "a key of the tests",
            "prefixes": ("!bbb",),
            "backoff": Backoff(first=0.05, longest=0.2),
            **settings,
        }
    )


@dataclass(frozen=True, slots=True)
class Bots:
    """Makes bots for one test."""

    synapse: Synapse
    directory: Path
    leaving: AsyncExitStack

    async def new(self, name: str, *, started: bool = True, **settings: Any) -> Bot:
        account = await self.synapse.register(name)
        directory = self.directory / name
        bot = Bot(
            self.synapse.url,
            account,
            directory,
            settings,
            Inbox(),
            adapter_for(self.synapse.url, account, directory, **settings),
            self.leaving,
        )
        if started:
            await bot.start()
        return bot
