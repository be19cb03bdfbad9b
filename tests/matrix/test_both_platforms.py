"""One process serves Matrix and Rocket.Chat: commands of both, links for both, each its own."""

import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.run import serving
from bot.demo.synapse import Synapse
from tests import canary
from tests.fakes.rocketchat import RocketChat, Room, User
from tests.matrix.client import Observer, Seen
from tests.matrix.names import fresh
from tests.our_bot import BOT, Process, free_port, write_settings
from tests.rocketchat.adapters import until

pytestmark = pytest.mark.synapse

PATIENCE = 60.0
LINK = re.compile(r"http://127\.0\.0\.1:\d+/\w+/([\w-]{22})")


def says_of(server: RocketChat, room: Room, bot: User) -> str:
    """All that the bot said in a room of Rocket.Chat."""
    said = server.messages(room)
    return "\n".join(one["msg"] for one in said if one["u"]["_id"] == bot.id)


async def test_commands_on_both_are_answered_with_links_of_each(
    synapse: Synapse, tmp_path: Path
) -> None:
    async with AsyncExitStack() as leaving:
        server = await leaving.enter_async_context(RocketChat())
        bot = server.add_user("bbb", roles=("bot", "user"))
        ana = server.add_user("ana")
        room = server.add_room("team", "c", ana, [bot])
        bbb_port = free_port()
        bbb = SimulatedBBB(canary.BBB_SECRET)
        await leaving.enter_async_context(serving(bbb, port=bbb_port))
        account, alice = [await synapse.register(fresh(name)) for name in ("both", "alice")]
        watching = await leaving.enter_async_context(Observer(synapse.url, alice))
        await watching.watch()
        place = await watching.create_room(name="team", invite=[account.user_id])
        for secret in (account.access_token, bot.token):
            canary.plant(secret, "a token of the bot")
        config = write_settings(
            tmp_path,
            {
                "matrix": {
                    "homeserver": synapse.url,
                    "user_id": account.user_id,
                    "device_id": account.device_id,
                    "access_token": account.access_token,
                    "encryption": False,
                    "send_rate": 0,
                },
                "rocketchat": {"url": server.url, "user_id": bot.id, "access_token": bot.token},
            },
            bbb_port=bbb_port,
            bbb_secret=canary.BBB_SECRET,
        )
        process = Process((*BOT, "run", "--config", config), tmp_path / "output.txt")
        leaving.push_async_callback(process.stop)
        process.start()

        def said(text: str) -> Callable[[Seen], bool]:
            return lambda seen: seen.sender == account.user_id and text in seen.body

        await watching.sees(lambda seen: seen.sender == account.user_id, seconds=PATIENCE)
        await until(lambda: server.sessions, seconds=PATIENCE)
        await watching.say(place, '!bbb start "Budget"')
        server.say(ana, room, '!bbb start "Planning"')
        card = await watching.sees(said("Budget"), seconds=PATIENCE)
        await until(lambda: "Planning" in says_of(server, room, bot), seconds=PATIENCE)
        await watching.say(place, "!bbb help")
        server.say(ana, room, "!bbb help")
        await watching.sees(said("!bbb start"), seconds=PATIENCE)
        await until(lambda: "!bbb start" in says_of(server, room, bot), seconds=PATIENCE)

        in_matrix = LINK.search(card.body)
        in_rocketchat = LINK.search(says_of(server, room, bot))
        assert in_matrix
        assert in_rocketchat
        assert in_matrix[1] != in_rocketchat[1]
        assert await process.stop() == 0
        assert "Traceback" not in process.last_words()
        assert "Planning" not in "".join(seen.body for seen in watching.seen)
        assert "Budget" not in says_of(server, room, bot)
