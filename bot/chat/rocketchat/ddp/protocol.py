"""The realtime protocol of one connection, as a state machine. Pure.

    NEW -> CONNECTING -> CONNECTED -> LOGGED_IN -> SUBSCRIBED       and from each of them: OVER

Nothing that comes in raises: strangers write it. 6.x to 9.0, checked against frames recorded from
6.14 and the published schemas of 8.8.1; where a single-process server differs, after its source.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from bot.chat.rocketchat.ddp import frames
from bot.chat.rocketchat.ddp.events import (
    MY_MESSAGES,
    ROOM_MESSAGES,
    Event,
    Live,
    Lost,
    MessageSeen,
    Refused,
    Subscription,
    SubscriptionChanged,
    logouts_of,
    memberships_of,
)
from bot.chat.rocketchat.ddp.frames import Send
from bot.chat.rocketchat.ddp.subscribing import Subscribing
from bot.chat.shapes import nested

_LOGIN = "login"
_PING = "alive"
_ACTIONS = ("inserted", "updated", "removed")

Output = Send | Event


@dataclass(frozen=True, slots=True)
class Timings:
    """How long what may last, in seconds."""

    step: float = 10.0
    """Each step: open, connect, log in, a subscription."""
    ping_after: float = 25.0
    dead_after: float = 45.0
    """Without a sign of life: a server's own ping comes after 15 s or 30 s."""
    tick: float = 1.0
    """How often the session is asked what is due."""
    close: float = 0.5
    """For the farewell of a socket."""


class State(Enum):
    """How far a session has come."""

    NEW = auto()
    CONNECTING = auto()
    CONNECTED = auto()
    LOGGED_IN = auto()
    SUBSCRIBED = auto()
    OVER = auto()


