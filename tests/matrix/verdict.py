"""Reads every timeline to its beginning, decrypts it, and counts the answers of each command."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from nio import MegolmEvent
from nio.exceptions import EncryptionError

from tests.matrix.client import Visitor, answered_by
from tests.matrix.peer import Peer

KEYS_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Hall:
    """A room in which commands are asked."""

    room: str
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the timelines show; `lost` and `doubled` are commands by event id.

    `texts` are all that was ever answered: of one command repeated, it should be one text.
    `unreadable` counts answers the observer could not decrypt, `in_clear` those that needed no
    decryption in an encrypted room.
    """

    asked: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    texts: frozenset[str]
    unreadable: int
    in_clear: int
    exit_code: int


@dataclass(slots=True)
class Reader:
    """The observer: a device that has the keys, and its plain HTTP view of the rooms."""

    device: Peer
    pages: Visitor
    texts: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    in_clear: int = 0

    async def judge(
        self, halls: Iterable[Hall], bot: str, asked: Mapping[str, Hall], exit_code: int
    ) -> Verdict:
        """Count all answers of `bot` to the commands `asked`."""
        timelines = [(hall, await self.pages.timeline(hall.room)) for hall in halls]
        answers = [
            (hall, event)
            for hall, events in timelines
            for event in events
            if event["sender"] == bot and answered_by(event) in asked
        ]
        await self._fetch_keys(answers)
        for hall, event in answers:
            self._read(hall, event)
        times = Counter(answered_by(event) for _, event in answers)
        return Verdict(
            asked=len(asked),
            lost=tuple(command for command in asked if not times[command]),
            doubled=tuple(command for command in asked if times[command] > 1),
            texts=frozenset(self.texts),
            unreadable=self.unreadable,
            in_clear=self.in_clear,
            exit_code=exit_code,
        )

    async def _fetch_keys(self, answers: list[tuple[Hall, dict[str, Any]]]) -> None:
        """Sync until every answer can be read, or for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(KEYS_SECONDS):
                while any(self._clear(hall, event) is None for hall, event in answers):
                    await self.device.turn()

    def _read(self, hall: Hall, event: dict[str, Any]) -> None:
        if hall.encrypted and event["type"] == "m.room.message":
            self.in_clear += 1
        content = self._clear(hall, event)
        if content is None:
            self.unreadable += 1
        else:
            self.texts[str(content.get("body"))] += 1

    def _clear(self, hall: Hall, event: dict[str, Any]) -> dict[str, Any] | None:
        """The content in clear; None while the key is not there."""
        if event["type"] == "m.room.encrypted":
            try:
                parsed = MegolmEvent.parse_event(event)
                event = self.device.client.olm.decrypt_megolm_event(parsed, hall.room).source
            except EncryptionError:
                return None
        content: dict[str, Any] = event["content"]
        return content
