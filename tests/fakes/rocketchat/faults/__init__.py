"""What can go wrong between a client and the Rocket.Chat test server, to be ordered by a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from tests.fakes.rocketchat.faults.frames import malformed
from tests.fakes.rocketchat.faults.rest import RestFaults
from tests.fakes.rocketchat.faults.sockets import SocketFaults
from tests.fakes.rocketchat.profiles import Profile

__all__ = ["Faults", "malformed"]


class Faults:
    """`rest` for requests, `sockets` for the realtime link."""

    def __init__(self, profile: Profile, clock: Callable[[], datetime]) -> None:
        self.rest = RestFaults(profile, clock)
        self.sockets = SocketFaults()

    @contextmanager
    def down(self) -> Iterator[None]:
        """The server restarts: sockets are gone, no new ones, and a proxy answers for REST."""
        refusing = self.sockets.refuse_connections()
        failing = self.rest.fail(status=502, times=None)
        self.sockets.cut()
        try:
            yield
        finally:
            failing.stop()
            refusing.stop()

    def stop(self) -> None:
        """End whatever is ordered."""
        self.rest.stop()
        self.sockets.stop()
