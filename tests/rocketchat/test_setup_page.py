"""The set-up page of Rocket.Chat shows what the doctor says of a workspace set up by it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from bot.config import Settings
from bot.doctor import examine
from tests.fakes.rocketchat import RocketChat

PAGE = Path(__file__).parents[2] / "docs" / "setup-rocketchat.md"
SHOWN = set(re.findall(r"(?m)^ +ok    (rocketchat\.\S+) +(.+)$", PAGE.read_text(encoding="utf-8")))


def refuses(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody else is asked")


@pytest.mark.parametrize("lets_slash_through", [True, False])
@pytest.mark.parametrize("threads", [True, False])
async def test_the_doctor_says_what_the_page_shows(
    tmp_path: Path, lets_slash_through: bool, threads: bool
) -> None:
    async with RocketChat("8.x") as server:
        server.settings["Message_AllowUnrecognizedSlashCommand"] = lets_slash_through
        server.settings["Threads_enabled"] = threads
        bot = server.add_user("bbb", roles=("bot", "user"))
        values = {
            "public_url": "https://meet.example.org",
            "data_dir": tmp_path,
            "bbb": {"servers": [{"name": "one", "url": "https://bbb.example.org", "secret": "x"}]},
            "rocketchat": {
                "url": server.url,
                "user_id": bot.id,
                "access_token": bot.token,
                "admins": [server.add_user(name).id for name in ("ana", "ben")],
            },
        }
        settings = Settings.model_validate(values)
        found = await examine(settings, ["rocketchat"], transport=httpx.MockTransport(refuses))

    said = {(one.id, one.text.replace(bot.id, "aobEdbYhXfu5hkeqG")) for one in found}
    version = "rocketchat.version"
    assert {one for one in said if one[0] != version} <= SHOWN
    assert {check for check, _ in said} == {check for check, _ in SHOWN}
