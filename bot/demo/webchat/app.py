"""The web server of the demo's chat: a page, a stream of messages, and two ways to take part."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.chat.console import LocalChat, Posted
from bot.demo.webchat.rendering import message
from commands.errors import ChatRefused
from commands.i18n import texts

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
        " img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
OUR_HOSTS = ["127.0.0.1", "localhost"]
LONGEST = 2_000
"""Characters of a message that are taken."""
HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it is alive."""


@dataclass(frozen=True, slots=True)
class Window:
    """What one person sees: the channel, and their direct chat with the bot; by id."""

    person: str
    name: str
    admin: bool
    channel: str
    direct: str
    tries: tuple[str, ...]


class WebChat:
    """Windows onto a local chat. It shows and passes on; what is meant is not its business."""

    def __init__(
        self, chat: LocalChat, *, channel: str, language: str, video: str, stop: asyncio.Event
    ) -> None:
        """`channel` is the one all people share; `video` the address of the BBB server.

        `stop` ends the open streams, so that the server can stop.
        """
        self._chat = chat
        self._channel = channel
        self._texts = texts(language)
        self._video = video
        self._stop = stop
        self._page = Environment(
            loader=PackageLoader("bot.demo.webchat"), autoescape=True, undefined=StrictUndefined
        ).get_template("page.html")
        self.app = Starlette(
            routes=[
                Route("/", self._show),
                Route("/events", self._events),
                Route("/say", self._say, methods=["POST"]),
                Route("/press", self._press, methods=["POST"]),
                Mount("/static", StaticFiles(directory=HERE / "static")),
            ],
            # A page elsewhere that is given our address under its own name gets nothing.
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
            ],
        )

    # --- the page

    async def _show(self, request: Request) -> Response:
        html = self._page.render(
            t=self._texts.plain,
            language=self._texts.language,
            windows=[self._window(person) for person in self._chat.people],
            channel=self._chat.channels[self._channel].name,
            video=self._video,
        )
        return HTMLResponse(html, headers=HEADERS)

    def _window(self, person: str) -> Window:
        other = next((p for p in self._chat.people if p != person), person)
        return Window(
            person=person,
            name=self._chat.people[person],
            admin=person in self._chat.channels[self._channel].admins,
            channel=self._channel,
            direct=self._chat.direct_channel(person),
            tries=("!bbb", "!bbb join", f"!bbb call @{other}", "!bbb help"),
        )

    # --- the stream

    async def _events(self, request: Request) -> Response:
        return StreamingResponse(
            self._stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def _stream(self) -> AsyncIterator[str]:
        """Everything said so far, then everything new; the page puts each in its place by `ref`."""
        heard: asyncio.Queue[Posted] = asyncio.Queue()
        stop_listening = self._chat.listen(heard.put_nowait)
        try:
            for post in list(self._chat.posts.values()):
                yield self._event(post)
            while not self._stop.is_set():
                yield await self._next(heard)
        finally:
            stop_listening()

    async def _next(self, heard: asyncio.Queue[Posted]) -> str:
        """The next message as an event, or a comment when there was none for a while."""
        getting = asyncio.ensure_future(heard.get())
        closing = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait(
                {getting, closing}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
            )
            return self._event(getting.result()) if getting.done() else ": alive\n\n"
        finally:
            getting.cancel()
            closing.cancel()

    def _event(self, post: Posted) -> str:
        name = self._chat.people.get(post.author, post.author)
        html = message(post, name=name, texts=self._texts)
        data = {"ref": post.ref, "channel": post.channel, "author": post.author, "html": html}
        return f"data: {json.dumps(data)}\n\n"

    # --- taking part

    async def _say(self, request: Request) -> Response:
        sent = await _fields(request, "person", "channel", "text")
        if not sent["text"].strip():
            raise HTTPException(400)
        try:
            await self._chat.says(sent["person"], sent["channel"], sent["text"][:LONGEST])
        except ChatRefused:
            raise HTTPException(403) from None
        return Response(status_code=204)

    async def _press(self, request: Request) -> Response:
        sent = await _fields(request, "person", "ref", "key")
        post = self._chat.posts.get(sent["ref"])
        if post is None or sent["person"] not in self._chat.channels[post.channel].members:
            raise HTTPException(403)
        await self._chat.presses(sent["person"], sent["ref"], sent["key"])
        return Response(status_code=204)


async def _fields(request: Request, *names: str) -> Mapping[str, str]:
    """The texts of a JSON body. Raises HTTPException 415 or 400.

    Another site's page cannot send JSON without asking first, and is never answered.
    """
    if request.headers.get("content-type", "") != "application/json":
        raise HTTPException(415)
    try:
        sent: Any = await request.json()
        found = {name: sent[name] for name in names}
    except (ValueError, KeyError, TypeError):
        raise HTTPException(400) from None
    if not all(isinstance(value, str) for value in found.values()):
        raise HTTPException(400)
    return found
