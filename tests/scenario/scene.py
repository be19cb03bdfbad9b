"""A whole bot with a clock that only moves when told: people say things, links are pressed.

`Scene` is what scenarios use; a `Stage` (console, Matrix) says how people talk on one platform.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qsl

import httpx

from bot.core import Bot
from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.state import Seat
from commands.dispatch import Dispatcher
from commands.visits import Go, Outcome, Press
from storage.records import Channel, Command, Kind, Person
from storage.store import Store

TEAM = "#team"
OTHER = "#other"
STEP = timedelta(seconds=10)
PEOPLE = {"alice": "Alice Martin", "bob": "Bob Keller", "carol": "Carol Dubois"}
"""Alice is the admin of #team, Bob a member; Carol is in #other with them, but not in #team.
Mallory shares no channel with anybody."""

_LINK = re.compile(r"/j/([A-Za-z0-9_-]{22})")


class Clock:
    """Time stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now


class Stage(Protocol):
    """One platform's people and channels, for scenarios."""

    platform: str

    async def says(self, who: str, where: str, text: str) -> str:
        """Say something; return its id when the bot has accepted what it accepts of it."""

    async def utters(self, who: str, where: str, text: str) -> str:
        """Say something that is not for the bot; its id."""

    async def presses(self, who: str, ref: str, key: str) -> None: ...

    async def messages(self, where: str) -> Sequence[Seen]:
        """What the bot posted in a channel or direct message, oldest first, as it shows now."""

    def posted(self) -> list[tuple[str, str]]:
        """All that the bot ever posted, wherever, as it shows now: where, and what."""

    async def direct(self, who: str) -> str:
        """The direct channel of a person and the bot, opened."""

    async def removes(self, who: str, where: str) -> None: ...

    async def welcomes_bot(self, where: str) -> None:
        """The bot is invited into a channel (again)."""

    async def removes_bot(self, where: str) -> None:
        """The bot is made to go."""

    async def invites_bot(self, where: str) -> None:
        """The bot, which is not in a channel, is invited into it."""

    async def replaces(self, where: str, by: str) -> None:
        """A new channel takes the place of one, with its people and the bot."""

    async def renames(self, who: str, name: str) -> None:
        """A person takes another display name; "" takes it away."""

    def channel(self, where: str) -> Channel: ...

    def person(self, who: str) -> Person: ...

    def mention(self, who: str) -> str:
        """How this person is named in a command."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the bot as it shows now. `edits` counts how often it was changed."""

    ref: str
    text: str
    edits: int = 0


