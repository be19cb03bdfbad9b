"""Checks that messages come at once: the realtime service of Rocket.Chat, as the bot uses it."""

import asyncio
from collections.abc import AsyncIterator

from bot.chat.rocketchat import trust
from bot.chat.rocketchat.ddp.connection import converse
from bot.chat.rocketchat.ddp.events import MY_MESSAGES, Event, Live, Lost
from bot.chat.rocketchat.ddp.protocol import Session
from bot.config import RocketChat
from bot.doctor.asking import Case
from bot.doctor.finding import Finding, ok, warn
from bot.doctor.rocketchat import cleaned

LIVE = "rocketchat.live"
_PROXY = (
    "let the proxy pass websockets on (nginx: proxy_http_version 1.1, Upgrade and Connection "
    "headers) at the path /websocket; until then the bot asks every few seconds"
)


async def check_live(case: Case) -> AsyncIterator[Finding]:
    """Connect, log in and subscribe, as the bot does; it may run meanwhile."""
    rocketchat = case.settings.rocketchat
    if rocketchat is not None:
        yield judge_live(await _connected(rocketchat))


def judge_live(end: Live | Lost) -> Finding:
    """What to think of how it went."""
    if isinstance(end, Lost):
        return warn(LIVE, f"messages do not come at once: {cleaned(end.reason)}", _PROXY)
    if MY_MESSAGES in end.refused:
        what = "the workspace refuses the messages of all rooms at once"
        return warn(LIVE, what, "nothing is lost; the bot listens to its rooms one by one")
    return ok(LIVE, "messages come at once")


async def _connected(rocketchat: RocketChat) -> Live | Lost:
    """How the first connection goes, up to the point where messages would come."""
    went: asyncio.Future[Live] = asyncio.get_running_loop().create_future()

    def hear(event: Event) -> None:
        if isinstance(event, Live) and not went.done():
            went.set_result(event)

    token = rocketchat.access_token.get_secret_value()
    session = Session(rocketchat.user_id, token)
    context = trust.context(rocketchat.ca_file)
    talk = asyncio.create_task(converse(rocketchat.url, session, ssl=context, on_event=hear))
    try:
        await asyncio.wait((talk, went), return_when=asyncio.FIRST_COMPLETED)
        return went.result() if went.done() else talk.result()
    finally:
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
