"""Tells systemd that the bot runs and that its event loop turns; without systemd nothing happens.

The protocol is that of sd_notify(3): one datagram to the socket that `NOTIFY_SOCKET` names.
"""

import logging
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

READY, WATCHDOG, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"


class Supervisor:
    """Whoever started us, if they want to hear."""

    def __init__(self, env: Mapping[str, str]) -> None:
        name = env.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name

    def tell(self, *words: str) -> None:
        """Send one message. Never raises: a supervisor that is away is no trouble of ours."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
                way.setblocking(False)
                way.connect(self._address)
                way.send("\n".join(words).encode())
        except OSError as error:
            log.debug("the supervisor does not listen: %s", error)
