"""The program as an admin runs it: started, asked, backed up, refused twice, stopped by SIGTERM."""

import asyncio
import signal
import socket
import sys
import tarfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

STARTS_WITHIN = 30.0
STOPS_WITHIN = 10.0

CONFIG = """
public_url: http://127.0.0.1:{port}
data_dir: {data}
listen: {{host: 127.0.0.1, port: {port}}}
internal_listen: {{host: 127.0.0.1, port: {internal}}}
bbb:
  servers:
    - {{name: one, url: "http://127.0.0.1:{nobody}/bigbluebutton", secret: canary-secret}}
matrix:
  homeserver: http://127.0.0.1:{nobody}
  user_id: "@bot:localhost"
  device_id: TESTS
  access_token: canary-token
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Program:
    """A configuration where nothing else answers: no homeserver, no BBB."""

    def __init__(self, directory: Path) -> None:
        self.port, self.internal, nobody = free_ports(3)
        self.config = directory / "config.yaml"
        self.config.touch(mode=0o600)
        self.config.write_text(
            CONFIG.format(
                port=self.port, internal=self.internal, nobody=nobody, data=directory / "data"
            )
        )

    async def run(self, *words: str | Path) -> tuple[int, str]:
        """A command to its end: exit code, and all it printed."""
        process = await self.start(*words)
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def start(self, *words: str | Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            "--config",
            self.config,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await self.start("run")
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                while (await self.run("healthcheck"))[0] != 0:
                    pass
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


async def test_it_runs_with_everything_else_down_and_stops_well(program: Program) -> None:
    async with program.running() as process, httpx.AsyncClient() as browser:
        ready = await browser.get(f"http://127.0.0.1:{program.port}/readyz")
        assert ready.status_code == 503
        assert ready.json()["parts"]["chats"] == {"matrix": "down"}
        metrics = await browser.get(f"http://127.0.0.1:{program.internal}/metrics")
        assert "bbb_bot_outbox_waiting" in metrics.text
        outside = await browser.get(f"http://127.0.0.1:{program.port}/metrics")
        assert outside.status_code == 404

        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOPS_WITHIN):
            output, _ = await process.communicate()
    assert process.returncode == 0
    _assert_calm(output.decode())


async def test_systemd_hears_that_it_runs_lives_and_stops(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(STARTS_WITHIN)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        process = await program.start("run")
        heard: list[bytes] = []
        try:
            heard += [await asyncio.to_thread(systemd.recv, 100) for _ in range(3)]
            assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            process.send_signal(signal.SIGTERM)
            while heard[-1] != b"STOPPING=1":
                heard.append(await asyncio.to_thread(systemd.recv, 100))
        finally:
            if process.returncode is None and heard[-1:] != [b"STOPPING=1"]:
                process.kill()
            await process.communicate()
    assert process.returncode == 0


async def test_a_second_one_is_refused_and_a_backup_is_taken_meanwhile(
    program: Program, tmp_path: Path
) -> None:
    async with program.running():
        code, said = await program.run("run")
        assert (code, "Another bbb-bot is running" in said) == (1, True)
        code, said = await program.run("backup", tmp_path / "backup.tar.gz")
        assert code == 0, said
    with tarfile.open(tmp_path / "backup.tar.gz") as archive:
        names = archive.getnames()
    assert {"bbb-bot.db", "link.key", "pickle.key", "pseudonym.key"} <= set(names)
    assert any(name.startswith("matrix/") for name in names)


@pytest.mark.parametrize("words", [["run"], ["healthcheck"], ["backup", "never.tar.gz"]])
async def test_a_wrong_configuration_is_78_and_names_the_line(
    program: Program, words: Sequence[str]
) -> None:
    program.config.write_text(program.config.read_text().replace("listen:", "lisen:", 1))
    code, said = await program.run(*words)
    assert code == 78
    assert "config.yaml:4: lisen" in said
    assert "listen" in said
    _assert_calm(said)


async def test_without_the_bot_the_health_check_fails_and_says_where_it_asked(
    program: Program,
) -> None:
    code, said = await program.run("healthcheck")

    assert code == 1
    assert f"No bot answers on 127.0.0.1:{program.port}" in said


async def test_before_the_first_start_there_is_no_recovery_key(program: Program) -> None:
    code, said = await program.run("recovery-key")

    assert code == 1
    assert "Nothing was changed. Has the bot run already?" in said
    _assert_calm(said)


async def test_a_port_that_is_taken_is_named_once(program: Program) -> None:
    with socket.create_server(("127.0.0.1", program.port)):
        code, said = await program.run("run")

    assert code == 1
    assert f"Cannot listen on 127.0.0.1:{program.port} (Address already in use)." in said
    _assert_calm(said)


def _assert_calm(output: str) -> None:
    assert "Traceback" not in output
    assert "canary" not in output
