"""`override_ratelimit`: the doctor measures it on a real Synapse, and a test what it lifts.

The homeserver of these tests has the limits that every Synapse has until somebody changes them.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from bot.config import Settings
from bot.demo.matrix_client import MatrixPerson, MatrixRefused
from bot.demo.synapse import Account, Synapse
from bot.doctor import Finding, Level, examine
from tests.requirements import require_synapse

pytestmark = pytest.mark.synapse

MANY = 20
"""Messages, rooms: the usual burst is 10, then a message in five seconds."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Synapse]:
    require_synapse()
    async with Synapse(tmp_path / "synapse", limits_lifted=False) as one:
        yield one


async def limits(server: Synapse, bot: Account, directory: Path) -> Finding:
    settings = Settings.model_validate(
        {
            "public_url": "http://localhost:8080",
            "data_dir": directory,
            "bbb": {"servers": [{"name": "one", "url": "http://localhost:1", "secret": "s"}]},
            "matrix": {
                "homeserver": server.url,
                "user_id": bot.user_id,
                "device_id": bot.device_id,
                "access_token": bot.access_token,
            },
        }
    )
    (found,) = await examine(settings, ["matrix.limits"])
    return found


async def lift(finding: Finding, admin: Account) -> None:
    """What the remedy says, word for word, with an admin's token."""
    content = re.search(r"-d '(.*?)' ", finding.remedy)
    address = re.search(r"'(http\S+)'", finding.remedy)
    assert content and address
    headers = {"Authorization": f"Bearer {admin.access_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(address[1], data=content[1]) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def how_many(person: MatrixPerson, what: str) -> int:
    """How many messages or rooms go through, of MANY in a row."""
    room = await person.create_room(name="alone") if what == "messages" else ""
    done = 0
    for number in range(MANY):
        try:
            if what == "messages":
                path = f"/rooms/{room}/send/m.room.message/{number}"
                await person.ask("PUT", path, {"msgtype": "m.text", "body": "x"})
            else:
                await person.create_room(name=str(number))
            done += 1
        except MatrixRefused as refused:
            assert refused.status == 429
    return done


async def test_the_doctor_sees_limits_and_that_its_remedy_lifts_them(
    server: Synapse, tmp_path: Path
) -> None:
    slow, bot = [await server.register(name, password="x") for name in ("slow", "bot")]
    admin = await server.register("admin", password="x", admin=True)
    async with AsyncExitStack() as stack:
        slow_one, quick_one = [
            await stack.enter_async_context(MatrixPerson(server.url, account))
            for account in (slow, bot)
        ]
        found = await limits(server, bot, tmp_path)
        assert found.level is Level.WARN, found.text
        assert bot.access_token not in found.remedy
        await lift(found, admin)

        found = await limits(server, bot, tmp_path)
        assert (found.level, found.remedy) == (Level.OK, ""), found.text
        assert await how_many(slow_one, "messages") < MANY
        assert await how_many(quick_one, "messages") == MANY
        assert await how_many(quick_one, "rooms") == MANY, "not messages alone"
