"""The least a DDP client can do: log in, subscribe to all messages, answer pings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

CONNECT = {"msg": "connect", "version": "1", "support": ["1"]}
SUBSCRIBE = {
    "msg": "sub",
    "id": "messages",
    "name": "stream-room-messages",
    "params": ["__my_messages__", False],
}


async def messages_of(
    http: aiohttp.ClientSession, url: str, token: str, ready: asyncio.Event
) -> AsyncIterator[dict[str, Any]]:
    """The documents of all messages, as they come; `ready` is set when they begin to."""
    login = {"msg": "method", "method": "login", "id": "login", "params": [{"resume": token}]}
    async with http.ws_connect(f"{url}/websocket") as socket:
        await socket.send_json(CONNECT)
        async for frame in socket:
            match json.loads(frame.data):
                case {"msg": "connected"}:
                    await socket.send_json(login)
                case {"msg": "result", "id": "login", "result": _}:
                    await socket.send_json(SUBSCRIBE)
                case {"msg": "ready"}:
                    ready.set()
                case {"msg": "ping", **more}:
                    await socket.send_json({"msg": "pong", **more})
                case {"msg": "changed", "fields": {"args": [document, *_]}}:
                    yield document
