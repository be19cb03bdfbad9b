"""A bot's adapter on the test server, with everything done sooner than in earnest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bot.chat.base import Mode
from bot.chat.rocketchat.adapter import RocketChatAdapter
from bot.chat.rocketchat.ddp.protocol import Timings
from bot.chat.rocketchat.rhythm import Rhythm
from tests import canary
from tests.fakes.rocketchat import RocketChat, User
from tests.matrix.intake import Inbox

RHYTHM = Rhythm(look=600.0, poll=0.2, first_pause=0.05, longest_pause=0.2, hopeless=0.3)
TIMINGS = Timings(tick=0.05, close=0.1)
KEY = b"the key of message ids in tests!"


def adapter_of(server: RocketChat, bot: User, **changes: Any) -> RocketChatAdapter:
    """Not started yet; its token is not to be seen anywhere."""
    canary.plant(bot.token, "the bot's access token")
    given = {
        "url": server.url,
        "user_id": bot.id,
        "access_token": bot.token,
        "message_key": KEY,
        "prefixes": ("!bbb",),
        "rhythm": RHYTHM,
        "timings": TIMINGS,
    }
    return RocketChatAdapter(**given | changes)  # type: ignore[arg-type]


@asynccontextmanager
async def running(
    server: RocketChat,
    bot: User,
    inbox: Inbox,
    *,
    mode: Mode | None = Mode.LIVE,
    **changes: Any,
) -> AsyncIterator[RocketChatAdapter]:
    """Started, and heard in this way, while the block runs."""
    adapter = adapter_of(server, bot, **changes)
    try:
        await adapter.start(inbox)
        if mode:
            await until(lambda: adapter.mode is mode)
        yield adapter
    finally:
        await adapter.stop()


async def until(done: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Wait for something. Raises TimeoutError when it does not come in time."""
    async with asyncio.timeout(seconds):
        while not done():  # noqa: ASYNC110  (anything may be waited for)
            await asyncio.sleep(0.01)
