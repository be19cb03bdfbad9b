"""A chat on paper: what people said and what the bot posted are two files that outlive any process.

Like a real chat it gives again what came after the position the bot kept, and takes a message once
per id. `Paper` is the pen of the tests, `PaperChat` the bot's adapter.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.chat.base import Intake
from bot.chat.console import PLATFORM, LocalChat
from commands.messages import plain
from commands.ports import Clock, Outgoing
from storage.records import Channel, Command, Kind, Person

PEOPLE = ("ada", "bo")


def _lines(file: Path, start: int = 0) -> list[tuple[dict[str, Any], int]]:
    """Each line from the byte `start` on, with the byte that follows it."""
    if not file.exists():
        return []
    with file.open("rb") as paper:
        paper.seek(start)
        read = []
        for line in paper:
            start += len(line)
            read.append((json.loads(line), start))
        return read


def _add(file: Path, **line: Any) -> None:
    """In one write: a process that dies has written all of it or nothing."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
    finally:
        os.close(handle)


@dataclass(slots=True)
class Paper:
    """Both files, in one directory."""

    directory: Path
    asked: list[str] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def said(self) -> Path:
        return self.directory / "said.jsonl"

    @property
    def posted(self) -> Path:
        return self.directory / "posted.jsonl"

    def say(self, channel: str, text: str) -> str:
        """Ada types a command; gives its id."""
        ref = f"said-{next(self._numbers)}"
        now = datetime.now(UTC).isoformat()
        _add(self.said, ref=ref, channel=channel, text=text, at=now)
        self.asked.append(ref)
        return ref

    def posts(self) -> list[dict[str, Any]]:
        """All that the bot posted and did not edit, oldest first."""
        return [line for line, _ in _lines(self.posted) if "edits" not in line]

    def shown(self, post_id: str) -> str:
        """What a post says now."""
        edited = [line for line, _ in _lines(self.posted) if line.get("edits") == post_id]
        first = [line for line in self.posts() if line["id"] == post_id]
        return str((edited or first)[-1]["text"])

    def answers(self) -> Counter[str]:
        """How many answers each command has."""
        return Counter(post["reply_to"] for post in self.posts() if post["reply_to"])

    def answer(self, ref: str) -> str:
        """What the only answer to a command says now."""
        [post] = [post for post in self.posts() if post["reply_to"] == ref]
        return self.shown(post["id"])

    def lost(self) -> list[str]:
        answers = self.answers()
        return [ref for ref in self.asked if not answers[ref]]

    def answered_twice(self) -> list[str]:
        answers = self.answers()
        return [ref for ref in self.asked if answers[ref] > 1]

    def posts_in(self, channel: str) -> list[str]:
        return [post["text"] for post in self.posts() if post["channel"] == channel]


class PaperChat(LocalChat):
    """The adapter. `all_read` when everything said is in the inbox."""

    def __init__(self, paper: Paper, clock: Clock) -> None:
        super().__init__(clock=clock, prefixes=("!bbb",))
        self._paper = paper
        self._taken = {post["id"] for post in paper.posts()}
        self._reading: asyncio.Task[None] | None = None
        self.all_read = False
        for person in PEOPLE:
            self.add_person(person, person.title())
        for channel in {line["channel"] for line, _ in _lines(paper.said)}:
            self.add_channel(channel, channel, PEOPLE, admins=["ada"])

    async def start(self, intake: Intake) -> None:
        await super().start(intake)
        position = int(await intake.position(PLATFORM) or 0)
        self._reading = asyncio.create_task(self._read(intake, position))

    async def _read(self, intake: Intake, position: int) -> None:
        """One command at a time: the bot answers while it reads on."""
        for line, after in _lines(self._paper.said, position):
            await intake.accept(PLATFORM, str(after), [_command(line)])
        self.all_read = True

    async def stop(self) -> None:
        if self._reading:
            self._reading.cancel()
        await super().stop()

    async def send(self, message: Outgoing) -> str:
        if message.id not in self._taken:
            self._write(message)
            self._taken.add(message.id)
        return message.id

    async def edit(self, ref: str, message: Outgoing) -> None:
        self._write(message, edits=ref)

    def _write(self, message: Outgoing, **more: str) -> None:
        _add(
            self._paper.posted,
            id=message.id,
            channel=message.channel,
            text=plain(message.document),
            reply_to=message.reply_to,
            **more,
        )


def _command(line: dict[str, Any]) -> Command:
    return Command(
        id=f"{PLATFORM}:{line['ref']}",
        kind=Kind.MESSAGE,
        channel=Channel(PLATFORM, line["channel"]),
        person=Person(PLATFORM, "ada"),
        text=line["text"],
        origin=line["ref"],
        sent_at=datetime.fromisoformat(line["at"]),
    )
