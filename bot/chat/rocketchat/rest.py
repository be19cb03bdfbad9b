"""Rocket.Chat's REST API: in worker threads, with limits of time, and safe repeats."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from bot.chat.rocketchat.answers import (
    Busy,
    LoggedOut,
    RestError,
    Unavailable,
    error_from,
    left_until_reset,
)
from bot.chat.rocketchat.calling import Answer, Call, Caller, NoAnswer
from bot.chat.rocketchat.threads import Closed, Threads
from bot.chat.shapes import Json

_REPEATABLE = {"chat.react", "chat.update", "dm.create"}
"""POSTs that change nothing more when they come twice. chat.sendMessage is not among them: whether
the first one came is asked with chat.getMessage (`sending`).
"""

PAUSES = (0.2, 0.8)
"""Seconds between tries, at most; half of it at least, so that not all come back at once."""

_LEAST_TIME = 0.05


class RestApi(Protocol):
    """Calls under /api/v1/; `path` like "chat.sendMessage". Parameters that are None are left out.

    All raise RestError in one of its forms: Refused, Failed, Unavailable, Moved, Busy, LoggedOut.
    """

    async def get(self, path: str, /, **params: Any) -> Json:
        """Ask."""

    async def post(self, path: str, /, **body: Any) -> Json:
        """Do. After Unavailable and Failed it may have been done all the same."""

    async def info(self) -> Json:
        """What /api/info says: the `version`, for one."""


class Rest:
    """A `RestApi` for one account. `verify` may be the path of an own CA.

    `timeout` seconds are for everything: waiting for a thread, all tries, and the reading. GETs and
    POSTs that may be repeated are tried again, after `pauses`, when no answer came, or a proxy's.
    `on_logged_out` is called before LoggedOut is raised.
    """

    def __init__(
        self,
        url: str,
        user_id: str,
        token: str,
        *,
        verify: bool | str = True,
        workers: int = 8,
        timeout: float = 10.0,
        pauses: Sequence[float] = PAUSES,
        on_logged_out: Callable[[], None] = lambda: None,
    ) -> None:
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # it logs addresses with parameters
        self._threads = Threads(
            lambda: Caller(url.rstrip("/"), user_id, token, verify=verify), workers, "rocketchat"
        )
        self._timeout = timeout
        self._pauses = pauses
        self._on_logged_out = on_logged_out
        self._closed_until: dict[str, float] = {}
        self.is_counted = False
        """Whether the server counted our last call against a rate limit."""

    async def get(self, path: str, /, **params: Any) -> Json:
        return await self._answer_to(Call("GET", path, params))

    async def post(self, path: str, /, **body: Any) -> Json:
        return await self._answer_to(Call("POST", path, body))

    async def info(self) -> Json:
        return await self._answer_to(Call("GET", "info", {}, api_path="/api/"))

    async def close(self) -> None:
        """Fail what is under way; within about a second, also when a call hangs."""
        await self._threads.close()

    async def _answer_to(self, call: Call) -> Json:
        until = time.monotonic() + self._timeout
        try:
            return await self._tried(call, until)
        except RestError as error:
            if error.status != 401 or isinstance(error, Unavailable):
                raise
            refusal = error
        if await self._is_logged_out(until):
            self._on_logged_out()
            raise LoggedOut
        raise refusal

    async def _is_logged_out(self, until: float) -> bool:
        """Whether the token is bad, not just a permission missing: only `me` tells them apart."""
        try:
            await self._tried(Call("GET", "me", {}), until)
        except RestError as error:
            if error.status == 401:
                return True
            raise
        return False

    async def _tried(self, call: Call, until: float) -> Json:
        """Asked once, and again where that is safe and may help."""
        may_repeat = call.method == "GET" or call.path in _REPEATABLE
        for pause in self._pauses if may_repeat else ():
            try:
                return await self._once(call, until)
            except Busy:
                raise
            except Unavailable as error:
                wait = random.uniform(pause / 2, pause)  # noqa: S311  # spreads, hides nothing
                if error.code in _USELESS or time.monotonic() + wait + _LEAST_TIME > until:
                    raise
            await asyncio.sleep(wait)
        return await self._once(call, until)

    async def _once(self, call: Call, until: float) -> Json:
        left = self._closed_until.get(call.path, 0.0) - time.monotonic()
        if left > 0:
            raise Busy(timedelta(seconds=left))
        answer = await self._asked(call, until)
        self._learn(call.path, answer)
        if error := error_from(answer.status, answer.headers, answer.body):
            if isinstance(error, Busy):
                self._close(call.path, error.retry_after)
            raise error
        return answer.body  # type: ignore[no-any-return]  # an object, says error_from

    async def _asked(self, call: Call, until: float) -> Answer:
        try:
            async with asyncio.timeout(until - time.monotonic() + _LEAST_TIME):
                answer = await self._threads.run(lambda caller: caller.call(call, until))
        except TimeoutError:
            answer = NoAnswer("timeout")
        except Closed:
            answer = NoAnswer("closed")
        if isinstance(answer, NoAnswer):
            raise Unavailable(0, answer.code)
        return answer

    def _learn(self, path: str, answer: Answer) -> None:
        """A route whose last call was used up is not asked before its limit is lifted."""
        self.is_counted = "X-RateLimit-Remaining" in answer.headers
        if answer.headers.get("X-RateLimit-Remaining") == "0":
            if left := left_until_reset(answer.headers):
                self._close(path, left)

    def _close(self, path: str, wait: timedelta) -> None:
        self._closed_until[path] = time.monotonic() + wait.total_seconds()


_USELESS = {"tls", "redirect", "too-large", "not-json", "closed", "timeout"}
"""Answers that a repeat will not better, or that took all the time there was."""
