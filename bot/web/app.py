"""The two applications: the pages for everybody, and the metrics for the admins' network."""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.metrics import Metrics
from bot.web.alive import Alive
from bot.web.cookies import Cookies
from bot.web.desk import Desk
from bot.web.frame import Frame
from bot.web.join import JoinPages
from bot.web.joining import Joining
from bot.web.limits import Limits, Turnstile
from bot.web.pages import Pages
from bot.web.readiness import Parts, Readiness
from bot.web.site import Site, security_headers
from bot.web.visitor import Visitors
from bot.web.wait import WaitPages
from bot.web.waiting import Pace, WaitingRoom
from commands.ports import Clock, Randomness

_ROBOTS = "User-agent: *\nDisallow: /\n"
_DAY = "public, max-age=86400"


def make_app(
    joining: Joining,
    *,
    public_url: str,
    origins: Sequence[str],
    trusted_proxies: Iterable[str],
    clock: Clock,
    stop: asyncio.Event,
    parts: Parts,
    metrics: Metrics,
    prefix: str = "!bbb",
    language: str = "en",
    zone: str = "UTC",
    random: Randomness = secrets.token_bytes,
    limits: Limits | None = None,
    pace: Pace | None = None,
) -> Starlette:
    """The public pages. `origins` is where BBB stands, `prefix` what a command begins with.

    `stop` ends every held page. Raises ValueError for plain http to anything but this machine.
    """
    site = Site(public_url)
    cookies = Cookies(site, random)
    visitors = Visitors(trusted_proxies)
    pages = Pages(site, cookies, prefix=prefix, language=language, zone=zone)
    desk = Desk(
        joining=joining,
        site=site,
        pages=pages,
        cookies=cookies,
        visitors=visitors,
        turnstile=Turnstile(limits or Limits()),
        clock=clock,
    )
    waits = WaitPages(desk, WaitingRoom(stop=stop, pace=pace or Pace(), metrics=metrics))
    return _application(
        [
            *_link_routes(JoinPages(desk, waits, metrics), waits),
            *_other_routes(pages, parts, Alive(visitors)),
        ],
        site=site,
        pages=pages,
        origins=origins,
    )


def make_internal_app(metrics: Metrics) -> Starlette:
    """The listener that never faces the internet: `/metrics` and nothing else."""

    async def show(_: Request) -> Response:
        return Response(metrics.page(), media_type=metrics.content_type)

    return Starlette(routes=[Route("/metrics", show)])


def _link_routes(join: JoinPages, waits: WaitPages) -> Sequence[BaseRoute]:
    return [
        Route("/j/{token}", join.show, methods=["GET"]),
        Route("/j/{token}", join.press, methods=["POST"]),
        Route("/j/{token}/live", waits.live, methods=["GET"]),
    ]


def _other_routes(pages: Pages, parts: Parts, alive: Alive) -> Sequence[BaseRoute]:
    async def home(request: Request) -> Response:
        return pages.notice(request, "home")

    async def robots(_: Request) -> Response:
        return PlainTextResponse(_ROBOTS)

    return [
        Route("/", home),
        Route("/robots.txt", robots),
        Route("/healthz", alive.healthz),
        Route("/readyz", Readiness(parts).readyz),
        Mount("/static", _Static(packages=[("bot.web", "static")])),
    ]


def _application(
    routes: Sequence[BaseRoute], *, site: Site, pages: Pages, origins: Sequence[str]
) -> Starlette:
    async def refuse(request: Request, error: Exception) -> Response:
        """404, 405 and what no form of ours sends."""
        assert isinstance(error, HTTPException)  # as registered below; starlette's type says less
        missing = error.status_code == HTTPStatus.NOT_FOUND
        name = "not-found" if missing else "unusual"
        return pages.notice(request, name, status=error.status_code, headers=error.headers)

    def broken(request: Request, ref: str) -> Response:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return pages.notice(request, "broken", status=status, ref=ref)

    headers = security_headers(tuple(origins))
    frame = Middleware(Frame, site=site, headers=headers, broken=broken)
    app = Starlette(routes=routes, middleware=[frame], exception_handlers={HTTPException: refuse})
    # Its redirects would be made of the Host header, which is anybody's word.
    app.router.redirect_slashes = False
    return app


class _Static(StaticFiles):
    """Our files; their address changes with their content, so browsers may keep them."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = _DAY
        return response
