"""Alice and Bob on a Synapse, as the tour needs them: they speak, hear, accept invitations."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from bot.demo.matrix_client import MatrixPerson
from bot.demo.speech import Heard, Listener
from commands.i18n import Texts

LONG_POLL_MS = 20_000


class MatrixCompany:
    """Use as `async with`: while it is open, everything said after that is heard. Unencrypted."""

    def __init__(
        self,
        people: Mapping[str, MatrixPerson],
        names: Mapping[str, str],
        *,
        room: str,
        bot: str,
        texts: Texts,
    ) -> None:
        """`people` and `names` go by `alice`, `bob`; `room` and `bot` are Matrix ids."""
        self._people = people
        self._names = names
        self._room = room
        self._bot = bot
        self._texts = texts
        self._listeners: list[Listener] = []
        self._following: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for key, person in self._people.items():
            since = (await person.sync())["next_batch"]
            self._following.append(asyncio.create_task(self._follow(key, person, since)))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    def name(self, person: str) -> str:
        return self._names[person]

    async def says(self, person: str, text: str) -> None:
        await self._people[person].say(self._room, text)

    def listen(self, heard: Listener) -> Callable[[], None]:
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    async def _follow(self, key: str, person: MatrixPerson, since: str) -> None:
        while True:
            news = await person.sync(since, wait_ms=LONG_POLL_MS)
            since = news["next_batch"]
            rooms = news.get("rooms", {})
            for invited in rooms.get("invite", {}):
                await person.join(invited)
            for room, joined in rooms.get("join", {}).items():
                self._read(key, room, joined.get("timeline", {}).get("events", []))

    def _read(self, key: str, room: str, events: Sequence[Mapping[str, Any]]) -> None:
        """What the room of all says is heard once, by Alice; direct rooms by whose they are."""
        if room == self._room and key != next(iter(self._people)):
            return
        direct = None if room == self._room else key
        for heard in self._heard(events, direct):
            for listener in list(self._listeners):
                listener(heard)

    def _heard(self, events: Sequence[Mapping[str, Any]], direct: str | None) -> Iterator[Heard]:
        for event in events:
            content = event.get("content", {})
            if event.get("type") == "m.room.message" and "body" in content:
                yield self._as_heard(event, content, direct)

    def _as_heard(
        self, event: Mapping[str, Any], content: Mapping[str, Any], direct: str | None
    ) -> Heard:
        relation = content.get("m.relates_to", {})
        edit = relation.get("rel_type") == "m.replace"
        sender = event["sender"]
        name = self._names.get(sender.lstrip("@").partition(":")[0], sender)
        return Heard(
            ref=relation["event_id"] if edit else event["event_id"],
            at=datetime.fromtimestamp(event["origin_server_ts"] / 1000, UTC),
            room=self._texts.plain("demo.private", name=self._names[direct]) if direct else "team",
            author=name,
            text=content["m.new_content"]["body"] if edit else content["body"],
            by_bot=sender == self._bot,
            direct=direct,
            edit=edit,
        )
