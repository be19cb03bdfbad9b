"""Checks that the public address leads to the running bot, and what the proxy tells it."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from bot.config import describe_source
from bot.config.values import is_loopback
from bot.doctor.asking import Answer, Case, NoAnswer, ask
from bot.doctor.finding import Finding, fail, ok, warn
from bot.web.alive import INSTANCE, VISITOR

REACHABLE, PROXY = "gateway.reachable", "gateway.proxy"
MADE_UP = "192.0.2.77"
"""An address for documentation (RFC 5737), which no visitor has."""
_PROXY_PAGE = "docs/getting-started.md shows what the proxy needs"


async def check_gateway(case: Case) -> AsyncIterator[Finding]:
    """Ask the bot beside us and through the public address: it must be the same one."""
    here, there = await asyncio.gather(_here(case), _there(case))
    yield _judge_way(case, here, there)
    same = here is not None and isinstance(there, Answer) and _instance(here) == _instance(there)
    if same and not is_loopback(urlsplit(case.settings.public_url).hostname or ""):
        yield judge_proxy(there.headers.get(VISITOR, ""))  # type: ignore[union-attr]


def judge_proxy(visitor: str) -> Finding:
    """What to think of whom the bot takes us for, when we gave a made-up address."""
    header = "proxy_set_header X-Forwarded-For $remote_addr"
    if visitor == "direct":
        text = "the proxy does not tell the bot who visits: all share one address and one limit"
        return warn(PROXY, text, f"pass X-Forwarded-For on (nginx: {header}); {_PROXY_PAGE}")
    if visitor == "untrusted":
        text = "the proxy tells who visits, but trusted_proxies does not name its address"
        return warn(PROXY, text, "add the proxy's address or network to trusted_proxies")
    if visitor == MADE_UP:
        text = "visitors can choose their address, and so pass the limits: the proxy believes them"
        return fail(PROXY, text, f"have it set X-Forwarded-For anew (nginx: {header})")
    return ok(PROXY, "tells the bot who visits")


async def _here(case: Case) -> Answer | None:
    """The bot on this machine, if it runs."""
    listen = case.settings.listen
    host = f"[{listen.here}]" if ":" in listen.here else listen.here
    try:
        answer = await ask(case, f"http://{host}:{listen.port}/healthz")
    except NoAnswer:
        return None
    return answer if _instance(answer) else None


async def _there(case: Case) -> Answer | str:
    try:
        return await ask(
            case, f"{case.settings.public_url}/healthz", headers={"X-Forwarded-For": MADE_UP}
        )
    except NoAnswer as trouble:
        return str(trouble)


def _judge_way(case: Case, here: Answer | None, there: Answer | str) -> Finding:
    source = describe_source(case.settings, "public_url")
    remedy = f"check public_url ({source}), DNS and firewall; {_PROXY_PAGE}"
    if isinstance(there, str):
        return warn(REACHABLE, f"the public address cannot be asked from here: {there}", remedy)
    if here is None:
        if _instance(there):
            return ok(
                REACHABLE, "the public address leads to a bot, though to none on this machine"
            )
        return ok(REACHABLE, "a server answers at the public address; the bot does not run yet")
    if _instance(here) == _instance(there):
        return ok(REACHABLE, "the public address leads to the bot")
    text = f"what answers at the public address (HTTP {there.status}) is not this bot"
    listen = case.settings.listen
    return fail(REACHABLE, text, f"let the proxy lead to {listen.host}:{listen.port}; {remedy}")


def _instance(answer: Answer) -> str:
    return answer.headers.get(INSTANCE, "")
