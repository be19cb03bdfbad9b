"""What stands around the gateway in the tests: a core with a memory, a clock, a plain browser."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from bot.metrics import Metrics
from bot.web.app import make_app
from bot.web.gateway import Gateway
from bot.web.limits import Limits
from bot.web.readiness import Health, Part
from bot.web.waiting import Pace
from commands.visits import (
    ChatSilent,
    Door,
    Go,
    NotFound,
    Outcome,
    Press,
    Refused,
    View,
    Wait,
    WaitFor,
)

PUBLIC = "https://calls.example.org"
BBB = "https://bbb.example.org"
WAY_IN = f"{BBB}/bigbluebutton/api/join?fullName=Ana+Mart%C3%ADn&checksum=abc123"

PERSONAL = "personal-link-of-ana-1"
RECOGNISED = "channel-link-known-to1"
UNRECOGNISED = "channel-link-unknown-1"
GUEST = "guest-link-for-anyone1"
UNKNOWN = "nobody-ever-made-this1"

VIEWS = {
    PERSONAL: View(Door.PERSONAL, topic="Weekly stand-up", name="Ana Martín"),
    RECOGNISED: View(Door.RECOGNISED, topic="Weekly stand-up", name="Ana Martín", running=True),
    UNRECOGNISED: View(
        Door.UNRECOGNISED, topic="Weekly stand-up", channel="#team", back="https://chat.example.org"
    ),
    GUEST: View(Door.GUEST, topic="Weekly stand-up"),
}


class FakeJoining:
    """A core that remembers who pressed; guests wait for `started`, members for `server_up`."""

    def __init__(self) -> None:
        self.views = dict(VIEWS)
        self.started = False
        self.server_up = True
        self.chat_up = True
        self.full = False
        self.refusal: Refused | None = None
        self.sign_in: str | None = None
        self.way_in = WAY_IN
        self.looks: list[str] = []
        self.presses: list[Press] = []
        self.asked = 0

    def show(self, token: str, **changes: Any) -> None:
        """Change what a link shows."""
        self.views[token] = replace(self.views[token], **changes)

    async def look(self, token: str, cookie: str | None) -> View:
        self.looks.append(token)
        return self.views.get(token, View(Door.NOT_FOUND))

    async def press(self, press: Press) -> Outcome:
        self.presses.append(press)
        view = self.views.get(press.token)
        if view is None:
            return NotFound()
        return self._answer(view, press)

    def _answer(self, view: View, press: Press) -> Outcome:
        if not self.chat_up:
            return ChatSilent(view)
        if self.refusal:
            return replace(self.refusal, view=view)
        if not press.name and not view.name:
            return Refused("pages.refused.name", view, field="name")
        if view.consent and not press.consent:
            return Refused("pages.refused.consent", view, field="consent")
        if not self.server_up:
            return Wait(WaitFor.SERVER, view)
        if self.full:
            return Wait(WaitFor.PLACE, view)
        if view.door is Door.GUEST and not self.started:
            return Wait(WaitFor.START, view)
        return Go(self.way_in, self.sign_in if press.remember else None)

    async def ready(self, press: Press) -> bool:
        self.asked += 1
        return self.started and self.server_up and not self.full


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self._now

    def forward(self, **span: float) -> None:
        self._now += timedelta(**span)


@dataclass
class World:
    """One gateway with everything around it; `app()` makes it anew after a change."""

    joining: FakeJoining = field(default_factory=FakeJoining)
    clock: Clock = field(default_factory=Clock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    metrics: Metrics = field(default_factory=Metrics)
    health: Health = field(default_factory=lambda: Health(Part.OK, {"matrix": Part.OK}, Part.OK))
    public_url: str = PUBLIC
    origins: tuple[str, ...] = (BBB,)
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=lambda: Pace(every=0.02, rest=0.02, spread=0.02))

    def app(self) -> Starlette:
        return make_app(
            self.joining,
            public_url=self.public_url,
            origins=self.origins,
            trusted_proxies=self.trusted_proxies,
            clock=self.clock,
            stop=self.stop,
            parts=self._parts,
            metrics=self.metrics,
            zone="Europe/Paris",
            limits=self.limits,
            pace=self.pace,
        )

    async def _parts(self) -> Health:
        return self.health

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[str]:
        """The gateway on a real port of this machine; gives its address."""
        self.public_url = "http://127.0.0.1"
        gateway = Gateway(self.app(), host="127.0.0.1", port=port, stop=self.stop)
        await gateway.start()
        try:
            yield f"http://127.0.0.1:{gateway.port}"
        finally:
            await gateway.stop()


class Browser:
    """Opens pages and presses buttons, with cookies; what it sends can be forged."""

    def __init__(
        self,
        app: Starlette,
        *,
        base: str = PUBLIC,
        address: str = "198.51.100.7",
        language: str = "en",
    ) -> None:
        transport = httpx.ASGITransport(app, client=(address, 50000))
        said = {"Accept-Language": language}
        self.http = httpx.AsyncClient(transport=transport, base_url=base, headers=said)
        self.nonce = ""

    async def get(self, path: str) -> httpx.Response:
        answer = await self.http.get(path)
        found = re.search(r'name="nonce" value="([^"]*)"', answer.text)
        self.nonce = found[1] if found else self.nonce
        return answer

    async def open(self, token: str) -> httpx.Response:
        return await self.get(f"/j/{token}")

    async def press(
        self,
        token: str,
        fields: dict[str, str] | None = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send the form of the page opened last."""
        sent = {"nonce": self.nonce, **(fields or {})}
        said = {"Sec-Fetch-Site": "same-origin"} if headers is None else headers
        return await self.http.post(f"/j/{token}", data=sent, headers=said)

    async def open_and_press(self, token: str, **fields: str) -> httpx.Response:
        await self.open(token)
        return await self.press(token, fields)


def set_cookies(answer: httpx.Response) -> dict[str, list[str]]:
    """The cookies of an answer by name, each with its attributes in lower case, sorted."""
    lines = answer.headers.get_list("set-cookie")
    return {line.partition("=")[0]: _attributes(line.split(";")[1:]) for line in lines}


def _attributes(parts: Iterable[str]) -> list[str]:
    return sorted(part.strip().lower() for part in parts)
