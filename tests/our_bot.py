"""Our bot as a process of its own, with a configuration for it: tests and benches start it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMITS_LIFTED = {
    "commands_per_person": 1_000_000,
    "commands_per_channel": 1_000_000,
    "creates_per_person": 1_000_000,
    "invitations_per_person": 1_000_000,
    "rooms_per_channel": 1_000_000,
    "joins_per_person": 1_000_000,
    "joins_per_room": 1_000_000,
}
BOT = (sys.executable, "-m", "bot")
STOP_SECONDS = 15.0


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_settings(
    directory: Path, chats: Mapping[str, Mapping[str, Any]], *, bbb_port: int, bbb_secret: str
) -> Path:
    """Write a configuration with every limit lifted (JSON is YAML, too); give its file.

    `chats` holds the sections `matrix` and `rocketchat`, or one of them.
    """
    settings: dict[str, Any] = {
        "public_url": f"http://127.0.0.1:{(port := free_port())}",
        "data_dir": str(directory / "data"),
        "listen": {"port": port},
        "internal_listen": {"port": free_port()},
        "bbb": {
            "servers": [
                {
                    "name": "simulated",
                    "url": f"http://127.0.0.1:{bbb_port}/bigbluebutton/",
                    "secret": bbb_secret,
                }
            ]
        },
        **chats,
        "limits": LIMITS_LIFTED,
        "log": {"format": "text"},
    }
    (directory / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / "config.yaml"
    file.touch(mode=0o600)
    file.write_text(json.dumps(settings, indent=2))
    return file


@dataclass(slots=True)
class Process:
    """A program in its own process; what it prints is appended to `output`."""

    command: Sequence[str | Path]
    output: Path
    _child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its id. Raises ValueError when it was not started."""
        if not self._child:
            raise ValueError("not started")
        return self._child.pid

    def start(self) -> None:
        """Start it, again or for the first time."""
        with self.output.open("ab") as output:
            self._child = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    async def kill(self) -> bool:
        """End it by SIGKILL; False when it had ended by itself before."""
        return await self._end(signal.SIGKILL) == -signal.SIGKILL

    async def stop(self) -> int:
        """End it by SIGTERM; its exit code. Raises subprocess.TimeoutExpired after 15 s."""
        return await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> int:
        child, self._child = self._child, None
        if not child:
            return 0
        child.send_signal(how)
        try:
            return await asyncio.to_thread(child.wait, STOP_SECONDS)
        finally:
            child.kill()  # one that is gone is left alone
            await asyncio.to_thread(child.wait)

    def last_words(self) -> str:
        """The end of what it printed."""
        return self.output.read_text(errors="replace")[-3000:]
