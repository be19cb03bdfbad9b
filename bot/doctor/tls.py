"""Checks for how long the certificates of the addresses in the configuration are good."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from bot.doctor.asking import Case, NoAnswer
from bot.doctor.finding import Finding, fail, ok, warn

SOON = timedelta(days=14)
_RENEW = "renew it, and see why that did not happen by itself"


class Untrusted(NoAnswer):
    """A certificate came, and it is expired, for another name, or of an unknown authority."""


async def check_tls(case: Case) -> AsyncIterator[Finding]:
    """Every https address, side by side."""
    named = _addresses(case)
    found = await asyncio.gather(*(_look(case, *where) for where in named.values()))
    for name, expiry in zip(named, found, strict=True):
        yield judge(name, expiry, case.now())


def judge(name: str, expiry: datetime | NoAnswer, now: datetime) -> Finding:
    """What to think of a certificate that is good until then, or why that is not known."""
    if isinstance(expiry, Untrusted):
        return fail(name, f"the certificate is not accepted: {expiry}", _RENEW)
    if isinstance(expiry, NoAnswer):
        return warn(name, f"could not be looked at: {expiry}", "see whether anything listens there")
    left = expiry - now
    if left < SOON:
        return warn(name, f"the certificate ends on {expiry:%Y-%m-%d}", _RENEW)
    return ok(name, f"good for {left.days} days")


async def expiry_of(host: str, port: int, ca_file: Path | None = None) -> datetime:
    """When the certificate there ends; `ca_file` holds authorities in place of the machine's own.

    Raises NoAnswer, Untrusted.
    """
    context = ssl.create_default_context(cafile=ca_file)
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(error.verify_message) from None
    except OSError:  # no such host, no way there, no TLS
        raise NoAnswer("no connection") from None
    try:
        certificate = writer.get_extra_info("ssl_object").getpeercert()
        ends = ssl.cert_time_to_seconds(certificate["notAfter"])
    finally:
        writer.transport.abort()
    return datetime.fromtimestamp(ends, UTC)


async def _look(case: Case, address: str, ca_file: Path | None) -> datetime | NoAnswer:
    parts = urlsplit(address)
    try:
        return await case.expiry_of(parts.hostname or "", parts.port or 443, ca_file)
    except NoAnswer as trouble:
        return trouble


def _addresses(case: Case) -> dict[str, tuple[str, Path | None]]:
    """The https ones, each with the authorities it is configured with."""
    settings = case.settings
    found: dict[str, tuple[str, Path | None]] = {
        "tls.public-url": (settings.public_url, None),
        "tls.bbb": (settings.bbb.server.url, None),
    }
    if settings.matrix:
        found["tls.homeserver"] = settings.matrix.homeserver, None
    if settings.rocketchat:
        found["tls.rocketchat"] = settings.rocketchat.url, settings.rocketchat.ca_file
    return {name: one for name, one in found.items() if one[0].startswith("https://")}
