"""The floor: the least a Rocket.Chat bot can do. DDP in, REST out, replies in the background.

Its argument is a JSON file with "url", "user_id", "access_token" and "text".
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp

from bench.rocketchat.ddp import messages_of
from bench.rocketchat.people import session_of


async def main(settings: dict[str, str]) -> None:
    url, token = settings["url"], settings["access_token"]
    replying: set[asyncio.Task[None]] = set()
    answered: set[str] = set()
    async with session_of(settings["user_id"], token) as http:
        async for document in messages_of(http, url, token, asyncio.Event()):
            if document["msg"] == "!bbb help" and document["_id"] not in answered:
                answered.add(document["_id"])  # its thread's count comes as the message again
                task = asyncio.create_task(reply(http, settings, document))
                replying.add(task)
                task.add_done_callback(replying.discard)


async def reply(
    http: aiohttp.ClientSession, settings: dict[str, str], command: dict[str, Any]
) -> None:
    message = {"rid": command["rid"], "msg": settings["text"], "tmid": command["_id"]}
    body = {"message": message, "previewUrls": []}
    async with http.post(f"{settings['url']}/api/v1/chat.sendMessage", json=body) as answer:
        answer.raise_for_status()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
