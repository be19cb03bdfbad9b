"""Rate limits: ten calls in a minute for each route, method and address (facts 10.1)."""

from __future__ import annotations

import math

from tests.fakes.rocketchat.records import User
from tests.fakes.rocketchat.refusals import TooMany
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.wire import milliseconds


class RateLimits:
    """Windows begin with their first call. Whoever may bypass is not counted and sees no header."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._windows: dict[tuple[str, ...], tuple[int, int]] = {}

    def count(self, user: User | None, *key: str) -> dict[str, str]:
        """The headers of one more call. Raises TooMany with them as `headers`."""
        settings = self._state.settings
        if not settings["API_Enable_Rate_Limiter"]:
            return {}
        if user and self._state.may(user, "api-bypass-rate-limit"):
            return {}
        limit = int(settings["API_Enable_Rate_Limiter_Limit_Calls_Default"])
        window = int(settings["API_Enable_Rate_Limiter_Limit_Time_Default"])
        now = milliseconds(self._state.now())
        ends, calls = self._windows.get(key, (0, 0))
        if ends <= now:
            ends, calls = now + window, 0
        calls += 1
        self._windows[key] = (ends, calls)
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(limit - calls, 0)),
            "X-RateLimit-Reset": str(ends),
        }
        if calls > limit:
            raise TooMany(math.ceil((ends - now) / 1000), headers)
        return headers
