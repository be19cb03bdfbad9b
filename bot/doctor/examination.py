"""Runs the checks side by side, each with a time limit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass

import httpx

from bot.clock import utc_now
from bot.config import Settings
from bot.doctor.asking import Case, ExpiryOf, http_client
from bot.doctor.bbb import check_bbb
from bot.doctor.clock import check_clock
from bot.doctor.database import check_database
from bot.doctor.encryption import check_encryption
from bot.doctor.finding import Finding, Level, fail
from bot.doctor.gateway import check_gateway
from bot.doctor.limits import check_limits
from bot.doctor.local import check_config, check_data, check_public_url, check_sqlite
from bot.doctor.matrix import check_matrix
from bot.doctor.realtime import check_live
from bot.doctor.rocketchat import ACCOUNT, check_account
from bot.doctor.tls import check_tls, expiry_of
from bot.doctor.workspace import FINDS, check_workspace
from commands.ports import Clock

SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One check: the ids of what it may find, besides its own name, and whether it asks others."""

    run: Callable[[Case], AsyncIterator[Finding]]
    finds: tuple[str, ...] = ()
    asks_others: bool = False


CHECKS = {
    "config": Check(check_config),
    "data": Check(check_data, ("data.modes",)),
    "database": Check(check_database, ("database.dead", "database.waiting")),
    "sqlite": Check(check_sqlite),
    "public-url": Check(check_public_url),
    "gateway": Check(check_gateway, ("gateway.reachable", "gateway.proxy"), asks_others=True),
    "tls": Check(
        check_tls,
        ("tls.public-url", "tls.bbb", "tls.homeserver", "tls.rocketchat"),
        asks_others=True,
    ),
    "bbb": Check(check_bbb, ("bbb.reachable", "bbb.version", "bbb.secret"), asks_others=True),
    "matrix": Check(
        check_matrix,
        ("matrix.reachable", "matrix.token", "matrix.user", "matrix.device"),
        asks_others=True,
    ),
    "matrix.keys": Check(check_encryption, ("matrix.signed",), asks_others=True),
    "matrix.limits": Check(check_limits, asks_others=True),
    "rocketchat": Check(check_account, ACCOUNT, asks_others=True),
    "rocketchat.workspace": Check(check_workspace, FINDS, asks_others=True),
    "rocketchat.live": Check(check_live, asks_others=True),
    "clock": Check(check_clock, asks_others=True),
}
"""What there is to ask for by name, in the order in which it is told."""


def names() -> list[str]:
    """Every name that can be asked for: the checks, and single things they find."""
    found = [name for check in CHECKS for name in (check, *CHECKS[check].finds)]
    return list(dict.fromkeys(found))


async def examine(
    settings: Settings,
    wanted: Collection[str] | None = None,
    *,
    offline: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
    now: Clock = utc_now,
    expiry_of: ExpiryOf = expiry_of,
    seconds: float = SECONDS,
) -> list[Finding]:
    """What the checks called `wanted` find (one of `names`; None: all), in the order of CHECKS.

    Of a check that is asked for one thing only that is told, and whatever is wrong.
    `offline` leaves out those that ask others; `seconds` is the limit of each.
    Raises ValueError for an unknown name.
    """
    chosen = _chosen(wanted, offline=offline)
    # a silent server is named by the request itself; a slowly dripping one by the check's own limit
    ca_file = settings.rocketchat.ca_file if settings.rocketchat else None
    async with http_client(transport, 0.8 * seconds, ca_file) as http:
        case = Case(http, now, settings, expiry_of)
        found = await asyncio.gather(*(_in_time(name, case, seconds) for name in chosen))
    return [
        finding
        for name, findings in zip(chosen, found, strict=True)
        for finding in findings
        if _is_meant(name, finding, wanted)
    ]


def _chosen(wanted: Collection[str] | None, *, offline: bool) -> list[str]:
    unknown = sorted(set(wanted or ()) - set(names()))
    if unknown:
        raise ValueError(f"no such check: {', '.join(unknown)}; there are {', '.join(names())}")
    chosen = [name for name, check in CHECKS.items() if _is_wanted(name, check, wanted)]
    return [name for name in chosen if not (offline and CHECKS[name].asks_others)]


def _is_wanted(name: str, check: Check, wanted: Collection[str] | None) -> bool:
    """By its name, by the group before the dot, by something it finds."""
    known_by = {name, name.partition(".")[0], *check.finds}
    return not wanted or not known_by.isdisjoint(wanted)


def _is_meant(check: str, finding: Finding, wanted: Collection[str] | None) -> bool:
    known_by = {check, finding.id, finding.id.partition(".")[0]}
    return not wanted or finding.level is not Level.OK or not known_by.isdisjoint(wanted)


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
