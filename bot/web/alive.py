"""`/healthz`: this process answers, and which one it is: somebody asks whether a way leads here."""

import secrets
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.web.visitor import Visitors

INSTANCE = "X-Bbb-Bot-Instance"
"""The header with a random word of this process."""
VISITOR = "X-Bbb-Bot-Visitor"
"""The header that tells a visitor their own address as a proxy gave it; `direct` where none did,
`untrusted` where one did whose word is not taken."""


@dataclass(frozen=True, slots=True)
class Alive:
    visitors: Visitors
    instance: str = field(default_factory=lambda: secrets.token_hex(8))

    async def healthz(self, request: Request) -> Response:
        """The event loop turns. Asks nobody: a restart does not heal a BBB server that is away."""
        headers = {INSTANCE: self.instance, VISITOR: self.visitors.told(request)}
        return PlainTextResponse("ok\n", headers=headers)
