"""Where the gateway stands, taken from `public_url` and never from a request."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Site:
    """`origin` is scheme, host and port; `prefix` the path before ours, "" or like `/calls`.

    Raises ValueError for plain http to anything but this machine.
    """

    public_url: str
    origin: str = field(init=False)
    prefix: str = field(init=False)
    secure: bool = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.public_url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("public_url: must be https, or http to this machine")
        object.__setattr__(self, "origin", f"{parts.scheme}://{parts.netloc}".lower())
        object.__setattr__(self, "prefix", parts.path.rstrip("/"))
        object.__setattr__(self, "secure", parts.scheme == "https")

    def path(self, inner: str) -> str:
        """The path of ours as browsers reach it."""
        return f"{self.prefix}{inner}"

    def asset(self, name: str) -> str:
        """The path of a file in `static/`; it changes with the content, so it may be cached."""
        return self.path(f"/static/{name}?v={_digest(name)}")

    def within(self, path: str) -> str:
        """A requested path without the prefix; proxies may have taken it off, or not."""
        if path == self.prefix or path.startswith(f"{self.prefix}/"):
            return path[len(self.prefix) :] or "/"
        return path


def security_headers(origins: tuple[str, ...]) -> Mapping[str, str]:
    """Headers of every answer. `origins` is where BBB stands.

    A redirect after a form counts as the form's target in Chromium: without the origins in
    `form-action` the join is blocked.
    """
    policy = (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        " ".join(["form-action 'self'", *dict.fromkeys(origins)]),
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
        "X-Content-Type-Options": "nosniff",
    }


@cache
def _digest(name: str) -> str:
    content = (files("bot.web") / "static" / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]
