"""What every request for a link passes first: the limits, the look, the one page for nowhere."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from math import ceil

from starlette.requests import Request
from starlette.responses import Response

from bot.web.cookies import Cookies
from bot.web.joining import Joining
from bot.web.limits import Turnstile
from bot.web.pages import Pages
from bot.web.site import Site
from bot.web.visitor import Visitors
from commands.ports import Clock
from commands.visits import Door, NotFound, Outcome, Press, View

RETRY = {"Retry-After": "5"}

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")

Render = Callable[..., str]
"""Fills in a template with the values given by name, and those that every page of a link has."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The shared part of the pages under `/j/TOKEN`."""

    joining: Joining
    site: Site
    pages: Pages
    cookies: Cookies
    visitors: Visitors
    turnstile: Turnstile
    clock: Clock

    def token(self, request: Request) -> str:
        return str(request.path_params["token"])

    def address(self, request: Request) -> str:
        return self.visitors.address(request)

    def busy(self, request: Request) -> Response | None:
        """The answer to one who asks too often, before anything is looked up; else None."""
        address, token = self.address(request), self.token(request)
        delay = self.turnstile.delay(address, token, self.clock())
        return self.limited(request, delay) if delay else None

    async def look(self, request: Request) -> View | None:
        """What the link shows; None when it leads nowhere."""
        token = self.token(request)
        if not _TOKEN.fullmatch(token):
            return None
        view = await self.joining.look(token, self.cookies.browser(request))
        return None if view.door is Door.NOT_FOUND else view

    async def press(self, press: Press) -> Outcome:
        """What pressing the button gives; what cannot be a link is not even asked for."""
        return await self.joining.press(press) if _TOKEN.fullmatch(press.token) else NotFound()

    def nowhere(self, request: Request) -> Response:
        """The one page for dead, unknown, revoked and not yours; too many of them are a guess."""
        now, address = self.clock(), self.address(request)
        self.turnstile.missed(address, now)
        if delay := self.turnstile.barred(address, now):
            return self.limited(request, delay)
        return self.pages.notice(request, "not-found", status=HTTPStatus.NOT_FOUND)

    def limited(self, request: Request, delay: timedelta) -> Response:
        """429: who asks too often learns when it helps again."""
        after = {"Retry-After": str(max(1, ceil(delay.total_seconds())))}
        status = HTTPStatus.TOO_MANY_REQUESTS
        return self.pages.notice(request, "limited", status=status, headers=after)

    def page(
        self,
        request: Request,
        view: View,
        content: Callable[[Render], str | AsyncIterator[str]],
        *,
        status: int = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page of a link: `content` makes it with what it is given.

        The nonce is that of the browser's other pages, so that all of them stay usable.
        """
        nonce = self.cookies.nonce(request) or self.cookies.new_nonce()
        words = self.pages.words(request, view.language)

        def render(template: str, **values: object) -> str:
            return self.pages.html(words, template, view=view, nonce=nonce, **values)

        response = self.pages.answer(
            request, words, content(render), status=status, headers=headers
        )
        self.cookies.keep_nonce(response, nonce)
        return response
