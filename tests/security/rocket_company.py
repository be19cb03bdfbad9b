"""The same people in a Rocket.Chat: what the core asks of the chat is asked of a server."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.chat.rocketchat.emoji import SHORTNAMES
from commands.dispatch import Dispatcher
from commands.handlers.buttons import BUTTONS
from commands.ports import Policy
from storage.records import Channel, Command, Kind, Letter, Person
from tests.fakes.rocketchat import RocketChat, Room, User
from tests.fakes.rocketchat.faults import Faults
from tests.matrix.intake import Inbox
from tests.rocketchat.adapters import adapter_of
from tests.rocketchat.ticking import Ticking
from tests.security.company import NOW, Cast, Company, company

PLATFORM = "rocketchat"


@dataclass
class RocketCompany(Company):
    """`recast` puts new people into new rooms, so that one server does for many cells.

    Where there are threads, what is typed in the channel stands in one. `meanwhile` happens between
    the moment a command arrives and the moment it is carried out.
    """

    server: RocketChat = field(kw_only=True)
    bot: User = field(kw_only=True)
    inbox: Inbox = field(kw_only=True)
    thread: str | None = None
    meanwhile: Callable[[], object] = lambda: None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def recast(self, *, role: str = "", guest: bool = False) -> None:
        """Ana is a plain member of a new channel, or has this role of Rocket.Chat's there.

        `guest`: her account is a guest of the workspace.
        """
        number = next(self._numbers)
        ana, bo, host = (
            self.server.add_user(f"{name}-{number}", roles=roles, name=name.title())
            for name, roles in (
                ("ana", ("guest",) if guest else ("user",)),
                ("bo", ("user",)),
                ("host", ("user",)),
            )
        )
        people = (host, ana, bo, self.bot)
        room = self.server.add_room(f"team-{number}", kind="p", owner=host, members=people)
        if role:
            self.server.set_role(ana, room, role)
        direct = self.server.add_room(kind="d", owner=ana, members=(ana, self.bot))
        if self.server.settings["Threads_enabled"]:
            self.thread = self.server.say(host, room, "Let us talk about this.")["_id"]
        self.cast = Cast(
            Channel(PLATFORM, room.id),
            Channel(PLATFORM, direct.id),
            *(Person(PLATFORM, user.id) for user in (ana, bo, host)),
            self._with_buttons(room, "A call."),
        )

    def _with_buttons(self, room: Room, text: str) -> str:
        """A message of the bot to press something under; its id."""
        ref = str(self.server.say(self.bot, room, text)["_id"])
        for key in BUTTONS:
            self.server.react(self.bot, ref, SHORTNAMES[key])
        return ref

    @property
    def faults(self) -> Faults:
        return self.server.faults

    @property
    def ana(self) -> User:
        return self._user(self.cast.ana)

    @property
    def room(self) -> Room:
        return self.server.room(self.cast.channel.id)

    async def types(
        self,
        text: str,
        by: Person,
        *,
        channel: Channel | None = None,
        kind: Kind = Kind.MESSAGE,
        target: str | None = None,
    ) -> list[Letter]:
        """It is typed or pressed at the server, comes in by the adapter, and is run to its end."""
        user, room = self._user(by), self.server.room((channel or self.cast.channel).id)
        if kind is Kind.REACTION:
            if room.kind == "d":  # there are no cards in a direct message
                target = self._with_buttons(room, "A hello.")
            assert target is not None
            self.server.react(user, target, SHORTNAMES[text])
        else:
            line = text.replace("@bo:here.example", f"@{self._user(self.cast.bo).username}")
            tmid = self.thread if room is self.room else None
            target = self.server.say(user, room, f"!bbb {line}", tmid)["_id"]
        command = await self._heard(target, by)
        self.meanwhile()
        await self.world.store.accept(PLATFORM, None, [command])
        return await Dispatcher(self.world).run(command)

    async def _heard(self, ref: str, by: Person) -> Command:
        """The command that this message or a press on it came to."""

        def found(inbox: Inbox) -> list[Command]:
            return [one for one in inbox.commands if (one.origin, one.person) == (ref, by)]

        await self.inbox.until(lambda inbox: bool(found(inbox)))
        return replace(found(self.inbox)[0], attempts=1)

    def _user(self, person: Person) -> User:
        return self.server.state.users[person.id]


@asynccontextmanager
async def rocket_company(
    directory: Path, policy: Policy, *, threads: bool
) -> AsyncIterator[RocketCompany]:
    """A server with threads or without, and the bot on it; nobody is there until `recast`."""
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(company(directory, policy))
        server = await stack.enter_async_context(RocketChat(clock=Ticking(lambda: NOW)))
        server.settings["Threads_enabled"] = threads
        bot = server.add_user("bbb", roles=("bot", "user"), name="BBB")
        adapter = adapter_of(server, bot)
        inbox = Inbox()
        stack.push_async_callback(adapter.stop)
        await adapter.start(inbox)
        plain.world.chats[PLATFORM] = adapter  # type: ignore[index]
        yield RocketCompany(
            plain.world,
            plain.chat,
            plain.store,
            plain.line,
            plain.bbb,
            server=server,
            bot=bot,
            inbox=inbox,
        )
