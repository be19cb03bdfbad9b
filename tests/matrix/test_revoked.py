"""The program when its access token is revoked: it ends, and says what to do, once."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from bot.app import CONFIG_WRONG
from bot.demo.synapse import Account
from tests import canary
from tests.matrix.homeserver import DEVICE, ME, Homeserver, refuses, says, synced
from tests.matrix.our_bot import write_config
from tests.our_bot import BOT, free_port

ENDS_WITHIN = 60.0


@pytest.mark.parametrize("errcode", ["M_UNKNOWN_TOKEN", "M_USER_DEACTIVATED"])
async def test_a_token_revoked_while_it_runs_ends_it_with_the_way_out(
    tmp_path: Path, errcode: str
) -> None:
    account = Account(ME, canary.ACCESS_TOKEN, DEVICE, "")
    async with Homeserver() as server:
        server.syncs += [says(synced("s1")), refuses(401, errcode)]
        config = write_config(
            tmp_path,
            account,
            homeserver=server.url,
            bbb_port=free_port(),
            bbb_secret="none",
            encryption=False,
        )
        process = await asyncio.create_subprocess_exec(
            *BOT,
            "run",
            "--config",
            config,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                output = (await process.communicate())[0].decode()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    assert process.returncode == CONFIG_WRONG, output
    assert server.counts["sync"] == 2
    last = output.strip().splitlines()[-1]
    assert last == (
        f"The homeserver refuses the access token ({errcode}). Log the bot in again "
        "and put the new device id and token into the configuration."
    )
    assert "Traceback" not in output
    assert "canary" not in output
