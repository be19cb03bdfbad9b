"""The textbook bot: matrix-nio as its examples show it, callbacks one by one, default filter.

Reads the same file as the floor bot. It loses commands in a burst, as every bot of this kind does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from nio import AsyncClient, MatrixRoom, RoomMessageText


async def main(settings: dict[str, str]) -> None:
    client = AsyncClient(settings["homeserver"], settings["user_id"])
    client.user_id = settings["user_id"]
    client.access_token = settings["access_token"]

    async def on_message(room: MatrixRoom, event: RoomMessageText) -> None:
        if event.sender == client.user_id or event.body != "!bbb help":
            return
        reply = {"m.in_reply_to": {"event_id": event.event_id}}
        content = {"msgtype": "m.notice", "body": settings["text"], "m.relates_to": reply}
        await client.room_send(room.room_id, "m.room.message", content)

    client.add_event_callback(on_message, RoomMessageText)
    await client.sync_forever(timeout=30_000, full_state=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
