"""From an HTTP request to an endpoint and back: who asks, how often, what came of it."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.rocketchat.profiles import Profile
from tests.fakes.rocketchat.records import Token, User
from tests.fakes.rocketchat.refusals import Forbidden, NotLoggedIn, Refusal, TooMany, answer_of
from tests.fakes.rocketchat.rest import (
    accounts,
    calls,
    chat,
    direct,
    histories,
    members,
    people,
    rooms,
    subscriptions,
    workspace,
)
from tests.fakes.rocketchat.rest.endpoints import ENDPOINTS, Call, Endpoint
from tests.fakes.rocketchat.rest.limits import RateLimits
from tests.fakes.rocketchat.seams import Handler, Seam
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.strict import UNPUBLISHED, request_problem
from tests.fakes.rocketchat.wire import Json, rest_text

GROUPS = (
    accounts,
    calls,
    chat,
    direct,
    histories,
    members,
    people,
    rooms,
    subscriptions,
    workspace,
)
"""The files whose endpoints stand in the table once they are imported."""

KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that reached the server; `user` is who its token belongs to."""

    method: str
    path: str
    params: Json
    user: str | None


class Unreadable(Exception):
    """A body that is not what its content type says."""


class Door:
    """Answers whatever comes under /api/v1."""

    def __init__(self, state: State, profile: Profile, seams: list[Seam]) -> None:
        self.state = state
        self.profile = profile
        self.seams = seams
        self.limits = RateLimits(state, profile)
        self.requests: deque[Asked] = deque(maxlen=KEPT)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Handle one request, through the seams."""
        path = request.match_info.get("path") or request.path.rpartition("/api")[2]
        try:
            params = await _params(request)
        except Unreadable:
            return _json({"success": False, "error": "Invalid body"}, 400)
        found = self._bearer(request)
        user = found[0] if found else None
        self.requests.append(
            Asked(request.method, path, _without_secrets(params), user.id if user else None)
        )

        async def handle() -> web.StreamResponse:
            return self._handle(request, path, params, found, await request.read())

        return await _through(self.seams, request, path, params, handle)

    def _handle(
        self,
        request: web.Request,
        path: str,
        params: Json,
        found: tuple[User, Token] | None,
        content: bytes,
    ) -> web.Response:
        endpoint = ENDPOINTS.get((request.method, path))
        if endpoint is None or not endpoint.exists_in(self.profile):
            return self._unknown_route()
        user, token = found or (None, None)
        call = Call(
            self.state, self.profile, request.method, path, params, request.headers, user, token
        )
        headers: dict[str, str] = {}
        try:
            if endpoint.login and user is None:
                raise NotLoggedIn
            counted = user if endpoint.login else None
            headers = self.limits.count(
                endpoint, counted, request.method, path, request.remote or ""
            )
            self._check(request, call, content)
            body = self._run(endpoint, call)
        except Refusal as refusal:
            status, body = answer_of(refusal, self.profile)
            if isinstance(refusal, TooMany):
                headers = refusal.headers
            return _json(body, status, headers)
        return _json(body, 200, headers)

    def _check(self, request: web.Request, call: Call, content: bytes) -> None:
        """From 7 on bodies and queries are refused by schema. Raises Refused."""
        name, query = f"{call.method} {call.path}", list(request.query.items())
        if not self.profile.checks_bodies or name in UNPUBLISHED:
            return
        if request.content_type not in _CHECKED:
            return
        if problem := request_problem(name, query, content):
            raise call.bad(problem)

    def _run(self, endpoint: Endpoint, call: Call) -> Json:
        if endpoint.permission and not self.state.may(call.user, endpoint.permission):
            raise Forbidden
        body = endpoint.handle(call)
        plain = endpoint.plain and self.profile.error_bodies == "6"
        return body if plain else {**body, "success": True}

    def _bearer(self, request: web.Request) -> tuple[User, Token] | None:
        """Who asks: both headers must be there and belong together."""
        found = self.state.bearer(request.headers.get("X-Auth-Token", ""))
        if found is None or found[0].id != request.headers.get("X-User-Id"):
            return None
        return None if self.state.has_expired(found[1]) else found

    def _unknown_route(self) -> web.Response:
        """The text of the newer routers is not known; only the status counts."""
        if self.profile.error_bodies == "6":
            body: Json = {"status": "error", "message": "API endpoint does not exist"}
        else:
            body = {"success": False, "error": "Not Found"}
        return _json(body, 404)


async def _through(
    seams: list[Seam], request: web.Request, path: str, params: Json, handle: Handler
) -> web.StreamResponse:
    for seam in reversed(seams):
        handle = _inside(seam, request, path, params, handle)
    return await handle()


def _inside(seam: Seam, request: web.Request, path: str, params: Json, handle: Handler) -> Handler:
    async def around() -> web.StreamResponse:
        return await seam.rest(request, path, params, handle)

    return around


async def _params(request: web.Request) -> Json:
    """The query of a GET, the body of anything else. Raises Unreadable."""
    if request.method == "GET":
        return _of_pairs(list(request.query.items()))
    if request.content_type == "application/json":
        raw = await request.read()
        try:
            body: Any = json.loads(raw or b"{}")
        except ValueError:
            raise Unreadable from None
        if not isinstance(body, dict):
            raise Unreadable
        return body
    form = await request.post()
    return _of_pairs([(name, value) for name, value in form.items() if isinstance(value, str)])


def _of_pairs(pairs: list[tuple[str, str]]) -> Json:
    """`a=1&b[]=2&b[]=3` as a mapping; what is named more than once is a list."""
    params: Json = {}
    for name, value in pairs:
        if name.endswith("[]"):
            params.setdefault(name[:-2], []).append(value)
        else:
            params[name] = value
    return params


_CHECKED = {"application/json", "application/octet-stream"}
"""The second is what aiohttp calls a request without a body."""

_SECRET = {"password", "pass", "resume", "code", "token", "authToken"}


def _without_secrets(params: Json) -> Json:
    return {key: "…" if key in _SECRET else value for key, value in params.items()}


def _json(body: Json, status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        text=rest_text(body), status=status, headers=headers, content_type="application/json"
    )
