"""What stands around every answer: the path prefix, the headers, and the page for a bug."""

import logging
import secrets
from collections.abc import Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.logs import about
from bot.web.site import Site

log = logging.getLogger(__name__)

BrokenPage = Callable[[Request, str], Response]
"""Makes the answer to a bug; the text is a reference that the log has too."""


class Frame:
    """ASGI middleware. No exception leaves it: what was no refusal is logged, without the path.

    What is logged on the way, down to what BBB is asked, carries one `ref` for each request.
    """

    def __init__(
        self, app: ASGIApp, *, site: Site, headers: Mapping[str, str], broken: BrokenPage
    ) -> None:
        self._app = app
        self._site = site
        self._headers = headers
        self._broken = broken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "path": self._site.within(scope["path"])}
        started = False

        async def framed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(message)
            await send(message)

        ref = secrets.token_hex(4)
        with about(ref):
            try:
                await self._app(scope, receive, framed)
            except ClientDisconnect:
                log.debug("a visitor left early", extra={"action": "visitor_left"})
            except Exception:
                log.exception("a page failed", extra={"action": "page_failed", "ref": ref})
                if not started:
                    await self._broken(Request(scope), ref)(scope, receive, framed)

    def _add_headers(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in self._headers.items():
            headers.setdefault(name, value)
