"""What only tests need of a Matrix person: edits, redactions, the whole timeline, watching."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.demo.matrix_client import Content, MatrixPerson

PAGE = 100
WAIT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as it came; `at` is this process's monotonic clock, in seconds."""

    room: str
    event: dict[str, Any]
    at: float

    @property
    def sender(self) -> str:
        return str(self.event["sender"])

    @property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = self.event.get("content", {})
        return found

    @property
    def body(self) -> str:
        return str(self.content.get("body", ""))

    @property
    def answers(self) -> str | None:
        """The id of the event that this one replies to; it stands outside of what is encrypted."""
        return answered_by(self.event)


def answered_by(event: dict[str, Any]) -> str | None:
    """The id of the event that `event` replies to, or None; an edit repeats a reply and is none."""
    relation = event.get("content", {}).get("m.relates_to", {})
    if relation.get("rel_type") == "m.replace":
        return None
    target = relation.get("m.in_reply_to", {}).get("event_id")
    return str(target) if target else None


class Visitor(MatrixPerson):
    """A person of a test."""

    async def invite(self, room: str, user_id: str) -> None:
        await self.ask("POST", f"/rooms/{quote(room)}/invite", {"user_id": user_id})

    async def leave(self, room: str) -> None:
        await self.ask("POST", f"/rooms/{quote(room)}/leave", {})

    async def kick(self, room: str, user_id: str) -> None:
        await self.ask("POST", f"/rooms/{quote(room)}/kick", {"user_id": user_id})

    async def ban(self, room: str, user_id: str) -> None:
        await self.ask("POST", f"/rooms/{quote(room)}/ban", {"user_id": user_id})

    async def edit(self, room: str, event: str, text: str) -> str:
        """Replace what one of this person's own messages says; the edit's event id."""
        new = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": event}
        content = {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relation}
        return await self.send(room, content)

    async def redact(self, room: str, event: str) -> None:
        txn = f"redact-{next(self._numbers)}"
        await self.ask("PUT", f"/rooms/{quote(room)}/redact/{quote(event)}/{txn}", {})

    async def state(self, room: str, kind: str, key: str = "") -> dict[str, Any]:
        """The content of a state event. Raises MatrixRefused (404) when there is none."""
        return await self.ask("GET", f"/rooms/{quote(room)}/state/{quote(kind)}/{quote(key)}")

    async def set_state(self, room: str, kind: str, content: Content, key: str = "") -> None:
        await self.ask("PUT", f"/rooms/{quote(room)}/state/{quote(kind)}/{quote(key)}", content)

    async def members(self, room: str) -> set[str]:
        """Who is in the room now."""
        return set((await self.ask("GET", f"/rooms/{quote(room)}/joined_members"))["joined"])

    async def timeline(
        self, room: str, *, start: str | None = None, end: str | None = None
    ) -> list[dict[str, Any]]:
        """Every event of a room, oldest first: pages back until the server gives no further page.

        A page may be empty and still not be the last one.
        """
        newest_first: list[dict[str, Any]] = []
        query = {"dir": "b", "limit": str(PAGE)} | ({"to": end} if end else {})
        while True:
            page = query | ({"from": start} if start else {})
            answer = await self.ask("GET", f"/rooms/{quote(room)}/messages", query=page)
            newest_first += answer["chunk"]
            start = answer.get("end")
            if not start:
                return newest_first[::-1]


class Observer(Visitor):
    """Watches all rooms it is in by a sync loop of its own, from `watch()` on; gaps are filled."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen: list[Seen] = []
        self._loop: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def watch(self, since: str | None = None) -> None:
        """Begin to watch, from now on or from an older position of `sync()` on."""
        position = since or (await self.sync())["next_batch"]
        self._loop = asyncio.create_task(self._watch(position))

    def saw(self, one: Seen) -> None:
        """Take note of one event."""
        self.seen.append(one)

    async def until(self, done: Callable[[list[Seen]], bool], *, seconds: float) -> bool:
        """Wait until `done` holds for everything seen, at most so long; whether it does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not done(self.seen):
                    await self._more()
        return done(self.seen)

    async def sees(self, what: Callable[[Seen], bool], *, seconds: float = 20.0) -> Seen:
        """The first event that fits. Raises AssertionError when none comes in time."""
        if not await self.until(lambda seen: any(map(what, seen)), seconds=seconds):
            raise AssertionError(
                f"not seen within {seconds} s; seen: {[s.body for s in self.seen]}"
            )
        return next(filter(what, self.seen))

    async def __aexit__(self, *details: object) -> None:
        if self._loop:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        await super().__aexit__(*details)

    async def _more(self) -> None:
        """Wait for news; a watching loop that failed fails its caller."""
        if not self._loop:
            raise ValueError("nobody called watch()")
        news = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait({news, self._loop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
        self._news.clear()
        if self._loop.done():
            await self._loop

    async def _watch(self, position: str) -> None:
        while True:
            answer = await self.sync(position, wait_ms=WAIT_MS)
            at = time.monotonic()
            for room, news in answer.get("rooms", {}).get("join", {}).items():
                timeline = news["timeline"]
                missed = await self._gap(room, timeline, position) if timeline["limited"] else []
                for event in missed + timeline["events"]:
                    self.saw(Seen(room, event, at))
            position = answer["next_batch"]
            self._news.set()

    async def _gap(self, room: str, timeline: dict[str, Any], since: str) -> list[dict[str, Any]]:
        return await self.timeline(room, start=timeline["prev_batch"], end=since)
