"""Canaries: secrets the suites work with, looked for in everything they print, keep, show and send.

A suite takes its secrets from here (`BBB_SECRET` ...) or plants its own (`plant("…", "a token")`).
Found where it must not be, a canary fails the test that let it out:

    log       every record of every logger, with its fields, its traceback and its cause
    chat      every message put into words, whatever the chat; what goes to a homeserver
    page      every template filled in, every answer with a body
    sent      addresses and bodies of requests, frames of sockets (BBB gets a checksum, nobody a
              secret)
    room      every message in Rocket.Chat: a link for one person stands in a direct message of
              just that person and the bot
    database  every SQLite file under the test's directory, journals and backups too; other files
    printed   what the test wrote to its standard output and error, and the text of its failure
"""

from __future__ import annotations

import base64
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import httpx
import jinja2
import pytest
import requests
from starlette.responses import Response
from websockets.asyncio.client import ClientConnection

from bot.chat.console import LocalChat, Posted
from commands.i18n import Renderer
from commands.links import Links, token
from commands.messages import Document, LinkTo
from tests.fakes.rocketchat import Room, User
from tests.fakes.rocketchat.state import State

BBB_SECRET = "canary-of-the-video-server-8Fq2"
ACCESS_TOKEN = "syt_canary_of_the_homeserver_3Kd9"
ROCKETCHAT_TOKEN = "canary-of-the-workspace-in-rocketchat-6Hs8v"
PICKLE_KEY = "canary-of-the-crypto-store-5Wz7"
RECOVERY_KEY = "EsTc CANA RYof THEr ECOV ERYk EYxx"
PASSWORD = "canary-of-somebodys-password-1Lp4"
LINK_KEY = b"canary-of-the-link-key-0123456789"[:32]
PSEUDONYM_KEY = b"canary-of-the-pseudonyms-987654321"[:32]

CHECKSUM = re.compile(r"checksum=[0-9a-f]{40}")
WAY_IN = re.compile(r"/bigbluebutton/api/\w+\?")

HARMLESS_FILES = {".yaml", ".key", ".secret", ".env"}
"""Where the person who runs the bot keeps the secrets."""


class Aviary:
    """What is planted, and what was found."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self.links: set[str] = set()
        self.private: set[str] = set()
        self.found: list[str] = []

    def plant(self, secret: str | bytes, name: str) -> None:
        """Look for this secret from now on, however it is written. It should be like no other text:
        `token` would be found everywhere.
        """
        assert len(secret) >= 16, "a secret that short may stand anywhere by chance"
        for form in _spelled(secret):
            self._names[form] = name
        longest_first = sorted(map(re.escape, self._names), key=len, reverse=True)
        self._pattern = re.compile("|".join(longest_first))

    def secrets_in(self, text: str) -> list[str]:
        """The names of the secrets in a text."""
        matches = self._pattern.finditer(text) if self._pattern else ()
        return sorted({self._names[match[0]] for match in matches})

    def look(self, channel: str, text: str, *, where: str, ways_in: bool = True) -> None:
        """Take note of every secret in a text, and with `ways_in` of signed addresses."""
        names = self.secrets_in(text)
        if ways_in:
            names += ["a checksum"] * bool(CHECKSUM.search(text))
            names += ["an address of the API"] * bool(WAY_IN.search(text))
        self.found += [f"{channel}: {name} in {where}" for name in names]

    def look_for_links(self, channel: str, text: str, *, where: str) -> None:
        """Take note of the id of a link, where even that must not be."""
        if self.links & _words(text):
            self.found.append(f"{channel}: the id of a link in {where}")

    def look_for_private_links(self, text: str, *, where: str) -> None:
        """Take note of the id of one person's link, where others read as well."""
        if self.private & _words(text):
            self.found.append(f"room: a link for one person in {where}")

    def taken(self) -> list[str]:
        """What was found since the last time."""
        found, self.found = self.found, []
        return found


def _words(text: str) -> set[str]:
    """What may be the id of a link."""
    return set(re.findall(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])", text))


def _spelled(secret: str | bytes) -> Iterator[str]:
    if isinstance(secret, bytes):
        yield secret.hex()
        yield base64.b64encode(secret).decode()
        yield base64.urlsafe_b64encode(secret).decode().rstrip("=")
        secret = secret.decode("latin-1")
    yield secret
    yield quote(secret, safe="")
    yield secret.replace(" ", "")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")


AVIARY = Aviary()
plant = AVIARY.plant

for _secret, _name in (
    (BBB_SECRET, "the secret of the video server"),
    (ACCESS_TOKEN, "the Matrix access token"),
    (ROCKETCHAT_TOKEN, "the Rocket.Chat access token"),
    (PICKLE_KEY, "the key of the crypto store"),
    (RECOVERY_KEY, "the recovery key"),
    (PASSWORD, "a password"),
    (LINK_KEY, "the link key"),
    (PSEUDONYM_KEY, "the pseudonym key"),
):
    plant(_secret, _name)


