"""People, a chat that says of them what a test wants, a real store, a simulated video server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.demo.bbb import SimulatedBBB
from commands.dispatch import Dispatcher
from commands.errors import ChatUnavailable
from commands.grammar import addressed
from commands.links import Links
from commands.ports import Membership, Outgoing, Policy, Rights
from commands.world import Limiters, World
from storage.open import open_store
from storage.records import Channel, Command, Kind, Letter, Person
from storage.store import Store
from tests import canary
from tests.scenario.scene import Line

PLATFORM = "matrix"
TEAM = Channel(PLATFORM, "!team:here.example")
DIRECT = Channel(PLATFORM, "!direct:here.example")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

ANA = Person(PLATFORM, "@ana:here.example")
NAMESAKE = Person(PLATFORM, "@ana:elsewhere.example")
BO = Person(PLATFORM, "@bo:here.example")
HOST = Person(PLATFORM, "@host:here.example")


@dataclass
class FakeChat:
    """Says of people what it was told; `silent`: it cannot be asked at all."""

    platform: str = PLATFORM
    rights: dict[tuple[Person, Channel], Rights] = field(default_factory=dict)
    names: dict[Person, str] = field(default_factory=dict)
    topic: str = "Team"
    silent: bool = False
    sent: list[Outgoing] = field(default_factory=list)

    def _asked(self) -> None:
        if self.silent:
            raise ChatUnavailable("the chat is silent")

    async def rights_of(self, person: Person, channel: Channel) -> Rights:
        self._asked()
        return self.rights.get((person, channel), Rights(Membership.LEFT))

    async def send(self, message: Outgoing) -> str:
        self._asked()
        self.sent.append(message)
        return f"$sent-{len(self.sent)}"

    async def open_dm(self, person: Person) -> str:
        self._asked()
        return DIRECT.id

    async def is_dm(self, channel: str) -> bool:
        self._asked()
        return channel == DIRECT.id

    async def display_name(self, person: Person) -> str | None:
        self._asked()
        return self.names.get(person)

    async def find_person(self, word: str, channel: Channel) -> Person | None:
        self._asked()
        return Person(PLATFORM, word) if ":" in word else None

    async def topic_of(self, channel: Channel) -> str | None:
        self._asked()
        return self.topic

    async def language_of(self, channel: Channel) -> str | None:
        self._asked()
        return None

    def web_address(self, channel: Channel) -> str | None:
        return "https://chat.example.org"

    async def shared_channels(self, one: Person, other: Person) -> bool:
        self._asked()
        return True


class Watched:
    """A store that remembers which of its methods that write were called."""

    READS = frozenset(
        {
            "room",
            "rooms_in",
            "default_room",
            "personal_room",
            "room_changed_by",
            "invited_to",
            "call_rooms_of",
            "meeting",
            "live_meeting",
            "last_meeting",
            "live_meetings",
            "meeting_by_cause",
            "link",
            "newest_link",
            "people_in_browser",
            "channel",
            "person",
            "person_by_pseudonym",
            "card",
            "card_by_ref",
            "dead_letters",
            "dead_commands",
            "letter_counts",
            "meeting_ended_by",
            "position",
            "waiting",
        }
    )

    def __init__(self, store: Store) -> None:
        self._store = store
        self.writes: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name not in self.READS:
            self.writes.append(name)
        return getattr(self._store, name)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is who, and where: Ana is asked about. `card` is the message of a call's card."""

    channel: Channel = TEAM
    direct: Channel = DIRECT
    ana: Person = ANA
    bo: Person = BO
    host: Person = HOST
    card: str = "$card"


@dataclass
class Company:
    """One bot's core with everything around it."""

    world: World
    chat: FakeChat
    store: Watched
    line: Line
    bbb: SimulatedBBB
    cast: Cast = Cast()
    _commands: int = 0

    async def types(
        self,
        text: str,
        by: Person,
        *,
        channel: Channel = TEAM,
        kind: Kind = Kind.MESSAGE,
        target: str | None = None,
    ) -> list[Letter]:
        """A command arrives and is run to its end; what it has to say."""
        self._commands += 1
        ref = f"${self._commands}"
        command = Command(
            id=f"{PLATFORM}:{ref}",
            kind=kind,
            channel=channel,
            person=by,
            text=text,
            origin=ref,
            sent_at=self.world.clock(),
            direct=channel == DIRECT,
            target=target,
            attempts=1,
        )
        await self.world.store.accept(PLATFORM, None, [command])
        return await Dispatcher(self.world).run(command)

    async def says(self, text: str, by: Person, *, channel: Channel = TEAM) -> list[Letter]:
        """A message; run when it is for the bot."""
        line = addressed(
            text, prefixes=self.world.policy.prefixes, direct=channel == DIRECT, mentioned=False
        )
        return [] if line is None else await self.types(line, by, channel=channel)


@asynccontextmanager
async def company(directory: Path, policy: Policy) -> AsyncIterator[Company]:
    """Open a store in `directory`; nobody is in any channel yet."""
    chat = FakeChat()
    bbb = SimulatedBBB(canary.BBB_SECRET, now=lambda: NOW, public_url="http://bbb.example")
    line = Line(bbb)
    client = Client(
        name="one",
        url="http://bbb.example/bigbluebutton/api/",
        secrets=[canary.BBB_SECRET],
        bot_version="test",
        transport=line,
    )
    servers = ServerPool({"one": client}, chosen="one", origins=["http://bbb.example"])
    store = Watched(await open_store(directory))
    world = World(
        store=store,  # type: ignore[arg-type]
        chats={PLATFORM: chat},  # type: ignore[dict-item]
        servers=servers,
        links=Links(canary.LINK_KEY, policy.public_url),
        clock=lambda: NOW,
        random=_counted(),
        policy=policy,
        pseudonym_key=canary.PSEUDONYM_KEY,
        limiters=Limiters(policy.limits),
    )
    try:
        yield Company(world, chat, store, line, bbb)
    finally:
        await servers.close()
        await store.close()


def _counted() -> Any:
    """Random bytes that are the same in every run."""
    numbers = iter(range(1, 10**6))
    return lambda size: next(numbers).to_bytes(size, "big")


def keys(letters: list[Letter]) -> list[str]:
    """The text keys of what is said."""
    return [phrase[0] for letter in letters for phrase in letter.content["phrases"]]
