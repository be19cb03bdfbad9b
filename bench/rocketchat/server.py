"""The test server in a process of its own, with the bots, people and rooms of the bench.

    python -m bench.rocketchat.server ROOMS BOT...

Prints one line of JSON: its address, accounts as [id, token], and of each bot its rooms.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from bot.clock import utc_now
from tests.fakes.rocketchat import RocketChat
from tests.fakes.rocketchat.records import User

ROLES = ("bot", "user")


async def main(rooms: int, names: Sequence[str]) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with RocketChat(clock=utc_now) as server:
        watcher = server.add_user("watcher", roles=ROLES)
        senders = [server.add_user(f"sender-{number}", roles=ROLES) for number in range(rooms)]
        bots = {}
        for name in names:
            bot = server.add_user(name, roles=ROLES)
            halls = [
                server.add_room(
                    f"{name}-{number}", kind="p", owner=sender, members=(sender, bot, watcher)
                )
                for number, sender in enumerate(senders)
            ]
            bots[name] = {"account": account(bot), "rooms": [hall.id for hall in halls]}
        found = {
            "url": server.url,
            "watcher": account(watcher),
            "senders": [account(sender) for sender in senders],
            "bots": bots,
        }
        sys.stdout.write(f"{json.dumps(found)}\n")
        sys.stdout.flush()
        await ended.wait()


def account(user: User) -> list[str]:
    return [user.id, user.token]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
