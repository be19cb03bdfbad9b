"""Runs the checks side by side, each with a time limit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from bot.config import Settings
from bot.doctor.asking import Case
from bot.doctor.bbb import check_bbb
from bot.doctor.clock import check_clock
from bot.doctor.finding import Finding, fail
from bot.doctor.local import check_config, check_data, check_public_url, check_sqlite
from bot.doctor.matrix import check_matrix
from commands.ports import Clock

SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One check and whether it asks others."""

    run: Callable[[Case], AsyncIterator[Finding]]
    asks_others: bool = False


CHECKS = {
    "config": Check(check_config),
    "data": Check(check_data),
    "sqlite": Check(check_sqlite),
    "public-url": Check(check_public_url),
    "bbb": Check(check_bbb, asks_others=True),
    "matrix": Check(check_matrix, asks_others=True),
    "clock": Check(check_clock, asks_others=True),
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def examine(
    settings: Settings,
    names: Collection[str] | None = None,
    *,
    offline: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Clock = _utc_now,
    seconds: float = SECONDS,
) -> list[Finding]:
    """What the checks called `names` (keys of CHECKS; None: all) find, in the order of CHECKS.

    `offline` leaves out those that ask others; `seconds` is the limit of each.
    Raises ValueError for an unknown name.
    """
    chosen = _chosen(names, offline=offline)
    # a silent server is named by the request itself; a slowly dripping one by the check's own limit
    timeout = 0.8 * seconds
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeout) as http:
        case = Case(http, now, settings)
        found = await asyncio.gather(*(_in_time(name, case, seconds) for name in chosen))
    return [finding for findings in found for finding in findings]


def _chosen(names: Collection[str] | None, *, offline: bool) -> list[str]:
    unknown = sorted(set(names or ()) - CHECKS.keys())
    if unknown:
        raise ValueError(f"no such check: {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    wanted = [name for name in CHECKS if not names or name in names]
    return [name for name in wanted if not (offline and CHECKS[name].asks_others)]


async def _in_time(name: str, case: Case, seconds: float) -> list[Finding]:
    """What one check finds; what it found before the time was up counts."""
    findings: list[Finding] = []
    try:
        async with asyncio.timeout(seconds):
            async for finding in CHECKS[name].run(case):
                findings.append(finding)
    except TimeoutError:
        text = f"no answer within {seconds:g} seconds"
        findings.append(fail(name, text, "look at the network and the load of that server"))
    return findings
