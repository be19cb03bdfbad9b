"""People of the bench in Rocket.Chat: some type by REST, one watches all rooms by DDP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.replies import Replies
from bench.rocketchat.ddp import messages_of


def session_of(user_id: str, token: str) -> aiohttp.ClientSession:
    """Requests in the name of this account."""
    return aiohttp.ClientSession(headers={"X-User-Id": user_id, "X-Auth-Token": token})


class Person:
    """Use as `async with`."""

    def __init__(self, url: str, user_id: str, token: str) -> None:
        self._url = url
        self._http = session_of(user_id, token)

    async def __aenter__(self) -> Person:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def say(self, room: str, text: str) -> str:
        body = {"message": {"rid": room, "msg": text}}
        url = f"{self._url}/api/v1/chat.sendMessage"
        async with self._http.post(url, json=body) as answer:
            answer.raise_for_status()
            return str((await answer.json())["message"]["_id"])


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as it came; `at` is this process's monotonic clock, in seconds."""

    document: dict[str, Any]
    at: float

    @property
    def room(self) -> str:
        return str(self.document["rid"])

    @property
    def sender(self) -> str:
        return str(self.document["u"]["_id"])

    @property
    def body(self) -> str:
        return str(self.document["msg"])

    @property
    def answers(self) -> str | None:
        """The command in whose thread it stands."""
        return self.document.get("tmid")


class Watcher(Replies):
    """Use as `async with`; it watches all rooms it is in. Each message counts once."""

    def __init__(self, url: str, user_id: str, token: str) -> None:
        super().__init__()
        self._account = (url, user_id, token)
        self._known: set[str] = set()
        self._news = asyncio.Event()

    async def __aenter__(self) -> Watcher:
        ready = asyncio.Event()
        self._watching = asyncio.create_task(self._watch(ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({waiting, self._watching}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._watching.done():
            await self._watching
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        await asyncio.wait({self._watching})

    async def wait(self, done: Callable[[], bool], *, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not done():
                    self._news.clear()
                    await self._news.wait()
        return done()

    async def _watch(self, ready: asyncio.Event) -> None:
        url, user_id, token = self._account
        async with session_of(user_id, token) as http:
            async for document in messages_of(http, url, token, ready):
                if document["_id"] not in self._known:  # edits and thread counts are sent again
                    self._known.add(document["_id"])
                    self.note(Seen(document, time.monotonic()))
                    self._news.set()
