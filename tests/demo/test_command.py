"""`bbb-bot demo` as a program: what it says first and last, and how it is left."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

SOON = 60
NEXT = "Next: bbb-bot init sets it up for your servers; docs/getting-started.md says how"


@asynccontextmanager
async def running(*options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SOON):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_with(process: asyncio.subprocess.Process, text: str) -> str:
    assert process.stdout
    while line := (await process.stdout.readline()).decode():
        if text in line:
            return line
    raise AssertionError(f"never said: {text}")


async def test_what_is_typed_is_answered_and_quit_ends_it_well() -> None:
    async with running() as process:
        said, _ = await process.communicate(b"!bbb\n/quit\nnever said\n")
    lines = said.decode().splitlines()
    assert process.returncode == 0
    assert lines[0].startswith("Web chat      http://127.0.0.1:")
    assert any("bbb-bot: 📹 #team – call opened by Alice Martin" in line for line in lines)
    assert lines[-1] == NEXT
    assert "never said" not in said.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_pipe_that_ends_leaves_the_web_chat_standing_until_a_signal(number: int) -> None:
    async with running() as process:
        assert process.stdin
        process.stdin.close()
        address = re.findall(r"http://\S+", await line_with(process, "Web chat"))[0]
        async with httpx.AsyncClient(trust_env=False) as web:
            assert (await web.get(address)).status_code == 200
        process.send_signal(number)
        await line_with(process, NEXT)
        assert await process.wait() == 0