class Scene:
    """A bot, a BBB server, people in a chat."""

    def __init__(self, bot: Bot, bbb: SimulatedBBB, line: Line, clock: Clock, stage: Stage) -> None:
        self.bot = bot
        self.bbb = bbb
        self.line = line
        self.clock = clock
        self.stage = stage
        self._before: dict[str, int] = {}

    async def begin(self) -> None:
        """What was said until now is the past."""
        await self.settle()
        for where in (TEAM, OTHER):
            self._before[where] = len(await self.stage.messages(where))

    async def says(self, who: str, text: str, where: str = TEAM) -> str:
        """Somebody types; the bot does all that follows now."""
        ref = await self.stage.says(who, where, text)
        await self.settle()
        return ref

    async def says_directly(self, who: str, text: str) -> str:
        return await self.says(who, text, await self.stage.direct(who))

    async def presses(self, who: str, seen: Seen, key: str = "▶") -> None:
        await self.stage.presses(who, seen.ref, key)
        await self.settle()

    async def settle(self) -> None:
        await self.bot.settle()

    async def forward(self, **span: float) -> None:
        """Let time pass in steps of 10 s, with all that falls due on the way."""
        until = self.clock.now + timedelta(**span)
        while self.clock.now < until:
            self.clock.now = min(until, self.clock.now + STEP)
            await self.settle()

    async def seen(self, where: str = TEAM) -> list[Seen]:
        return list(await self.stage.messages(where))[self._before.get(where, 0) :]

    async def hellos(self) -> int:
        """How often the bot greeted the team, ever."""
        texts = [message.text for message in await self.stage.messages(TEAM)]
        return len([text for text in texts if text.startswith("Hello!")])

    async def said(self, where: str = TEAM) -> list[str]:
        """The texts the bot shows in a channel now."""
        return [message.text for message in await self.seen(where)]

    async def last(self, where: str = TEAM) -> str:
        return (await self.said(where))[-1]

    async def told(self, who: str) -> list[str]:
        """What the bot wrote to a person directly."""
        where = await self.stage.direct(who)
        await self.settle()
        return [text for text in await self.said(where) if not text.startswith("Hello!")]

    async def press(
        self,
        text: str,
        *,
        name: str | None = None,
        cookie: str | None = None,
        remember: bool = False,
        consent: bool = False,
    ) -> Outcome:
        """Press the button behind the link in a text; who gets through arrives at BBB."""
        press = Press(link_in(text), cookie, name, remember, consent)
        outcome = await self.bot.joining.press(press)
        if isinstance(outcome, Go):
            await self._arrive(outcome.url)
        await self.settle()
        return outcome

    async def _arrive(self, url: str) -> None:
        """A browser of its own follows the join to the page of the call."""
        async with httpx.AsyncClient(transport=self.line, follow_redirects=True) as browser:
            (await browser.get(url)).raise_for_status()

    def same_link(self, one: str, other: str) -> bool:
        return link_in(one) == link_in(other)

    # --- the video server

    async def inside(self) -> dict[str, str]:
        """Who is in any call at BBB, by name: moderator, viewer or guest."""
        return {
            attendee.name: attendee.role_in_words
            for meeting in self.bbb.state.meetings()
            for attendee in meeting.inside
            if not meeting.is_over
        }

    async def leaves(self, name: str) -> None:
        """Somebody leaves the call at BBB."""
        state = self.bbb.state
        for meeting in state.meetings():
            for attendee in meeting.inside:
                if attendee.name == name:
                    state.leave(Seat(meeting, attendee))

    def sent_to_bbb(self, call: str) -> dict[str, str]:
        """The parameters of the newest request of this call."""
        queries = [request for request in self.line.requests if request.path.endswith(f"/{call}")]
        return dict(parse_qsl(queries[-1].query.decode(), keep_blank_values=True))

    def break_bbb(self, how: str, *, once: bool = False) -> None:
        """`down`: no connection; `lost-reply`: done, but not answered; `wrong-secret`."""
        if how == "wrong-secret":
            self.bbb.state.secret = "another secret"
        else:
            self.line.fault, self.line.once = how, once

    def break_bbb_on(self, call: str, how: str) -> None:
        """The same for one call only."""
        self.line.fault, self.line.only = how, call

    def mend_bbb(self) -> None:
        self.line.fault = None

    # --- the configuration

    def admin(self, who: str) -> None:
        """Name somebody as an admin of the bot."""
        named = frozenset({self.stage.person(who)})
        object.__setattr__(self.bot.world.policy, "admins", named)

    # --- crashes and repeats

    async def command(self, who: str, text: str) -> Command:
        """What an adapter would hand on for a message in the team's channel."""
        event = await self.stage.utters(who, TEAM, "(said without the bot)")
        return Command(
            id=f"{self.stage.platform}:{event}",
            kind=Kind.MESSAGE,
            channel=self.stage.channel(TEAM),
            person=self.stage.person(who),
            text=text,
            origin=event,
            sent_at=self.clock.now,
        )

    async def arrives(self, command: Command) -> None:
        await self.bot.inbox.accept(self.stage.platform, None, [command])
        await self.settle()

    async def run_and_crash(self, command: Command) -> None:
        """Carry a command out up to the moment before its end would be kept."""
        store = self.bot.world.store
        await store.accept(self.stage.platform, None, [replace(command, attempts=1)])
        crashing = replace(self.bot.world, store=Crashing(store))
        with suppress(Crash):
            await Dispatcher(crashing).run(replace(command, attempts=1))


class Crash(BaseException):
    """The process dies here."""


class Crashing:
    """A store whose process dies when a command's end should be kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def finish(self, *_: object, **__: object) -> None:
        raise Crash


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that reached the video server."""

    path: str
    query: bytes


class Line(httpx.AsyncBaseTransport):
    """The line to the simulated server; it can be cut, before or after the work is done."""

    def __init__(self, bbb: SimulatedBBB) -> None:
        self._inner = httpx.ASGITransport(app=bbb.app)
        self.requests: list[Asked] = []
        self.fault: str | None = None
        self.once = False
        self.only = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith(self.only):
            self.requests.append(Asked(request.url.path, request.url.query))
            return await self._inner.handle_async_request(request)
        fault, self.fault = self.fault, None if self.once else self.fault
        if fault == "down":
            raise httpx.ConnectError("refused")
        self.requests.append(Asked(request.url.path, request.url.query))
        answer = await self._inner.handle_async_request(request)
        if fault == "lost-reply":
            raise httpx.ReadError("cut")
        return answer


def link_in(text: str) -> str:
    """The id of the first link of ours in a text."""
    found = _LINK.search(text)
    if found is None:
        raise AssertionError(f"no link in {text!r}")
    return found[1]
