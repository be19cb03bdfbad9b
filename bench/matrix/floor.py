"""The floor: the least a Matrix bot can do. Raw aiohttp, replies sent in the background.

Its argument is a JSON file with "homeserver", "user_id", "access_token" and "text".
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

FILTER = '{"presence":{"not_types":["*"]},"room":{"timeline":{"limit":100}}}'


class FloorBot:
    def __init__(self, settings: dict[str, str], http: aiohttp.ClientSession) -> None:
        self._base = f"{settings['homeserver']}/_matrix/client/v3"
        self._user_id = settings["user_id"]
        self._text = settings["text"]
        self._http = http
        self._numbers = itertools.count()
        self._sending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        position = (await self._sync({}))["next_batch"]
        while True:
            news = await self._sync({"since": position, "timeout": "30000"})
            position = news["next_batch"]
            for room, joined in news.get("rooms", {}).get("join", {}).items():
                for event in joined["timeline"]["events"]:
                    self._react_to(room, event)

    def _react_to(self, room: str, event: dict[str, Any]) -> None:
        if event["sender"] != self._user_id and event["content"].get("body") == "!bbb help":
            task = asyncio.create_task(self._reply(room, event["event_id"]))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _reply(self, room: str, event_id: str) -> None:
        url = f"{self._base}/rooms/{quote(room)}/send/m.room.message/floor-{next(self._numbers)}"
        reply = {"m.in_reply_to": {"event_id": event_id}}
        content = {"msgtype": "m.notice", "body": self._text, "m.relates_to": reply}
        async with self._http.put(url, json=content) as response:
            response.raise_for_status()

    async def _sync(self, query: dict[str, str]) -> dict[str, Any]:
        query = {"filter": FILTER, **query}
        async with self._http.get(f"{self._base}/sync", params=query) as answer:
            answer.raise_for_status()
            news: dict[str, Any] = await answer.json()
            return news


async def main(settings: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {settings['access_token']}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        await FloorBot(settings, http).run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
