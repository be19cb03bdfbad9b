"""Encrypted events whose key has not come yet: tried again for five minutes, then given up."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.chat.matrix.client import Client
from bot.chat.shapes import Json

PATIENCE_SECONDS = 300.0
_MOST = 200


@dataclass(frozen=True, slots=True)
class _Waiting:
    room: str
    event: Json
    until: float


class LateKeys:
    """nio does not look again when a key arrives after its event; this does, from memory."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()

    def keep(self, room: str, event: Json) -> None:
        """Wait for the key of an event. Without encryption, and for a deleted one, none comes."""
        if self._client.olm is None or not event.get("content"):
            return
        if all(event.get("event_id") != known.event.get("event_id") for known in self._waiting):
            self._waiting.append(_Waiting(room, event, self._clock() + PATIENCE_SECONDS))

    def readable(self) -> list[tuple[str, Json]]:
        """Room and event for each that can be read now; again each time, until it was `taken`."""
        found: list[tuple[str, Json]] = []
        for waiting in self._waiting:
            clear = self._client.decrypted(waiting.event, waiting.room)
            if clear is not waiting.event:
                found.append((waiting.room, clear))
        return found

    def taken(self, events: Sequence[tuple[str, Json]]) -> None:
        """What these ask was kept: they are waited for no longer."""
        ids = {event["event_id"] for _, event in events}
        self._waiting = deque(one for one in self._waiting if one.event["event_id"] not in ids)

    def given_up(self) -> list[tuple[str, Json]]:
        """Room and event for each that was waited for long enough, or is one too many."""
        found: list[tuple[str, Json]] = []
        while self._waiting and self._is_over(self._waiting[0]):
            oldest = self._waiting.popleft()
            found.append((oldest.room, oldest.event))
        return found

    def _is_over(self, oldest: _Waiting) -> bool:
        return len(self._waiting) > _MOST or oldest.until <= self._clock()
