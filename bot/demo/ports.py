"""Free ports of this machine."""

import socket

LOOPBACK = "127.0.0.1"
MOST_TRIES = 50


class NoFreePort(OSError):
    """Nothing is free where it was looked for."""


def free_port(first: int, *, taken: frozenset[int] = frozenset()) -> int:
    """The first free port from `first` on that is not in `taken`; with 0 any one.

    Raises NoFreePort.
    """
    if first == 0:
        return _bound(0)
    for port in range(first, min(first + MOST_TRIES, 65536)):
        try:
            if port not in taken:
                return _bound(port)
        except OSError:
            continue
    raise NoFreePort(f"no free port from {first} on")


def free_ports(first: int, count: int) -> list[int]:
    """Several free ports, as `free_port` finds them. Raises NoFreePort."""
    found: list[int] = []
    while len(found) < count:
        found.append(free_port(first, taken=frozenset(found)))
    return found


def _bound(port: int) -> int:
    """The port, when it can be listened on now. Raises OSError."""
    with socket.create_server((LOOPBACK, port)) as listener:
        number: int = listener.getsockname()[1]
        return number
