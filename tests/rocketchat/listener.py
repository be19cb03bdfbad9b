"""A realtime conversation as a test holds it: what was heard, and how it ended."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from bot.chat.rocketchat.ddp.connection import converse
from bot.chat.rocketchat.ddp.events import Event, Live, Lost, MessageSeen, Subscription
from bot.chat.rocketchat.ddp.protocol import Session, Timings

QUICK = Timings(step=20, ping_after=20, dead_after=20, tick=0.02, close=0.05)
"""Nothing is given up in a test's time, and no farewell is waited for."""

HASTY = Timings(step=0.7, ping_after=20, dead_after=20, tick=0.02, close=0.05)
"""An answer is not waited for long."""

FEARFUL = Timings(step=20, ping_after=0.1, dead_after=0.7, tick=0.02, close=0.05)
"""Silence soon is the end."""


class Listener:
    """One conversation. `end` or `hang_up` it."""

    def __init__(
        self,
        url: str,
        user_id: str,
        token: str,
        *,
        timings: Timings = QUICK,
        tls: ssl.SSLContext | None = None,
        subscriptions: tuple[Subscription, ...] | None = None,
    ) -> None:
        self.events: list[Event] = []
        self.session = Session(user_id, token, subscriptions, timings=timings)
        self._came = asyncio.Event()
        talk = converse(url, self.session, ssl=tls, on_event=self._take)
        self._task = asyncio.create_task(talk)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._came.set()

    async def until(self, enough: Callable[[Listener], bool]) -> None:
        """Listen until that is so."""
        async with asyncio.timeout(30):
            while not enough(self):
                self._came.clear()
                await self._came.wait()

    async def live(self) -> Live:
        """Listen until all is subscribed."""
        await self.until(lambda it: any(isinstance(event, Live) for event in it.events))
        return next(event for event in self.events if isinstance(event, Live))

    async def texts(self, last: str) -> list[object]:
        """The texts of all messages heard, when this one has come."""
        await self.until(lambda it: last in it._texts())
        return self._texts()

    def messages(self) -> list[MessageSeen]:
        return [event for event in self.events if isinstance(event, MessageSeen)]

    def _texts(self) -> list[object]:
        return [seen.document.get("msg") for seen in self.messages()]

    async def end(self) -> Lost:
        """How it ends by itself."""
        async with asyncio.timeout(30):
            return await self._task

    async def hang_up(self) -> None:
        """End it from our side, if it has not ended."""
        self._task.cancel()
        async with asyncio.timeout(30):
            await asyncio.wait([self._task])
