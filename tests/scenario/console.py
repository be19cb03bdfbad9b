"""The local chat as a stage: people in memory, everything at once."""

import itertools
from collections.abc import Sequence

from bot.chat.console import BOT, PLATFORM, LocalChat
from bot.jobs.inbox import Inbox
from commands.messages import plain
from storage.records import Channel, Command, Kind, Person
from tests.scenario.scene import OTHER, PEOPLE, TEAM, Clock, Seen


class ConsoleStage:
    platform = PLATFORM

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._inbox: Inbox | None = None
        self._numbers = itertools.count(1)
        self.chat = LocalChat(clock=clock, prefixes=("!bbb",), web="http://127.0.0.1/chat")
        for person_id, name in PEOPLE.items():
            self.chat.add_person(person_id, name)
        self.chat.add_channel(TEAM, "Team", ["alice", "bob"], admins=["alice"])
        self.chat.add_channel(OTHER, "Other", ["alice", "bob", "carol"])
        self.chat.add_person("mallory", "Mallory")

    async def open(self, inbox: Inbox) -> None:
        self._inbox = inbox
        await self.chat.start(inbox)

    async def says(self, who: str, where: str, text: str) -> str:
        return await self.chat.says(who, where, text)

    async def utters(self, who: str, where: str, text: str) -> str:
        return await self.chat.says(who, where, text)

    async def presses(self, who: str, ref: str, key: str) -> None:
        await self.chat.presses(who, ref, key)

    async def messages(self, where: str) -> Sequence[Seen]:
        return [
            Seen(post.ref, plain(post.document), post.edited)
            for post in self.chat.posts.values()
            if post.channel == where and post.author == BOT and post.document is not None
        ]

    def posted(self) -> list[tuple[str, str]]:
        return [
            (post.channel, plain(post.document))
            for post in self.chat.posts.values()
            if post.author == BOT and post.document is not None
        ]

    async def direct(self, who: str) -> str:
        return self.chat.direct_channel(who)

    async def removes(self, who: str, where: str) -> None:
        self.chat.channels[where].members.discard(who)

    async def welcomes_bot(self, where: str) -> None:
        await self.chat.invites_bot(where, "alice")

    async def removes_bot(self, where: str) -> None:
        await self._tell(Kind.GONE, where)

    async def invites_bot(self, where: str) -> None:
        await self.chat.invites_bot(where, "alice")

    async def replaces(self, where: str, by: str) -> None:
        self.chat.add_channel(by, "Team", ["alice", "bob"], admins=["alice"])
        await self._tell(Kind.GONE, where, target=by)
        await self._tell(Kind.WELCOME, by, target=where)

    async def _tell(self, kind: Kind, where: str, target: str | None = None) -> None:
        """The inbox hears what the local chat never does by itself."""
        if self._inbox is None:
            raise ValueError("not opened")
        event = f"change-{next(self._numbers)}"
        command = Command(
            id=f"{PLATFORM}:{event}",
            kind=kind,
            channel=self.channel(where),
            person=self.person("alice"),
            text="",
            origin=event,
            sent_at=self._clock(),
            target=target,
        )
        await self._inbox.accept(PLATFORM, None, [command])

    async def renames(self, who: str, name: str) -> None:
        self.chat.people[who] = name

    def channel(self, where: str) -> Channel:
        return Channel(PLATFORM, where)

    def person(self, who: str) -> Person:
        return Person(PLATFORM, who)

    def mention(self, who: str) -> str:
        return f"@{who}"
