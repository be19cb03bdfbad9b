"""Our side of the scenarios recorded from Rocket.Chat 6.14: what we say, and what we make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.chat.rocketchat.ddp.events import (
    Event,
    Live,
    Lost,
    MessageSeen,
    Subscription,
    SubscriptionChanged,
)
from bot.chat.rocketchat.ddp.frames import Send
from bot.chat.rocketchat.ddp.protocol import Output, Session, State

RECORDING = Path(__file__).parents[1] / "data" / "rocketchat" / "rc-6.14-realtime-recorded.json"
SCENARIOS: dict[str, list[dict[str, Any]]] = json.loads(RECORDING.read_text())["scenarios"]

RECORDED = [
    {name: value for name, value in entry["frame"].items() if name != "id"}
    for scenario in SCENARIOS.values()
    for entry in scenario
    if entry["dir"] == "send" and isinstance(entry["frame"], dict)
]

BOT = "botBBB0000000001"
GREETED, LOGGED_IN = ["connect"], ["connect", "login"]

EXPECTED: dict[str, tuple[list[str], list[str]]] = {
    "handshake_login_resume_ok": (["connect", "pong", "login"], ["live"]),
    "login_personal_access_token": (LOGGED_IN, ["live"]),
    "login_unknown_token": (LOGGED_IN, ["lost for good"]),
    "login_expired_token": (LOGGED_IN, ["lost for good"]),
    "login_password_over_ddp": (LOGGED_IN, ["lost for good"]),
    "method_before_connect": (GREETED, []),
    "connect_wrong_version": (LOGGED_IN, []),
    "malformed_json": (LOGGED_IN, []),
    "unknown_msg_type": (LOGGED_IN, []),
    "subscribe_without_login": (LOGGED_IN, []),
    "subscriptions_ok_and_refused": (
        [*LOGGED_IN, *["sub"] * 8],
        ["live without PRIV2 DOESNOTEXIST x alice00000000001/subscriptions-changed"],
    ),
    "my_messages_traffic": (
        [*LOGGED_IN, *["sub"] * 3],
        [
            "live",
            "m-gen-1 of a c room",
            "m-prv-1 of a p room",
            "m-dm-1 of a d room",
            "m-pub2-1 of a c room not joined",
            "m-own-1 of a c room",
            "m-int-1 of a c room",
            "m-sys-1 of a c room",
            "m-thr-1 of a c room",
            "m-gen-1 of a c room",
            "m-gen-1 of a c room",
            "m-prv-1 of a p room",
            "inserted PRIV2",
            "m-prv2-2 of a p room",
            "updated PRIV2",
            "m-gen-9 of a c room",
        ],
    ),
    "pong_before_connect": (["connect", "pong"], []),
    "subscription_removed": ([*LOGGED_IN, *["sub"] * 2], ["live", "inserted PRIV2"]),
    "login_then_subscribe_pipelined_without_waiting": ([*LOGGED_IN, "sub"], ["live"]),
    "login_with_extra_result_logout": (LOGGED_IN, ["live"]),
    "connect_twice": (LOGGED_IN, []),
    "idle_client_that_never_answers_pings": (["connect", "login", "pong"], []),
    "subscribe_before_login_then_login": (
        [*LOGGED_IN, "sub"],
        ["x31795248063.7323287 of a p room"],
    ),
    "two_sessions_same_account_A": (
        [*LOGGED_IN, "sub"],
        ["live", "x41795248069.7555635 of a c room"],
    ),
    "two_sessions_same_account_B": (
        ["connect", "pong", "login", "sub"],
        ["live", "x41795248069.7555635 of a c room"],
    ),
    "two_matching_subscriptions_one_connection": (
        [*LOGGED_IN, *["sub"] * 2],
        ["live", *["x51795248074.9741511 of a room", *["x51795248074.9741511 of a c room"] * 2]],
    ),
}
"""What our machine says and tells when a server says what was recorded. In
`subscribe_before_login_then_login` our subscription is made after the login and is never answered:
`ready` came for the earlier one, which proves nothing.
"""


def test_every_recorded_scenario_is_listed() -> None:
    assert list(EXPECTED) == list(SCENARIOS)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_scenario(name: str) -> None:
    replay = Replay(SCENARIOS[name])
    said, told = EXPECTED[name]
    assert [kind(frame) for frame in replay.said] == said
    assert [in_short(event) for event in replay.told] == told
    assert (replay.session.state is State.OVER) == ("lost for good" in told)


@pytest.mark.parametrize("name", EXPECTED)
def test_we_send_only_frames_that_were_recorded(name: str) -> None:
    for frame in Replay(SCENARIOS[name]).said:
        assert without_id(frame) in RECORDED or frame == {"msg": "pong"}


@pytest.mark.parametrize("name", EXPECTED)
def test_connect_is_the_first_word_and_the_only_login_follows_connected(name: str) -> None:
    replay = Replay(SCENARIOS[name])
    kinds = [kind(frame) for frame in replay.said]
    assert kinds[0] == "connect"
    assert kinds.count("connect") == 1 and kinds.count("login") <= 1


class Replay:
    """A session that asks for what a scenario asks for, and hears what was recorded."""

    def __init__(self, scenario: list[dict[str, Any]]) -> None:
        self.recorded = [entry["frame"] for entry in scenario if is_frame(entry, "send")]
        logins = [frame["params"][0] for frame in self.recorded if kind(frame) == "login"]
        token = next((login["resume"] for login in logins if "resume" in login), "bot-pat")
        wanted = dict.fromkeys(filter(None, map(subscription_in, self.recorded)))
        self.session = Session(BOT, token, tuple(wanted))
        self.said: list[dict[str, Any]] = []
        self.told: list[Event] = []
        self._take(self.session.opened(0))
        for entry in scenario:
            if is_frame(entry, "recv"):
                self._take(self.session.received(json.dumps(self._as_ours(entry["frame"])), 1))

    def _take(self, output: list[Output]) -> None:
        for one in output:
            if isinstance(one, Send):
                self.said.append(json.loads(one.text))
            else:
                self.told.append(one)

    def _as_ours(self, frame: dict[str, Any]) -> dict[str, Any]:
        """An answer to the recorded client, as one to ours where we asked the same by then."""
        theirs = {sent["id"]: without_id(sent) for sent in self.recorded if "id" in sent}
        ours = [(without_id(sent), sent["id"]) for sent in self.said if "id" in sent]

        def translated(id: str) -> str:
            asked = theirs.get(id)
            same = [
                one for sent, one in ours if sent == asked or is_login(sent) and is_login(asked)
            ]
            return same[0] if same else f"not ours: {id}"

        match frame.get("msg"):
            case "ready":
                return {**frame, "subs": [translated(id) for id in frame["subs"]]}
            case "updated":
                return {**frame, "methods": [translated(id) for id in frame["methods"]]}
            case "result" | "nosub":
                return {**frame, "id": translated(frame["id"])}
        return frame


def is_frame(entry: dict[str, Any], direction: str) -> bool:
    return entry["dir"] == direction and isinstance(entry["frame"], dict)


def is_login(frame: dict[str, Any] | None) -> bool:
    return frame is not None and kind(frame) == "login"


def kind(frame: dict[str, Any]) -> str | None:
    return frame["method"] if frame.get("msg") == "method" else frame.get("msg")


def without_id(frame: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in frame.items() if name != "id"}


def subscription_in(frame: dict[str, Any]) -> Subscription | None:
    if frame.get("msg") != "sub" or not frame["params"]:
        return None
    return Subscription(frame["name"], frame["params"][0])


def in_short(event: Event) -> str:
    match event:
        case Live():
            without = " ".join(subscription.event for subscription in event.refused)
            return f"live without {without}" if without else "live"
        case MessageSeen():
            access = event.access or {}
            joined = "" if access.get("roomParticipant", True) else " not joined"
            room = f"{access['roomType']} room" if access else "room"
            return f"{event.document['_id']} of a {room}{joined}"
        case SubscriptionChanged():
            return f"{event.action} {event.subscription['rid']}"
        case Lost(terminal=True):
            return "lost for good"
    return repr(event)
