"""The subscriptions of one connection: asked for in turn, answered, refused, ended. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from bot.chat.rocketchat.ddp import frames
from bot.chat.rocketchat.ddp.events import Refused, Subscription
from bot.chat.rocketchat.ddp.frames import Send
from bot.chat.shapes import nested

PACE = 36
PACE_SECONDS = 40.0
"""A single-process server takes 40 subscriptions in 40 s from one connection."""

_TRIES = 5
_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 60.0


@dataclass(slots=True)
class _Asked:
    """A subscription on its way: `deadline` counts from when it was sent."""

    subscription: Subscription
    tries: int = 0
    deadline: float = 0.0


class Subscribing:
    """Every subscription gets an id of its own: used twice, an id is answered twice or never."""

    def __init__(self, *, step: float) -> None:
        self._step = step
        self._count = 0
        self._sent: deque[float] = deque()
        self._paused_until = 0.0
        self._waiting: deque[_Asked] = deque()
        self._unwanted: list[str] = []
        self._asked: dict[str, _Asked] = {}
        self._ready: dict[str, Subscription] = {}
        self._wanted: set[Subscription] = set()

    def wants(self, subscription: Subscription) -> bool:
        """Whether it was asked for and is not refused: its events may come before `ready`."""
        return subscription in self._wanted

    def add(self, subscriptions: Iterable[Subscription]) -> None:
        """Ask for these as soon as the pace allows."""
        for subscription in subscriptions:
            if subscription not in self._wanted:
                self._wanted.add(subscription)
                self._waiting.append(_Asked(subscription))

    def remove(self, subscription: Subscription) -> None:
        """Have no more of it."""
        self._wanted.discard(subscription)
        self._waiting = deque(a for a in self._waiting if a.subscription != subscription)
        known = {id: asked.subscription for id, asked in self._asked.items()} | self._ready
        for id in [id for id, one in known.items() if one == subscription]:
            self._asked.pop(id, None)
            self._ready.pop(id, None)
            self._unwanted.append(id)

    def due(self, now: float) -> list[Send]:
        """What to ask for now, and what to ask to end."""
        while self._sent and self._sent[0] <= now - PACE_SECONDS:
            self._sent.popleft()
        out = [frames.unsub(id) for id in self._unwanted]
        self._unwanted.clear()
        while self._waiting and len(self._sent) < PACE and now >= self._paused_until:
            asked = self._waiting.popleft()
            self._count += 1
            id = f"s{self._count}"
            asked.tries += 1
            asked.deadline = now + self._step
            self._asked[id] = asked
            self._sent.append(now)
            out.append(frames.sub(id, asked.subscription))
        return out

    def ready(self, ids: object) -> list[Subscription]:
        """The server has begun these; one answer may name several."""
        begun = []
        for id in ids if isinstance(ids, list) else ():
            if isinstance(id, str) and (asked := self._asked.pop(id, None)):
                self._ready[id] = asked.subscription
                begun.append(asked.subscription)
        return begun

    def ended(self, id: object, error: object, now: float) -> Refused | None:
        """The server refused or ended it; None where that means nothing or it is asked again."""
        if not isinstance(id, str):
            return None
        code = frames.code_of(error)
        if asked := self._asked.pop(id, None):
            if code == "too-many-requests" and asked.tries < _TRIES:
                self._paused_until = now + _pause_of(error)
                self._waiting.appendleft(asked)
                return None
            return self._refused(asked.subscription, code)
        if subscription := self._ready.pop(id, None):
            return self._refused(subscription, code)
        return None

    def overdue(self, now: float) -> list[Refused]:
        """Those asked for too long ago. Asked for in turn, so the first is the oldest."""
        late = []
        while self._asked:
            id, asked = next(iter(self._asked.items()))
            if asked.deadline > now:
                break
            del self._asked[id]
            late.append(self._refused(asked.subscription, ""))
        return late

    def _refused(self, subscription: Subscription, code: str) -> Refused:
        self._wanted.discard(subscription)
        return Refused(subscription, code)


def _pause_of(error: object) -> float:
    """How long to ask for nothing, in seconds; `details.timeToReset` is in milliseconds."""
    wait = nested(error, "details", "timeToReset")
    if isinstance(wait, int | float) and 0 <= wait <= _LONGEST_PAUSE_SECONDS * 1000:
        return wait / 1000
    return _PAUSE_SECONDS