class Lookout:
    """The pytest plugin: taps everything that leaves, and fails whoever let a canary out."""

    def __init__(self) -> None:
        self._taps = pytest.MonkeyPatch()
        self._printed: list[str] = []

    def pytest_sessionstart(self) -> None:
        self._tap(logging.Logger, "callHandlers", _record)
        self._tap(LocalChat, "_post", _post)
        self._tap(httpx.AsyncClient, "send", _sent_by_httpx)
        self._tap(aiohttp.ClientSession, "_request", _sent_by_aiohttp)
        self._tap_result(Renderer, "document", _document)
        self._tap(Links, "token", _link)
        self._tap(requests.Session, "send", _sent_by_requests)
        self._tap(ClientConnection, "send", _sent_by_socket)
        self._tap(State, "write", _written)
        self._tap(State, "rewrite", _rewritten)
        self._tap_result(jinja2.Template, "render", _page)
        self._tap_result(Response, "render", _page)

    def pytest_unconfigure(self) -> None:
        self._taps.undo()

    def _tap(self, owner: type, name: str, look: Callable[..., None]) -> None:
        """Let `look` see the arguments of a method before it runs."""
        inner = getattr(owner, name)

        def tapped(*args: Any, **kwargs: Any) -> Any:
            look(*args, **kwargs)
            return inner(*args, **kwargs)

        self._taps.setattr(owner, name, tapped)

    def _tap_result(self, owner: type, name: str, look: Callable[[Any], None]) -> None:
        """Let `look` see what a method returns."""
        inner = getattr(owner, name)

        def tapped(*args: Any, **kwargs: Any) -> Any:
            result = inner(*args, **kwargs)
            look(result)
            return result

        self._taps.setattr(owner, name, tapped)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        directory = getattr(item, "funcargs", {}).get("tmp_path")
        yield
        if directory is not None:
            for file in directory.rglob("*"):
                _kept(file)
        if found := AVIARY.taken():
            pytest.fail("a canary got out\n" + "\n".join(sorted(set(found))), pytrace=False)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        texts = [text for title, text in report.sections if title.startswith("Captured std")]
        for name in AVIARY.secrets_in("\n".join([*texts, report.longreprtext])):
            self._printed.append(f"printed: {name} by {report.nodeid}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in sorted(set(self._printed)):
            terminalreporter.write_line(f"a canary got out: {line}", red=True)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._printed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


# --- what the taps look at -----------------------------------------------------------------------


def _record(logger: logging.Logger, record: logging.LogRecord) -> None:
    parts = [record.getMessage(), repr({k: v for k, v in vars(record).items() if k != "msg"})]
    if record.exc_info and record.exc_info[1]:
        parts += traceback.format_exception(record.exc_info[1])
    text = "\n".join(parts)
    where = f"a line of {record.name}"
    AVIARY.look("log", text, where=where, ways_in=record.name.startswith(("bot", "commands")))
    AVIARY.look_for_links("log", text, where=where)


def _post(chat: LocalChat, post: Posted) -> None:
    AVIARY.look("chat", post.text, where="what was said")


def _document(document: Document) -> None:
    AVIARY.look("chat", repr(document), where="a message")


def _link(links: Links, goal: LinkTo) -> None:
    made = token(links.key, goal)
    AVIARY.links.add(made)
    if goal.person:
        AVIARY.private.add(made)


def _page(body: str | bytes | memoryview) -> None:
    text = body if isinstance(body, str) else bytes(body).decode(errors="replace")
    AVIARY.look("page", text, where="a page")


def _sent_by_httpx(client: httpx.AsyncClient, request: httpx.Request, **_: Any) -> None:
    text = f"{request.url}\n{request.headers.raw}\n{_content(request)}"
    AVIARY.look("sent", text, where=f"a request to {request.url.host}", ways_in=False)


def _content(request: httpx.Request) -> str:
    try:
        return request.content.decode(errors="replace")
    except httpx.RequestNotRead:
        return ""


def _sent_by_aiohttp(
    session: aiohttp.ClientSession,
    method: str,
    url: Any,
    *,
    data: Any = None,
    json: Any = None,
    **_: Any,
) -> None:
    """The token has its place in the headers."""
    body = data.decode(errors="replace") if isinstance(data, bytes) else repr(data)
    AVIARY.look("sent", f"{url}\n{body}\n{json}", where=f"a request {method} to the homeserver")


def _sent_by_requests(session: requests.Session, sent: requests.PreparedRequest, **_: Any) -> None:
    """The token has its place in the headers, and in `login`, which tells whose it is."""
    body = sent.body.decode(errors="replace") if isinstance(sent.body, bytes) else sent.body
    said = str(sent.url) if str(sent.url).endswith("/api/v1/login") else f"{sent.url}\n{body}"
    AVIARY.look("sent", said, where="a request to Rocket.Chat", ways_in=False)


def _sent_by_socket(socket: ClientConnection, frame: Any, *_: Any, **__: Any) -> None:
    """The token has its place in the login."""
    text = frame.decode(errors="replace") if isinstance(frame, bytes) else str(frame)
    if '"login"' not in text:
        AVIARY.look("sent", text, where="a frame to Rocket.Chat", ways_in=False)


def _written(state: State, user: User, room: Room, fields: Any, **_: Any) -> None:
    _stands_in(room, repr(fields))


def _rewritten(state: State, document: Any, **changes: Any) -> None:
    _stands_in(state.rooms[document["rid"]], repr(changes))


def _stands_in(room: Room, text: str) -> None:
    AVIARY.look("chat", text, where="a message in Rocket.Chat")
    if room.kind != "d" or len(room.members) != 2:
        where = f"a room of kind {room.kind} with {len(room.members)} people"
        AVIARY.look_for_private_links(text, where=where)


def _kept(file: Path) -> None:
    """A file the test leaves behind. Links may stand in what a chat was told, in no database."""
    if not file.is_file() or file.suffix in HARMLESS_FILES or file.name.startswith("homeserver"):
        return
    try:
        content = file.read_bytes()
    except OSError:  # gone, or closed to whoever runs the tests
        return
    is_database = content.startswith(b"SQLite format 3\0") or file.name.endswith("-wal")
    text = content.decode("latin-1")
    AVIARY.look("database" if is_database else "file", text, where=file.name)
    if is_database:
        AVIARY.look_for_links("database", text, where=file.name)