class Session:
    """Logs in once and subscribes, then tells what happens until it is over: for one socket.

    `opened`, `received` and `tick` give what is to be sent and what is to be told, in this order.
    `now` is in seconds, from any clock that never goes back.
    """

    def __init__(
        self,
        user_id: str,
        token: str,
        subscriptions: Collection[Subscription] | None = None,
        *,
        timings: Timings | None = None,
    ) -> None:
        """Subscriptions default to all rooms' messages, own memberships, forced logouts."""
        self.state = State.NEW
        self.timings = timings or Timings()
        self._user_id = user_id
        self._token = token
        if subscriptions is None:
            subscriptions = MY_MESSAGES, memberships_of(user_id), logouts_of(user_id)
        self._subscribing = Subscribing(step=self.timings.step)
        self._subscribing.add(subscriptions)
        self._first = set(subscriptions)
        self._unanswered = set(self._first)
        self._refused: list[Subscription] = []
        self._deadline: float | None = None
        self._heard = 0.0
        self._pinged = False

    def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Also listen to these; the next ticks ask for them, as fast as servers allow."""
        self._subscribing.add(subscriptions)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Listen to it no more; the next tick tells the server."""
        self._first.discard(subscription)
        self._unanswered.discard(subscription)
        self._subscribing.remove(subscription)

    def opened(self, now: float) -> list[Output]:
        """The socket is open: say `connect` before anything else."""
        self.state = State.CONNECTING
        self._heard = now
        self._deadline = now + self.timings.step
        return [frames.connect()]

    def received(self, text: str | bytes, now: float) -> list[Output]:
        """A frame came."""
        if self.state in (State.NEW, State.OVER):
            return []
        self._heard = now
        self._pinged = False
        frame = frames.read(text)
        match frame.get("msg"):
            case "ping":
                return [frames.pong(frame.get("id"))]
            case "connected" if self.state is State.CONNECTING:
                return self._connected(now)
            case "failed" if self.state is State.CONNECTING:
                return [self.over("Rocket.Chat refuses version 1 of its protocol", terminal=True)]
            case "result" if self.state is State.CONNECTED and frame.get("id") == _LOGIN:
                return self._login_answered(frame, now)
            case "ready":
                return self._begun(self._subscribing.ready(frame.get("subs")))
            case "nosub":
                error = frame.get("error")
                return self._ended(self._subscribing.ended(frame.get("id"), error, now))
            case "changed" if self.state in (State.LOGGED_IN, State.SUBSCRIBED):
                return self._changed(frame)
        return []

    def tick(self, now: float) -> list[Output]:
        """Time went by."""
        if self.state in (State.NEW, State.OVER):
            return []
        silence = now - self._heard
        if silence >= self.timings.dead_after:
            return [self.over(f"nothing was heard for {silence:.0f} s")]
        if self._deadline is not None and now >= self._deadline:
            step = "login" if self.state is State.CONNECTED else "greeting"
            return [self.over(f"no answer to the {step} within {self.timings.step:.0f} s")]
        output: list[Output] = []
        if silence >= self.timings.ping_after and not self._pinged:
            self._pinged = True
            output.append(frames.ping(_PING))
        if self.state in (State.LOGGED_IN, State.SUBSCRIBED):
            output += self._ask(now)
        return output

    def over(self, reason: str, *, terminal: bool = False) -> Lost:
        """The end, for this reason: the socket's, or the session's own."""
        self.state = State.OVER
        return Lost(frames.one_line(reason.replace(self._token, "[hidden]")), terminal)

    def _connected(self, now: float) -> list[Output]:
        self.state = State.CONNECTED
        self._deadline = now + self.timings.step
        return [frames.login(_LOGIN, self._token)]

    def _login_answered(self, frame: Mapping[str, Any], now: float) -> list[Output]:
        """Success needs a result: `ready` alone proves nothing, it comes without a login too.

        A personal access token's has no `tokenExpires`; nothing but `id` is looked at.
        """
        error, result = frame.get("error"), frame.get("result")
        if error is not None or not isinstance(result, Mapping):
            return self._login_refused(error)
        if isinstance(id := result.get("id"), str) and id != self._user_id:
            return [self.over("the access token belongs to another account", terminal=True)]
        self.state = State.LOGGED_IN
        self._deadline = None
        return self._ask(now)

    def _login_refused(self, error: object) -> list[Output]:
        """403 is for good: the token was revoked or has expired. Its texts vary by version."""
        code, reason = frames.code_of(error), frames.reason_of(error)
        said = ", ".join(part for part in (code, reason) if part) or "without a word"
        return [self.over(f"the login was refused ({said})", terminal=code == "403")]

    def _ask(self, now: float) -> list[Output]:
        output: list[Output] = []
        for refused in self._subscribing.overdue(now):
            if refused.subscription in self._first:
                return [self.over(f"no answer to a subscription within {self.timings.step:.0f} s")]
            output.append(refused)
        return [*output, *self._subscribing.due(now), *self._live()]

    def _begun(self, subscriptions: list[Subscription]) -> list[Output]:
        self._unanswered.difference_update(subscriptions)
        return self._live()

    def _ended(self, refused: Refused | None) -> list[Output]:
        """Those of the beginning are told together, in Live; one of them that ends later takes the
        connection with it.
        """
        if refused is None:
            return []
        if refused.subscription not in self._first:
            return [refused]
        if refused.subscription not in self._unanswered:
            return [self.over("the server ended a subscription")]
        self._unanswered.remove(refused.subscription)
        self._refused.append(refused.subscription)
        return self._live()

    def _live(self) -> list[Output]:
        if self.state is not State.LOGGED_IN or self._unanswered:
            return []
        self.state = State.SUBSCRIBED
        return [Live(tuple(self._refused))]

    def _changed(self, frame: Mapping[str, Any]) -> list[Output]:
        """An event of a stream; what is no stream (`users`) or not asked for is noise."""
        stream, event = frame.get("collection"), nested(frame, "fields", "eventName")
        if not (isinstance(stream, str) and isinstance(event, str)):
            return []
        subscription = Subscription(stream, event)
        if not self._subscribing.wants(subscription):
            return []
        if subscription == logouts_of(self._user_id):
            return [self.over("the server ended the sessions of this account")]
        args = nested(frame, "fields", "args")
        first, second = (*args, None, None)[:2] if isinstance(args, list) else (None, None)
        if stream == ROOM_MESSAGES and isinstance(first, dict):
            first.pop("md", None)  # the text as a tree: most of a message, and nobody here reads it
            return [MessageSeen(first, second if isinstance(second, dict) else None, event)]
        if subscription == memberships_of(self._user_id) and isinstance(second, dict):
            return [SubscriptionChanged(first, second)] if first in _ACTIONS else []
        return []
