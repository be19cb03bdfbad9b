"""Rate limits: by default ten calls in a minute for each route, method and address (facts 10.1)."""

from __future__ import annotations

import math

from tests.fakes.rocketchat.profiles import Profile
from tests.fakes.rocketchat.records import User
from tests.fakes.rocketchat.refusals import TooMany
from tests.fakes.rocketchat.rest.endpoints import Endpoint, Limit
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.wire import milliseconds


class RateLimits:
    """Windows begin with their first call. Whoever may bypass is not counted and sees no header.

    Where no login is needed nobody may bypass: there the real server does not look who asks.
    """

    def __init__(self, state: State, profile: Profile) -> None:
        self._state = state
        self._profile = profile
        self._windows: dict[tuple[str, ...], tuple[int, int]] = {}

    def count(self, endpoint: Endpoint, user: User | None, *key: str) -> dict[str, str]:
        """The headers of one more call. Raises TooMany, which has them too."""
        limit = self._limit_of(endpoint)
        if limit is None or (user and self._state.may(user, limit.lifted_by)):
            return {}
        now = milliseconds(self._state.now())
        ends, calls = self._windows.get(key, (0, 0))
        if ends <= now:
            ends, calls = now + limit.window, 0
        calls += 1
        self._windows[key] = (ends, calls)
        headers = {
            "X-RateLimit-Limit": str(limit.calls),
            "X-RateLimit-Remaining": str(max(limit.calls - calls, 0)),
            "X-RateLimit-Reset": str(ends),
        }
        if calls > limit.calls:
            raise TooMany(math.ceil((ends - now) / 1000), headers)
        return headers

    def _limit_of(self, endpoint: Endpoint) -> Limit | None:
        settings = self._state.settings
        if not settings["API_Enable_Rate_Limiter"]:
            return None
        if endpoint.limit and endpoint.limit.since <= self._profile.version[:2]:
            return endpoint.limit
        return Limit(
            calls=int(settings["API_Enable_Rate_Limiter_Limit_Calls_Default"]),
            window=int(settings["API_Enable_Rate_Limiter_Limit_Time_Default"]),
            lifted_by="api-bypass-rate-limit",
        )
