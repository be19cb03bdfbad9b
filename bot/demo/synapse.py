"""A real Synapse on loopback, in a directory that the caller gives: demo, tests and bench use it.

Needs the package matrix-synapse (extra `demo-matrix`).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.demo.synapse_files import LOOPBACK, SERVER_NAME, Files

PACKAGE = "matrix-synapse>=1.163"
"""As the extra `demo-matrix` has it: a clone or pipx cannot install that by its name."""
START_SECONDS = 60.0
STOP_SECONDS = 15.0
ASK_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.05


class SynapseMissing(ImportError):
    """Synapse is not installed; the text says how to get it."""

    def __init__(self) -> None:
        self.command = f"{sys.executable} -m pip install '{PACKAGE}'"
        super().__init__(f"Synapse is not installed: {self.command}")


class SynapseFailed(RuntimeError):
    """Synapse did not start, or refused to register a user."""


@dataclass(frozen=True, slots=True)
class Account:
    """A registered user with a device that is signed in."""

    user_id: str
    access_token: str = field(repr=False)
    device_id: str
    password: str = field(repr=False)


class Synapse:
    """One homeserver process, for `async with`, or start and stop. One object per directory.

    `database`: ":memory:" (empty again after a restart) or the name of a file in the directory.
    `limits_lifted`: False gives Synapse's own limits (0.2 messages a second and person).
    `previews`: fetch every posted URL, also from loopback; needs beautifulsoup4.
    `extra`: YAML that comes last, and the last of two equal keys counts.
    Its methods may be called from one event loop after the other.
    """

    server_name = SERVER_NAME

    def __init__(
        self,
        directory: Path,
        *,
        database: str = ":memory:",
        limits_lifted: bool = True,
        previews: bool = False,
        extra: str = "",
        port: int = 0,
    ) -> None:
        self._files = Files(directory.resolve(), database, limits_lifted, previews, extra)
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for clients; known once started, the same after a restart."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process while there is one."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Return when it answers, after about a second. Raises SynapseMissing, SynapseFailed."""
        if self._process:
            raise ValueError("this Synapse runs already")
        if importlib.util.find_spec("synapse") is None:
            raise SynapseMissing
        async with AsyncExitStack() as on_failure:
            on_failure.push_async_callback(self.kill)
            self._process = await asyncio.to_thread(self._spawn)
            await self._answers(self._process)
            on_failure.pop_all()

    async def stop(self) -> None:
        """End it in order, or by force after 15 s. Nothing happens when it does not run."""
        if self._process:
            self._process.terminate()
            try:
                await asyncio.to_thread(self._process.wait, STOP_SECONDS)
            except subprocess.TimeoutExpired:
                await self.kill()
            self._process = None

    async def kill(self) -> None:
        """End it as a power cut would. Nothing happens when it does not run."""
        if self._process:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
            self._process = None

    async def restart(self) -> None:
        """Stop and start at the same address; with a database file everything is still there."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Synapse:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def register(
        self, name: str, *, admin: bool = False, password: str | None = None
    ) -> Account:
        """Make the user `@name:localhost`, signed in on a new device. Raises SynapseFailed."""
        password = password or secrets.token_urlsafe(12)
        path = "/_synapse/admin/v1/register"
        nonce = (await self._ask("GET", path))["nonce"]
        mac = self._registration_mac(nonce, name, password, "admin" if admin else "notadmin")
        body = {"nonce": nonce, "username": name, "password": password, "admin": admin, "mac": mac}
        made = await self._ask("POST", path, body)
        return Account(made["user_id"], made["access_token"], made["device_id"], password)

    def _registration_mac(self, *words: str) -> str:
        secret = self._files.registration_secret.encode()
        return hmac.new(secret, "\0".join(words).encode(), hashlib.sha1).hexdigest()

    async def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        status, answer = await asyncio.to_thread(_exchange, self._port, method, path, body)
        if status != http.client.OK:
            raise SynapseFailed(f"{method} {path}: {status} {answer.decode(errors='replace')}")
        found: dict[str, Any] = json.loads(answer)
        return found

    async def _answers(self, process: subprocess.Popen[bytes]) -> None:
        """Return once it is healthy; raise SynapseFailed when it ended or takes too long."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await asyncio.to_thread(_is_healthy, self._port):
                    if process.poll() is not None:
                        words = await asyncio.to_thread(self._files.last_words)
                        raise SynapseFailed(f"Synapse ended while starting:\n{words}")
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
        except TimeoutError:
            raise SynapseFailed(f"Synapse is silent after {START_SECONDS:.0f} s") from None

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the child in a session of its own, so that Ctrl-C reaches us and not it."""
        self._port = self._port or _free_port()
        config = self._files.write(self._port)
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        with self._files.output.open("wb") as output:
            return subprocess.Popen(  # noqa: S603  (our own words)
                [sys.executable, "-m", "synapse.app.homeserver", "-c", config],
                cwd=config.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def _is_healthy(port: int) -> bool:
    try:
        status, _ = _exchange(port, "GET", "/health")
    except OSError:
        return False
    return status == http.client.OK


def _exchange(port: int, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    """One request with a JSON body. Raises OSError when nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ASK_SECONDS)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise ConnectionError("no proper answer") from error
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
