"""Who is asking, as an address: behind proxies the last one that no trusted proxy added. Pure."""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from starlette.requests import Request

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


class Visitors:
    """Tells visitors apart for the limits. `trusted` are addresses or networks of proxies."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted: Sequence[_Network] = [ip_network(t, strict=False) for t in trusted]

    def address(self, request: Request) -> str:
        """The visitor's address; for IPv6 its /64, which one visitor has whole."""
        nearest = _parsed(request.client.host) if request.client else None
        if nearest is None:
            return "unknown"
        return _whole(self._behind(nearest, request.headers.getlist("x-forwarded-for")))

    def told(self, request: Request) -> str:
        """The visitor's address as a proxy told it; `direct` where none told one, `untrusted` where
        the word of the one that did is not taken.
        """
        headers = request.headers.getlist("x-forwarded-for")
        nearest = _parsed(request.client.host) if request.client else None
        if nearest is None or not headers:
            return "direct"
        return self.address(request) if self._is_trusted(nearest) else "untrusted"

    def _behind(self, nearest: _Address, headers: Sequence[str]) -> _Address:
        """Walk back from the nearest while it is a proxy whose word is taken."""
        chain = [hop for header in headers for hop in header.split(",")]
        while chain and self._is_trusted(nearest):
            told = _parsed(chain.pop())
            if told is None:
                break
            nearest = told
        return nearest

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> _Address | None:
    """An address as proxies write it: bare, with a port, in brackets, IPv4 mapped into IPv6."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _whole(address: _Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, 64), strict=False))
