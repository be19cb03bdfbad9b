"""Over real HTTP: an API client that others wrote, and the command that serves."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.run import serve, serving
from tests.demo_bbb.caller import SECRET

BBBCTL = Path(sys.executable).with_name("bbbctl")
MAIN = "from bot.demo.bbb.run import main; main(port={port}, secret='{secret}', speed={speed},"


@pytest.fixture
async def url(simulated: SimulatedBBB) -> AsyncIterator[str]:
    """Where the simulated server is served."""
    async with serving(simulated) as address:
        yield address


async def bbbctl(url: str, *arguments: str) -> str:
    """What bbbctl says. Fails with its error output."""
    command = [str(BBBCTL), "--insecure", "--server", url, "--secret", SECRET, "--format", "json"]
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, error = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, error.decode()
    return out.decode()


async def test_bbbctl_creates_joins_lists_shows_talks_to_and_ends_a_meeting(
    url: str, simulated: SimulatedBBB
) -> None:
    made = await bbbctl(url, "meeting", "create", "mx-1", "Team é & co", "--mod", "Ana")
    link = re.search(r"http\S+", made)
    assert link
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as browser:
        page = await browser.get(link.group())
    assert "You are in <strong>Team é &amp; co</strong> as <strong>Ana</strong> (moderator)" in (
        page.text
    )
    info = json.loads(await bbbctl(url, "meeting", "info", "mx-1"))
    assert (info["meetingName"], info["running"]) == ("Team é & co", True)
    assert [one["fullName"] for one in info["attendees"]] == ["Ana"]
    listed = json.loads(await bbbctl(url, "meeting", "list"))
    assert (listed["meetingID"], listed["participantCount"]) == ("mx-1", 1)
    await bbbctl(url, "meeting", "chat", "mx-1", "Hello")
    assert [line.text for line in simulated.messages_in("mx-1")] == ["Hello"]
    assert await bbbctl(url, "record", "list") == ""
    await bbbctl(url, "meeting", "end", "mx-1")
    simulated.forward(5)
    assert await bbbctl(url, "meeting", "list") == ""


# --- serving -------------------------------------------------------------------------------------


async def test_several_servers_run_side_by_side_and_stop() -> None:
    async with serving(SimulatedBBB("a")) as one, serving(SimulatedBBB("b")) as two:
        async with httpx.AsyncClient(trust_env=False) as http:
            answers = [await http.get(f"{url}/bigbluebutton/api") for url in (one, two)]
    assert one != two
    assert [answer.status_code for answer in answers] == [200, 200]
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(one)


async def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OSError):
            await serve(SimulatedBBB("a"), "127.0.0.1", taken.getsockname()[1])


def program(*, port: int, version: str = "3.0", speed: float = 1) -> list[str]:
    """The command line of a process that serves."""
    text = MAIN.format(port=port, secret=SECRET, speed=speed) + f" version='{version}')"
    return [sys.executable, "-c", text]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_the_command_says_one_line_without_the_secret_and_stops_well(
    stop: signal.Signals,
) -> None:
    process = await asyncio.create_subprocess_exec(
        *program(port=0, version="2.6"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout and process.stderr
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    assert SECRET not in line
    api = re.search(r"API (\S+) ", line)
    assert api
    async with httpx.AsyncClient(trust_env=False) as http:
        assert "<bbbVersion>2.6" in (await http.get(api.group(1))).text
    process.send_signal(stop)
    rest, errors = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, rest, errors) == (0, b"", b"")


@pytest.mark.parametrize(
    ("wrong", "words"), [({"version": "9"}, "2.6, 3.0"), ({"speed": -1}, "backwards")]
)
def test_the_command_used_wrong_exits_2_with_a_sentence(
    wrong: dict[str, object], words: str
) -> None:
    version, speed = str(wrong.get("version", "3.0")), float(str(wrong.get("speed", 1)))
    command = program(port=0, version=version, speed=speed)
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr


def test_it_imports_nothing_from_the_rest_of_the_bot() -> None:
    """Else a mistake in our client's signature could hide in the server that checks it."""
    import_all = (
        "import sys, bot.demo.bbb.run, bot.demo.bbb.transport;"
        "print(*sorted(m for m in sys.modules if m.split('.')[0] in ('bot','commands','storage')))"
    )
    command = [sys.executable, "-c", import_all]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    others = [name for name in done.stdout.split() if not name.startswith("bot.demo.bbb")]
    assert others == ["bot", "bot.demo"]
