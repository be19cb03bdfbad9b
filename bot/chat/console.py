"""A chat on this machine, for the terminal and the demo: channels and people kept in memory.

It is an adapter like the others: it posts, edits and answers who may do what, and holds no call
logic. Windows onto it (a terminal, a web page) say things as somebody and listen for what is said.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.chat.base import Intake, Mode
from commands.errors import ChatRefused
from commands.grammar import addressed
from commands.messages import Document
from commands.ports import Clock, Membership, Outgoing, Rights
from storage.records import Channel, Command, Kind, Person

PLATFORM = "console"
BOT = "bbb-bot"


@dataclass(frozen=True, slots=True)
class Posted:
    """One message of the local chat. `edited` counts edits, `reactions` are keys offered."""

    ref: str
    channel: str
    author: str
    document: Document | None
    text: str
    at: datetime
    reply_to: str | None = None
    edited: int = 0
    reactions: tuple[str, ...] = ()


@dataclass(slots=True)
class LocalChannel:
    """A channel or a direct message. `admins` are members who may do more."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    admins: set[str] = field(default_factory=set)
    direct: bool = False
    banned: set[str] = field(default_factory=set)


class LocalChat:
    """The `console` platform. People and channels are made by whoever runs it."""

    platform = PLATFORM

    def __init__(self, *, clock: Clock, prefixes: Sequence[str], web: str | None = None) -> None:
        """`web` is the address people come back to after a call."""
        self._clock = clock
        self._prefixes = tuple(prefixes)
        self._web = web
        self._intake: Intake | None = None
        self._counter = itertools.count(1)
        self._sent: dict[str, str] = {}
        self._listeners: list[Callable[[Posted], None]] = []
        self.people: dict[str, str] = {}
        self.channels: dict[str, LocalChannel] = {}
        self.posts: dict[str, Posted] = {}

    # --- the people in it

    def add_person(self, person_id: str, name: str) -> Person:
        self.people[person_id] = name
        return Person(PLATFORM, person_id)

    def add_channel(
        self, channel_id: str, name: str, members: Sequence[str], *, admins: Sequence[str] = ()
    ) -> Channel:
        self.channels[channel_id] = LocalChannel(channel_id, name, set(members), set(admins))
        return Channel(PLATFORM, channel_id)

    def direct_channel(self, person_id: str) -> str:
        """The direct message between a person and the bot, made if need be."""
        channel_id = f"dm:{person_id}"
        if channel_id not in self.channels:
            self.channels[channel_id] = LocalChannel(
                channel_id, BOT, {person_id}, {person_id}, direct=True
            )
        return channel_id

    def listen(self, heard: Callable[[Posted], None]) -> Callable[[], None]:
        """Call `heard` for every message posted or edited; gives how to stop that."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    async def says(self, person_id: str, channel_id: str, text: str) -> str:
        """A person says something in a channel they are in; gives the message's id.

        Raises ChatRefused for somebody who is not in the channel.
        """
        channel = self.channels.get(channel_id)
        if channel is None or person_id not in channel.members:
            raise ChatRefused("not in this channel")
        ref = self._ref()
        self._post(Posted(ref, channel_id, person_id, None, text, self._clock()))
        line = addressed(
            text.replace(f"@{BOT}", "", 1) if text.startswith(f"@{BOT}") else text,
            prefixes=self._prefixes,
            direct=channel.direct,
            mentioned=text.startswith(f"@{BOT}"),
        )
        if line is not None:
            await self._receive(ref, person_id, channel, Kind.MESSAGE, line)
        return ref

    async def presses(self, person_id: str, ref: str, key: str) -> None:
        """A person puts a reaction on a message."""
        channel = self.channels[self.posts[ref].channel]
        await self._receive(self._ref(), person_id, channel, Kind.REACTION, key, target=ref)

    async def invites_bot(self, channel_id: str, person_id: str) -> None:
        """The bot comes into a channel."""
        channel = self.channels[channel_id]
        await self._receive(self._ref(), person_id, channel, Kind.WELCOME, "")

    async def _receive(
        self,
        ref: str,
        person_id: str,
        channel: LocalChannel,
        kind: Kind,
        text: str,
        target: str | None = None,
    ) -> None:
        if self._intake is None:
            return
        command = Command(
            id=f"{PLATFORM}:{ref}",
            kind=kind,
            channel=Channel(PLATFORM, channel.id),
            person=Person(PLATFORM, person_id),
            text=text,
            origin=ref,
            sent_at=self._clock(),
            direct=channel.direct,
            target=target,
        )
        await self._intake.accept(PLATFORM, None, [command])

    def _ref(self) -> str:
        return f"{int(self._clock().timestamp() * 1000):x}-{next(self._counter)}"

    def _post(self, post: Posted) -> None:
        self.posts[post.ref] = post
        for heard in list(self._listeners):
            heard(post)

    # --- Adapter

    async def start(self, intake: Intake) -> None:
        self._intake = intake

    async def stop(self) -> None:
        self._intake = None

    @property
    def mode(self) -> Mode:
        return Mode.LIVE if self._intake else Mode.DOWN

    @property
    def trouble(self) -> str | None:
        return None

    async def send(self, message: Outgoing) -> str:
        if message.id in self._sent:
            return self._sent[message.id]
        if message.channel not in self.channels:
            raise ChatRefused("no such channel")
        ref = self._sent[message.id] = self._ref()
        buttons = message.document.buttons
        self._post(
            Posted(
                ref,
                message.channel,
                BOT,
                message.document,
                "",
                self._clock(),
                message.reply_to,
                reactions=buttons,
            )
        )
        return ref

    async def edit(self, ref: str, message: Outgoing) -> None:
        post = self.posts.get(ref)
        if post is None:
            raise ChatRefused("no such message")
        self._post(replace(post, document=message.document, edited=post.edited + 1))

    async def react(self, channel: str, ref: str, key: str) -> None:
        if post := self.posts.get(ref):
            self._post(replace(post, reactions=(*post.reactions, key)))

    async def rights_of(self, person: Person, channel: Channel) -> Rights:
        found = self.channels.get(channel.id)
        if found is None or person.id not in found.members:
            banned = found is not None and person.id in found.banned
            return Rights(Membership.BANNED if banned else Membership.LEFT)
        return Rights(Membership.JOINED, admin=person.id in found.admins)

    async def open_dm(self, person: Person) -> str:
        return self.direct_channel(person.id)

    async def is_dm(self, channel: str) -> bool:
        found = self.channels.get(channel)
        return found is not None and found.direct

    async def display_name(self, person: Person) -> str | None:
        return self.people.get(person.id)

    async def find_person(self, word: str, channel: Channel) -> Person | None:
        wanted = word.lstrip("@").casefold()
        for person_id, name in self.people.items():
            if wanted in (person_id.casefold(), name.casefold()):
                return Person(PLATFORM, person_id)
        return None

    async def topic_of(self, channel: Channel) -> str | None:
        found = self.channels.get(channel.id)
        return found.name if found else None

    async def language_of(self, channel: Channel) -> str | None:
        return None

    def web_address(self, channel: Channel) -> str | None:
        return self._web

    async def shared_channels(self, one: Person, other: Person) -> bool:
        return any({one.id, other.id} <= c.members for c in self.channels.values())
