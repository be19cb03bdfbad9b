"""The program with Rocket.Chat alone, from its configuration to its end: TLS, a path, no leaks."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import trustme

from tests import canary
from tests.fakes.rocketchat import RocketChat, Room, User
from tests.our_bot import BOT, Process, free_port, write_settings
from tests.rocketchat.adapters import until

TOKEN = "canary-of-the-bots-own-token-in-rocketchat-4"
PATIENCE = 40.0


class Company:
    """A workspace under a path, behind a certificate of its own authority, and a bot for it."""

    def __init__(self, server: RocketChat, directory: Path, ca_file: Path) -> None:
        self.server = server
        self.bot: User = server.add_user("bbb", roles=("bot", "user"), token=TOKEN)
        self.ana: User = server.add_user("ana")
        self.room: Room = server.add_room("team", "c", self.ana, [self.bot])
        account = {
            "url": server.url,
            "user_id": self.bot.id,
            "access_token": TOKEN,
            "ca_file": str(ca_file),
        }
        self.config = write_settings(
            directory,
            {"rocketchat": account},
            bbb_port=free_port(),
            bbb_secret=canary.BBB_SECRET,
        )
        self.process = Process((*BOT, "run", "--config", self.config), directory / "output.txt")

    def answers(self) -> list[str]:
        """What the bot said to somebody, in threads."""
        said = self.server.messages(self.room)
        return [one["msg"] for one in said if one["u"]["_id"] == self.bot.id and "tmid" in one]

    async def get(self, section: str, path: str) -> httpx.Response:
        port = json.loads(self.config.read_text())[section]["port"]
        async with httpx.AsyncClient() as browser:
            return await browser.get(f"http://127.0.0.1:{port}{path}")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    canary.plant(TOKEN, "the bot's token in Rocket.Chat")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with RocketChat("8.x", tls=tls, prefix="/chat") as server:
        company = Company(server, tmp_path, tmp_path / "ca.pem")
        yield company
        await company.process.stop()


async def test_it_answers_says_how_it_is_and_stops(company: Company) -> None:
    company.process.start()
    await until(lambda: company.server.sessions, seconds=PATIENCE)
    company.server.say(company.ana, company.room, "!bbb help")
    await until(company.answers, seconds=PATIENCE)
    ready = await company.get("listen", "/readyz")
    assert ready.json()["parts"]["chats"] == {"rocketchat": "ok"}
    metrics = await company.get("internal_listen", "/metrics")
    assert 'bbb_bot_chat_mode{mode="live",platform="rocketchat"} 1.0' in metrics.text

    assert await company.process.stop() == 0
    assert len(company.answers()) == 1
    assert "!bbb start" in company.answers()[0]
    output = company.process.output.read_text()
    assert "Traceback" not in output
    assert "canary" not in output


async def test_another_ones_token_stops_the_start_with_78_naming_both(company: Company) -> None:
    settings = json.loads(company.config.read_text())
    settings["rocketchat"]["user_id"] = company.ana.id
    company.config.write_text(json.dumps(settings))
    program = await asyncio.create_subprocess_exec(
        *BOT,
        "run",
        "--config",
        company.config,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate()

    assert program.returncode == 78
    assert f"belongs to the user id {company.bot.id} (bbb)" in said.decode()
    assert company.ana.id in said.decode()
    assert "canary" not in said.decode()
