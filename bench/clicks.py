"""Clicks at a gateway: at a steady pace, or as many as it takes; how long each one took."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import aiohttp

from bench.figures import milliseconds, percentile

NONCE = "n" * 22
"""Sent as cookie and as field: a browser would have both from the page before."""

Click = Callable[[], Awaitable[int]]
"""One click; gives the HTTP status."""


@dataclass(slots=True)
class Clicked:
    """Seconds of each click, in the order they began; `wrong` counts unexpected answers."""

    seconds: list[float] = field(default_factory=list)
    wrong: int = 0

    async def one(self, click: Click, *, wanted: int) -> None:
        began = time.monotonic()
        status = await click()
        self.seconds.append(time.monotonic() - began)
        self.wrong += status != wanted

    def figures(self, name: str) -> dict[str, float]:
        return {
            f"{name}_p50_ms": milliseconds(percentile(self.seconds, 50)),
            f"{name}_p99_ms": milliseconds(percentile(self.seconds, 99)),
        }


async def steadily(
    clicks: Iterator[Click], clicked: Clicked, *, wanted: int, number: int, a_second: float
) -> None:
    """An open loop: the next click comes when its time is there, whether or not others wait."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for turn, click in enumerate(itertools.islice(clicks, number)):
            await asyncio.sleep(max(0.0, began + turn / a_second - time.monotonic()))
            group.create_task(clicked.one(click, wanted=wanted))


async def all_at_once(
    clicks: Iterator[Click], clicked: Clicked, *, wanted: int, number: int, hands: int
) -> float:
    """A closed loop of so many hands; the clicks a second."""
    todo = itertools.islice(clicks, number)

    async def hand() -> None:
        for click in todo:
            await clicked.one(click, wanted=wanted)

    began = time.monotonic()
    await asyncio.gather(*(hand() for _ in range(hands)))
    return number / (time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class Door:
    """Our gateway. Every person has a link and, by the proxy's word, an address of their own."""

    http: aiohttp.ClientSession
    url: str

    async def press(self, link: str, number: int) -> int:
        """The button of a personal link."""
        async with self._post(link, number, {}) as answer:
            await answer.read()
            return answer.status

    async def look(self, link: str, number: int) -> int:
        async with self.http.get(f"{self.url}/j/{link}", headers=self._from(number)) as answer:
            await answer.read()
            return answer.status

    async def wait(self, link: str, number: int) -> aiohttp.ClientResponse:
        """A guest who has to wait; the page is open, and stays so until it is closed."""
        answer = await self._post(link, number, {"name": f"Guest {number}"})
        if b"<!-- -->" not in await answer.content.readuntil(b"<!-- -->"):
            raise RuntimeError(f"this page does not wait: {answer.status}")
        return answer

    def _post(
        self, link: str, number: int, fields: dict[str, str]
    ) -> aiohttp.client._RequestContextManager:
        return self.http.post(
            f"{self.url}/j/{link}",
            data={"nonce": NONCE, **fields},
            headers=self._from(number),
            cookies={"bbb-bot-form": NONCE},
            allow_redirects=False,
        )

    def _from(self, number: int) -> dict[str, str]:
        address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        return {"X-Forwarded-For": address, "Sec-Fetch-Site": "same-origin"}


def in_turn(what: Sequence[Click]) -> Iterator[Click]:
    return itertools.cycle(what)
