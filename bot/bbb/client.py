"""Speaks to one BBB server: every call ends in time, by a value or by one ServerTrouble."""

import asyncio
import logging
import secrets as randomness
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element

import httpx

from bot.bbb import parameters, parse
from bot.bbb.parse import Asked, Version
from bot.bbb.sign import Algorithm, Parameters, checksum_length, signed_query
from commands.errors import (
    AnswerLost,
    Garbled,
    NoSuchMeeting,
    ServerRefused,
    ServerTimedOut,
    ServerTrouble,
    ServerUnreachable,
    WrongSecret,
)
from commands.ports import CreatedMeeting, MeetingInfo, MeetingPlan, Seat

log = logging.getLogger(__name__)

LONGEST_ANSWER = 5_000_000
"""Bytes, counted after decompression."""

LONGEST_READ_AT_ONCE = 50_000
"""Bytes: a meeting of a hundred people, read in some milliseconds."""

UNPACKED_AT_ONCE = 65_536
"""Bytes: a thousandth of it can stand for all of them."""

_TIMEOUTS = httpx.Timeout(connect=3, read=8, write=8, pool=3)
"""Each is for one step only; the deadline of a call is set around all of them."""

_CERTIFICATE_TROUBLE = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    62: "its certificate is for another host",
}
"""By OpenSSL's X509_V_ERR numbers."""


class Client:
    """One server. Raises the ServerTrouble family only; no error holds an address or a secret."""

    def __init__(
        self,
        *,
        name: str,
        url: str,
        secrets: Sequence[str],
        bot_version: str,
        home: str = "",
        algorithm: Algorithm = "sha256",
        seconds: float = 8.0,
        transport: httpx.AsyncBaseTransport | None = None,
        observe: Callable[[str, float], None] = lambda call, seconds: None,
    ) -> None:
        """`url` is the API's, `https://host/bigbluebutton/api/`. `secrets` are one, or the present
        and the previous one. `home` is our own host, told to the server's admins. `seconds` bound
        a call. `transport` replaces the network. `observe` hears each call and its seconds. Raises
        ValueError for an empty secret.
        """
        if not secrets or not all(secrets):
            raise ValueError("a BBB server needs a secret")
        self.name = name
        self.seconds = seconds
        self.healthy = True
        self._url = f"{url.rstrip('/')}/"
        self._secrets = tuple(secrets)
        self._secret = self._secrets[0]
        self._algorithm = algorithm
        tags = {
            "bbb-origin": "bbb-bot",
            "bbb-origin-version": bot_version,
            "bbb-origin-server-name": home,
        }
        self._observe = observe
        self._tags = {tag: value for tag, value in tags.items() if value}
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=ssl.create_default_context() if transport is None else True,
            headers={
                "User-Agent": f"bbb-bot/{bot_version}",
                "Accept": "application/xml, text/xml, */*",
                "Accept-Encoding": "gzip",
            },
            timeout=_TIMEOUTS,
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # --- calls -------------------------------------------------------------------------------

    # `seconds` bound one call, where they are other than the client's own.

    async def create(self, plan: MeetingPlan, seconds: float | None = None) -> CreatedMeeting:
        """Have the meeting; the same plan again finds the running one. Raises trouble `in_doubt`
        when it may or may not be there now.
        """
        room = self._room("create")
        wanted = parameters.create_parameters(plan, self._tags, room=room)
        root = await self._ask("create", wanted, seconds)
        return parse.created_meeting(root, plan.meeting_id, Asked(self.name, "create"))

    def join_url(self, seat: Seat) -> str:
        """A signed address, a bearer credential without expiry: only for a redirect."""
        return self._address("join", parameters.join_parameters(seat), self._secret)

    async def info(self, meeting_id: str, seconds: float | None = None) -> MeetingInfo | None:
        """What runs under this id, or None."""
        try:
            root = await self._ask("getMeetingInfo", {"meetingID": meeting_id}, seconds)
        except NoSuchMeeting:
            return None
        return parse.meeting_info(root, meeting_id, Asked(self.name, "getMeetingInfo"))

    async def end(self, meeting_id: str, seconds: float | None = None) -> None:
        """Ask for the end, which comes within seconds; a meeting that is not there is done."""
        try:
            await self._ask("end", {"meetingID": meeting_id}, seconds)
        except NoSuchMeeting:
            return

    async def say(self, meeting_id: str, text: str, seconds: float | None = None) -> None:
        """Say something in the meeting's chat (BBB 3.0). Raises NoSuchMeeting when nobody is in."""
        room = self._room("sendChatMessage")
        wanted = parameters.message_parameters(meeting_id, text, room=room)
        await self._ask("sendChatMessage", wanted, seconds)

    async def version(self) -> Version:
        """What the API's root says: that a BBB is there, not that the secret is right."""
        asked = Asked(self.name, "version")
        return parse.version(await self._answer(asked, self._fetched(asked, self._url)))

    async def check_secret(self, seconds: float | None = None) -> None:
        """Ask for something cheap that must be signed. Raises WrongSecret."""
        nobodys = f"check-{randomness.token_hex(16)}"
        await self._ask("isMeetingRunning", {"meetingID": nobodys}, seconds)

    # --- one call ----------------------------------------------------------------------------

    async def _ask(self, call: str, wanted: Parameters, seconds: float | None = None) -> Element:
        asked = Asked(self.name, call)
        return await self._answer(asked, self._accepted(asked, wanted), seconds)

    async def _answer(
        self, asked: Asked, work: Coroutine[None, None, Element], seconds: float | None = None
    ) -> Element:
        """The answer; whether there was one is kept as `healthy`. A refusal is an answer."""
        began = time.monotonic()
        try:
            root = await self._in_time(asked, work, self.seconds if seconds is None else seconds)
        except ServerTrouble as trouble:
            self.healthy = isinstance(trouble, ServerRefused)
            raise
        finally:
            self._note(asked, time.monotonic() - began)
        self.healthy = True
        return root

    def _note(self, asked: Asked, seconds: float) -> None:
        self._observe(asked.call, seconds)
        fields = {"action": "bbb_asked", "server": asked.server, "call": asked.call}
        log.debug("BBB asked", extra=fields | {"ms": round(seconds * 1000)})

    async def _in_time(
        self, asked: Asked, work: Coroutine[None, None, Element], seconds: float
    ) -> Element:
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            pass  # raised outside, so that nothing that knows the address hangs on it
        raise ServerTimedOut(asked.server, asked.call, "no answer in time")

    async def _accepted(self, asked: Asked, wanted: Parameters) -> Element:
        """Sign with the secret that worked last; when it is refused, try the other one once."""
        used = self._secret
        try:
            return await self._signed(asked, wanted, used)
        except WrongSecret:
            other = next((secret for secret in self._secrets if secret != used), None)
            if other is None:
                raise
        self._secret = other
        try:
            root = await self._signed(asked, wanted, other)
        except WrongSecret:
            self._secret = used
            raise
        log.warning(
            "the BBB server accepts the other one of its two secrets",
            extra={"action": "bbb_secret_changed", "server": self.name},
        )
        return root

    async def _signed(self, asked: Asked, wanted: Parameters, secret: str) -> Element:
        return await self._fetched(asked, self._address(asked.call, wanted, secret))

    async def _fetched(self, asked: Asked, address: str) -> Element:
        try:
            async with self._http.stream("GET", address) as answer:
                parse.refuse_by_status(answer.status_code, answer.headers, asked)
                body = await _body(answer, asked)
        except httpx.HTTPError as error:
            trouble = _trouble(error, asked)
        else:
            return await _read(answer, body, asked)
        raise trouble  # outside: httpx's error knows the address

    def _address(self, call: str, wanted: Parameters, secret: str) -> str:
        return f"{self._url}{call}?{signed_query(call, wanted, secret, self._algorithm)}"

    def _room(self, call: str) -> int:
        """Characters of an address left for the parameters of a call."""
        fixed = len(f"{self._url}{call}?&checksum=") + checksum_length(self._algorithm)
        return parameters.LONGEST_ADDRESS - fixed


