"""The realtime protocol with whatever comes in, in whatever order and at whatever time."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bot.chat.rocketchat.ddp.events import (
    MY_MESSAGES,
    Live,
    Lost,
    Subscription,
    logouts_of,
    memberships_of,
    messages_of,
)
from bot.chat.rocketchat.ddp.frames import Send
from bot.chat.rocketchat.ddp.protocol import Session, State
from tests.conftest import Proof

BOT, TOKEN = "uid-of-the-bot", "canary-of-the-realtime-login-7Gh3"
USUAL = (MY_MESSAGES, memberships_of(BOT), logouts_of(BOT))

CONNECTED = {"msg": "connected", "session": "s"}
WELCOME = {"msg": "result", "id": "login", "result": {"id": BOT}}

BEGINNINGS: list[list[dict[str, Any]]] = [
    [],
    [CONNECTED],
    [CONNECTED, WELCOME],
    [CONNECTED, WELCOME, {"msg": "ready", "subs": ["s1", "s2", "s3"]}],
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
WORDS = st.sampled_from(
    ["connected", "failed", "result", "ready", "nosub", "changed", "ping", "pong", "updated", "?"]
)
IDS = st.sampled_from(["login", "s1", "s2", "s3", "s4", "alive", ""]) | JSON
EVENTS = st.sampled_from([one.event for one in USUAL] + ["room1"]) | JSON
STREAMS = st.sampled_from(["stream-room-messages", "stream-notify-user", "users"]) | JSON
FRAMES = (
    st.fixed_dictionaries(
        {"msg": WORDS},
        optional={
            "id": IDS,
            "subs": st.lists(IDS, max_size=4) | JSON,
            "result": st.just({"id": BOT}) | JSON,
            "error": st.just({"error": "too-many-requests"}) | JSON,
            "collection": STREAMS,
            "fields": st.fixed_dictionaries(
                {}, optional={"eventName": EVENTS, "args": st.lists(JSON, max_size=3) | JSON}
            )
            | JSON,
        },
    )
    | st.just(CONNECTED)
    | st.just(WELCOME)
    | JSON
)
STEPS = st.one_of(
    FRAMES.map(json.dumps),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.floats(min_value=0, max_value=30),
    st.sampled_from([messages_of("room1"), MY_MESSAGES]),
)


@pytest.mark.promise("Whatever the realtime service sends, nothing raises or logs in twice.")
def test_nothing_raises_and_nothing_logs_in_twice(proof: Proof) -> None:
    """The short form plays the same every time, the long form others."""
    chosen = random.randrange(10**6) if proof.long else 1
    print(f"seed {chosen}")  # noqa: T201
    played = 0

    @seed(chosen)
    @settings(
        max_examples=proof.amount(100, long=10_000),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.booleans(), st.sampled_from(BEGINNINGS), st.lists(STEPS, max_size=30))
    def plays(
        opened: bool, beginning: list[Any], steps: list[str | bytes | float | Subscription]
    ) -> None:
        nonlocal played
        if proof.in_time():
            play(opened, beginning, steps)
            played += 1

    plays()
    assert played > 50
    proof.measured(seed=chosen, conversations=played, raised=0)


def play(
    opened: bool, beginning: list[Any], steps: list[str | bytes | float | Subscription]
) -> None:
    session, now = Session(BOT, TOKEN), 0.0
    output = session.opened(now) if opened else []
    for frame in beginning:
        output += session.received(json.dumps(frame), now)
    for step in steps:
        if isinstance(step, Subscription):
            (session.unsubscribe if now % 2 > 1 else lambda one: session.subscribe([one]))(step)
        elif isinstance(step, float):
            now += step
            output += session.tick(now)
        else:
            output += session.received(step, now)
    said = [json.loads(one.text) for one in output if isinstance(one, Send)]
    told = [one for one in output if not isinstance(one, Send)]
    assert [frame["msg"] for frame in said[:1]] == ["connect"] * opened
    assert sum(frame["msg"] == "connect" for frame in said) <= 1
    assert sum(frame["msg"] == "method" for frame in said) <= 1
    assert sum(isinstance(one, Live) for one in told) <= 1
    over = session.state is State.OVER
    assert [isinstance(one, Lost) for one in told].count(True) == over
    assert not over or isinstance(told[-1], Lost)
    asked = [frame["id"] for frame in said if frame["msg"] == "sub"]
    assert len(set(asked)) == len(asked)
