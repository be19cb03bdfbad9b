"""Checks that our clock agrees with the clocks of BigBlueButton and the chats."""

import asyncio
from collections.abc import AsyncIterator

from bot.doctor.asking import Case, NoAnswer, ask
from bot.doctor.finding import Finding, ok, warn

MAX_SKEW = 30.0  # seconds


async def check_clock(case: Case) -> AsyncIterator[Finding]:
    """Compare with the `Date:` header of each server."""
    servers = {"BigBlueButton": case.settings.bbb.server.url.removesuffix("/")}
    if case.settings.matrix:
        servers["the homeserver"] = f"{case.settings.matrix.homeserver}/_matrix/client/versions"
    if case.settings.rocketchat:
        servers["Rocket.Chat"] = f"{case.settings.rocketchat.url}/api/info"
    ahead = await asyncio.gather(*(_ahead(case, address) for address in servers.values()))
    for name, seconds in zip(servers, ahead, strict=True):
        yield _judge(name, seconds)


async def _ahead(case: Case, address: str) -> float | None:
    try:
        return (await ask(case, address)).ahead
    except NoAnswer:
        return None


def _judge(name: str, seconds: float | None) -> Finding:
    if seconds is None:
        text = f"could not be compared with {name}"
        return warn("clock", text, "run this again once the server answers")
    if abs(seconds) <= MAX_SKEW:
        return ok("clock", f"agrees with {name}")
    way = "behind" if seconds > 0 else "ahead of"
    text = f"is {abs(seconds):.0f} seconds {way} that of {name}"
    return warn("clock", text, "let NTP set the clocks of both machines: timedatectl set-ntp true")