async def _body(answer: httpx.Response, asked: Asked) -> bytes:
    """The body, unpacked as it comes. Raises Garbled as soon as it is too large."""
    body, unpack = bytearray(), _unpacker(answer.headers.get("content-encoding", ""))
    async for packed in answer.aiter_raw():
        try:
            for piece in unpack(packed):
                body += piece
                if len(body) > LONGEST_ANSWER:
                    raise Garbled(asked.server, asked.call, "too large")
        except zlib.error:
            raise Garbled(asked.server, asked.call, "encoded badly") from None
    return bytes(body)


def _unpacker(coding: str) -> Callable[[bytes], Iterable[bytes]]:
    """What turns the pieces that come into small pieces of the body.

    httpx would unpack each piece that comes as a whole: 64 kB can become 64 MB at once.
    """
    if coding.strip().lower() in ("", "identity"):
        return lambda packed: (packed,)
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its head says

    def pieces(packed: bytes) -> Iterator[bytes]:
        full = True
        while packed or full:
            piece = inflate.decompress(packed, UNPACKED_AT_ONCE)
            packed, full = inflate.unconsumed_tail, len(piece) == UNPACKED_AT_ONCE
            yield piece

    return pieces


async def _read(answer: httpx.Response, body: bytes, asked: Asked) -> Element:
    """What the body says. A long one is read in a thread."""
    given = answer.status_code, answer.headers.get("content-type", ""), body, asked
    if len(body) <= LONGEST_READ_AT_ONCE:
        return parse.response(*given)
    return await asyncio.to_thread(parse.response, *given)


# --- network trouble ---------------------------------------------------------------------------


def _trouble(error: httpx.HTTPError, asked: Asked) -> ServerTrouble:
    match error:
        case httpx.ConnectError():
            return ServerUnreachable(asked.server, asked.call, _why_no_connection(error))
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return ServerUnreachable(asked.server, asked.call, "no connection in time")
        case httpx.TimeoutException():
            return ServerTimedOut(asked.server, asked.call, "no answer in time")
        case _:
            return AnswerLost(asked.server, asked.call, "the connection was cut")


def _why_no_connection(error: BaseException) -> str:
    """What stood at the bottom of it, in fixed words."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return _CERTIFICATE_TROUBLE.get(cause.verify_code, "its certificate is not trusted")
            case ssl.SSLError():
                return "no TLS"
            case socket.gaierror():
                return "no such host"
            case ConnectionRefusedError():
                return "refused"
    return "no connection"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was made of; several addresses of one host fail as a group."""
    while error is not None:
        yield error
        for member in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
            yield from _causes(member)
        error = error.__cause__ or error.__context__
