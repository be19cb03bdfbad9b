"""The three cookies: who the browser is, the form's nonce, the chosen language.

The prefix `__Host-` makes browsers refuse a cookie that another host planted; it needs https.
"""

import base64
import re
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from bot.web.site import Site
from commands.ports import Randomness

_THIRTY_DAYS = 30 * 24 * 3600
_YEAR = 365 * 24 * 3600
_NONCE = re.compile(r"[A-Za-z0-9_-]{22}")


class Cookies:
    def __init__(self, site: Site, random: Randomness) -> None:
        self._secure = site.secure
        self._random = random
        prefix = "__Host-" if site.secure else ""
        self.browser_name = f"{prefix}bbb-bot"
        self.nonce_name = f"{prefix}bbb-bot-form"
        self.language_name = f"{prefix}bbb-bot-language"

    def browser(self, request: Request) -> str | None:
        return request.cookies.get(self.browser_name)

    def language(self, request: Request) -> str | None:
        return request.cookies.get(self.language_name)

    def nonce(self, request: Request) -> str | None:
        """The nonce that an earlier page set, when it has the shape of one."""
        value = request.cookies.get(self.nonce_name, "")
        return value if _NONCE.fullmatch(value) else None

    def new_nonce(self) -> str:
        return base64.urlsafe_b64encode(self._random(16)).rstrip(b"=").decode()

    def keep_browser(self, response: Response, value: str) -> None:
        """Sign the browser in. Lax: the links are followed from a chat."""
        self._keep(response, self.browser_name, value, "lax", _THIRTY_DAYS)

    def keep_nonce(self, response: Response, value: str) -> None:
        self._keep(response, self.nonce_name, value, "strict", None)

    def keep_language(self, response: Response, value: str) -> None:
        self._keep(response, self.language_name, value, "lax", _YEAR)

    def _keep(
        self,
        response: Response,
        name: str,
        value: str,
        same_site: Literal["lax", "strict"],
        max_age: int | None,
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite=same_site,
        )
