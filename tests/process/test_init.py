"""`bbb-bot init` as a newcomer meets it: in a terminal and along a pipe, with real servers."""

import fcntl
import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.config import load

SECRET = "canary330a8b08c3b4c61533e1d0c5"
TOKEN = "canary_token_9c41"
PATIENCE = 30.0


class Homeserver(BaseHTTPRequestHandler):
    """As much of one as init asks."""

    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if self.path == "/_matrix/client/versions":
            self._say(200, {"versions": ["v1.11"]})
        elif self.path == "/_matrix/client/v3/account/whoami" and known:
            self._say(200, {"user_id": "@bbb:localhost", "device_id": "BBBBOT"})
        else:
            self._say(401 if not known else 404, {"errcode": "M_UNKNOWN_TOKEN"})

    def _say(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Servers:
    bbb: str
    homeserver: str
    listen: int

    @property
    def pasted(self) -> str:
        return (
            f"\n    URL: {self.bbb}/bigbluebutton/\n    Secret: {SECRET}\n\n"
            "    Link to the API-Mate:\n"
            f"    https://mconf.github.io/api-mate/#server={self.bbb}/&sharedSecret={SECRET}\n\n"
        )

    def environment(self) -> dict[str, str]:
        return {**os.environ, "BBB_BOT_LISTEN__PORT": str(self.listen), "LANG": "de_DE.UTF-8"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def until_it_listens(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        select.select([], [], [], 0.1)
    pytest.fail("the simulated BigBlueButton did not start")


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A simulated BigBlueButton as anybody starts it, and a homeserver."""
    port = free_port()
    command = [sys.executable, "-m", "bot", "simulate-bbb", "--port", str(port)]
    bbb = subprocess.Popen(
        [*command, "--secret", SECRET], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    homeserver = ThreadingHTTPServer(("127.0.0.1", 0), Homeserver)
    threading.Thread(target=homeserver.serve_forever, daemon=True).start()
    try:
        until_it_listens(port)
        yield Servers(
            f"http://127.0.0.1:{port}",
            f"http://127.0.0.1:{homeserver.server_address[1]}",
            free_port(),
        )
    finally:
        bbb.terminate()
        bbb.wait()
        homeserver.shutdown()
        homeserver.server_close()


class Screen:
    """A terminal with the program in it, and all that was seen there."""

    def __init__(self, command: list[str], directory: Path, env: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self.seen = ""
        self._read_to = 0

    def type(self, text: str, *, after: str) -> None:
        """Type once the words `after` have appeared, since the last typing."""
        self._until(after)
        os.write(self._ours, text.encode())

    def _until(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while words not in self.seen[self._read_to :]:
            assert time.monotonic() < deadline, f"{words!r} did not appear in {self.seen!r}"
            assert self._more(), f"it ended without {words!r}: {self.seen!r}"
        self._read_to = self.seen.index(words, self._read_to) + len(words)

    def _more(self) -> bool:
        if not select.select([self._ours], [], [], 0.5)[0]:
            return True
        try:
            piece = os.read(self._ours, 4096)
        except OSError:  # Linux says so when the last program has closed the terminal
            return False
        self.seen += piece.decode()
        return bool(piece)

    def code(self) -> int:
        """The exit code, once it has ended."""
        deadline = time.monotonic() + PATIENCE
        while self._more() and self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.seen!r}"
        while select.select([self._ours], [], [], 0)[0] and self._more():
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)


@pytest.fixture
def screen(servers: Servers, tmp_path: Path) -> Iterator[Screen]:
    one = Screen([sys.executable, "-m", "bot", "init"], tmp_path, servers.environment())
    yield one
    one.close()


def test_in_a_terminal_no_secret_is_ever_seen(
    screen: Screen, servers: Servers, tmp_path: Path
) -> None:
    public = f"http://127.0.0.1:{servers.listen}"
    screen.type(servers.pasted, after="1. BigBlueButton")
    screen.type(f"{servers.homeserver}\n", after="API.\r\n   > ")
    screen.type("canary_wrong\n", after="It is not shown.\r\n   > ")
    screen.type(f"{TOKEN}\n", after="It is not shown.\r\n   > ")
    assert "does not know this access token" in screen.seen
    screen.type(f"{public}\n", after="on its device BBBBOT")
    screen.type("\n", after="Enter for nobody.")

    assert screen.code() == 0, screen.seen
    assert "canary" not in screen.seen
    assert "bbb-bot doctor\r\n  bbb-bot run\r\n" in screen.seen
    settings = load(tmp_path / "config.yaml", env={}, run_secrets=tmp_path / "none")
    assert settings.bbb.server.secret.get_secret_value() == SECRET
    assert settings.public_url == public
    assert settings.language == "de"


def test_ctrl_c_ends_it_and_the_terminal_shows_again_what_is_typed(
    screen: Screen, tmp_path: Path
) -> None:
    screen.type("\x03", after="1. BigBlueButton")

    assert screen.code() == 130, screen.seen
    assert not re.search("Traceback", screen.seen)
    assert list(tmp_path.iterdir()) == []


def test_along_a_pipe(servers: Servers, tmp_path: Path) -> None:
    lines = [servers.pasted, servers.homeserver, TOKEN, f"http://127.0.0.1:{servers.listen}", ""]
    said = subprocess.run(
        [sys.executable, "-m", "bot", "init", "--config", "etc/bot.yaml"],
        cwd=tmp_path,
        env=servers.environment(),
        input="\n".join([*lines, ""]),
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
    )

    assert said.returncode == 0, said.stdout + said.stderr
    assert "canary" not in said.stdout + said.stderr
    assert (tmp_path / "etc/bot.yaml").stat().st_mode & 0o777 == 0o600
    assert "bbb-bot doctor --config etc/bot.yaml" in said.stdout
