"""One question over HTTP: short, capped, without redirects; its troubles hold no address."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from json import loads
from pathlib import Path

import httpx

from bot.config import Settings
from commands.ports import Clock

MAX_BYTES = 256 * 1024
_HEADERS = {"Accept": "*/*", "User-Agent": "bbb-bot doctor"}


ExpiryOf = Callable[[str, int, Path | None], Awaitable[datetime]]


class NoAnswer(Exception):
    """Nothing usable came back; the text says why, without address and without secret."""


@dataclass(frozen=True, slots=True)
class Asker:
    """What it takes to ask: a client, and the clock that tells how far theirs is off."""

    http: httpx.AsyncClient
    now: Clock


@dataclass(frozen=True, slots=True)
class Case(Asker):
    """What the checks look at.

    `expiry_of` tells when the certificate of a host and port ends; with a file it trusts only the
    authorities in it.
    """

    settings: Settings
    expiry_of: ExpiryOf


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `ahead`: its clock minus ours in seconds, None where it told no date."""

    status: int
    body: bytes
    ahead: float | None
    headers: Mapping[str, str]

    @property
    def fields(self) -> Mapping[str, object]:
        """The JSON object in the body, empty where it is none."""
        try:
            said = loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}


def http_client(
    transport: httpx.AsyncBaseTransport | None, seconds: float, ca_file: Path | None = None
) -> httpx.AsyncClient:
    """A client that trusts whom the bot trusts: the machine's own authorities, and those in a file.

    `transport` replaces the network.
    """
    verify: ssl.SSLContext | bool = True
    if transport is None:
        verify = ssl.create_default_context()
        if ca_file:
            verify.load_verify_locations(ca_file)
    return httpx.AsyncClient(transport=transport, verify=verify, trust_env=False, timeout=seconds)


async def ask(
    asker: Asker,
    address: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    json: object = None,
) -> Answer:
    """Ask for `address`, by GET where no other method is named. Raises NoAnswer."""
    asked_at = asker.now()
    try:
        request = asker.http.build_request(
            method, address, headers={**_HEADERS, **(headers or {})}, json=json
        )
        response = await asker.http.send(request, stream=True)
        answered_at = asker.now()
        try:
            body = await _capped_body(response)
        finally:
            await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoAnswer(_reason(error)) from None
    between = asked_at + (answered_at - asked_at) / 2
    return Answer(response.status_code, body, _ahead(response, between), response.headers)


async def _capped_body(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise NoAnswer("its answer is far too long")
    return body


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it does not answer in time"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its TLS certificate is not accepted"
    if isinstance(error, httpx.ConnectError):
        return "no connection (no such host, or nothing listens there)"
    return "the address is not valid" if isinstance(error, httpx.InvalidURL) else "it broke off"


def _ahead(response: httpx.Response, now: datetime) -> float | None:
    try:
        return (parsedate_to_datetime(response.headers["date"]) - now).total_seconds()
    except (KeyError, ValueError, TypeError):  # absent, no date, a date without a zone
        return None
