"""The realtime protocol: greeting, login, subscriptions, signs of life, and what strangers send."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from bot.chat.rocketchat.ddp.events import (
    MY_MESSAGES,
    Event,
    Live,
    Lost,
    MessageSeen,
    Refused,
    Subscription,
    SubscriptionChanged,
    logouts_of,
    memberships_of,
    messages_of,
)
from bot.chat.rocketchat.ddp.frames import Send
from bot.chat.rocketchat.ddp.protocol import Output, Session, State, Timings

BOT, TOKEN = "uid-of-the-bot", "canary-of-the-realtime-login-7Gh3"
USUAL = (MY_MESSAGES, memberships_of(BOT), logouts_of(BOT))


class Talk:
    """A session, what it said so far and what it told so far."""

    def __init__(self, *subscriptions: Subscription, token: str = TOKEN) -> None:
        self.session = Session(BOT, token, subscriptions or None)
        self.now = 1000.0
        self.said: list[dict[str, Any]] = []
        self.told: list[Event] = []

    def opened(self) -> Talk:
        return self._take(self.session.opened(self.now))

    def hears(self, *frames: object) -> Talk:
        for frame in frames:
            text = frame if isinstance(frame, str | bytes) else json.dumps(frame)
            self._take(self.session.received(text, self.now))
        return self

    def waits(self, seconds: float, *, step: float = 1.0) -> Talk:
        for _ in range(math.ceil(seconds / step)):
            self.now += step
            self._take(self.session.tick(self.now))
        return self

    def logged_in(self) -> Talk:
        return self.opened().hears(CONNECTED, WELCOME)

    def live(self) -> Talk:
        return self.logged_in().hears({"msg": "ready", "subs": self.asked()})

    def kinds(self) -> list[str]:
        return [frame.get("method", frame["msg"]) for frame in self.said]

    def asked(self, event: str | None = None) -> list[str]:
        """The ids of our subscriptions, or of those to one event."""
        subs = [frame for frame in self.said if frame["msg"] == "sub"]
        return [frame["id"] for frame in subs if event in (None, frame["params"][0])]

    def _take(self, output: list[Output]) -> Talk:
        for one in output:
            if isinstance(one, Send):
                self.said.append(json.loads(one.text))
            else:
                self.told.append(one)
        return self


CONNECTED = {"msg": "connected", "session": "s"}
WELCOME = {"msg": "result", "id": "login", "result": {"id": BOT, "token": "t", "type": "resume"}}


def refusal(code: object, **more: object) -> dict[str, Any]:
    error = {"isClientSafe": True, "errorType": "Meteor.Error", "error": code, **more}
    return {"msg": "result", "id": "login", "error": error}


def nosub(id: str, code: object, **more: object) -> dict[str, Any]:
    return {**refusal(code, **more), "msg": "nosub", "id": id}


def changed(stream: object, event: object, *args: object) -> dict[str, Any]:
    fields = {"eventName": event, "args": list(args)}
    return {"msg": "changed", "collection": stream, "id": "id", "fields": fields}


def seen(*args: object, event: object = "__my_messages__") -> dict[str, Any]:
    return changed("stream-room-messages", event, *args)


# The greeting


@pytest.mark.parametrize(
    "greeting",
    [
        pytest.param([], id="a single-process server greets with nothing"),
        pytest.param([{"server_id": "0"}], id="6.14"),
        pytest.param([{"msg": "server_id", "server_id": "0"}], id="8.8"),
    ],
)
def test_the_login_follows_the_greeting(greeting: list[object]) -> None:
    talk = Talk().opened().hears(*greeting)
    assert talk.kinds() == ["connect"]
    assert talk.hears(CONNECTED).kinds() == ["connect", "login"]
    assert talk.said[-1]["params"] == [{"resume": TOKEN}]


def test_a_ping_before_our_connect_gets_no_answer_and_one_after_it_does() -> None:
    talk = Talk().hears({"msg": "ping"})
    assert talk.said == []
    assert talk.opened().hears({"msg": "ping"}).kinds() == ["connect", "pong"]


@pytest.mark.parametrize("ping", [{"msg": "ping"}, {"msg": "ping", "id": "x"}])
def test_a_pong_carries_the_id_of_its_ping_if_there_is_one(ping: dict[str, str]) -> None:
    talk = Talk().live().hears(ping)
    assert talk.said[-1] == {**ping, "msg": "pong"}


@pytest.mark.parametrize("id", [7, None, ["x"], {"a": 1}])
def test_a_ping_with_an_id_that_is_no_text_is_answered_without(id: object) -> None:
    assert Talk().opened().hears({"msg": "ping", "id": id}).said[-1] == {"msg": "pong"}


def test_a_server_that_refuses_the_protocol_is_given_up() -> None:
    [lost] = Talk().opened().hears({"msg": "failed", "version": "1"}).told
    assert isinstance(lost, Lost) and lost.terminal


def test_a_second_greeting_does_not_log_in_again() -> None:
    talk = Talk().logged_in().hears(CONNECTED, WELCOME, CONNECTED)
    assert talk.kinds().count("login") == 1


# The login


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"id": BOT, "tokenExpires": {"$date": 1}}, id="a token that expires"),
        pytest.param({"id": BOT}, id="a personal access token"),
        pytest.param({"id": BOT, "tokenExpires": None}, id="an expiry that is null"),
        pytest.param({}, id="nothing in it"),
        pytest.param({"id": 5, "token": ["?"], "type": None}, id="other types than promised"),
    ],
)
def test_what_counts_as_logged_in(result: dict[str, Any]) -> None:
    talk = Talk().opened().hears(CONNECTED, {"msg": "result", "id": "login", "result": result})
    assert talk.session.state is State.LOGGED_IN


@pytest.mark.parametrize("first", [True, False], ids=["updated first", "result first"])
@pytest.mark.parametrize("error", [True, False], ids=["refused", "let in"])
def test_updated_comes_on_either_side_of_the_result(first: bool, error: bool) -> None:
    result = refusal(403) if error else WELCOME
    updated = {"msg": "updated", "methods": ["login"]}
    frames = [updated, result] if first else [result, updated]
    state = Talk().opened().hears(CONNECTED, *frames).session.state
    assert state is (State.OVER if error else State.LOGGED_IN)


@pytest.mark.parametrize(
    ("code", "terminal"),
    [
        (403, True),
        ("403", True),
        (500, False),
        ("too-many-requests", False),
        ("totp-required", False),
        (None, False),
        ([403], False),
        (403.0, False),
    ],
)
def test_only_403_ends_the_account(code: object, terminal: bool) -> None:
    [lost] = Talk().opened().hears(CONNECTED, refusal(code, reason="No.")).told
    assert lost == Lost(lost.reason, terminal=terminal)  # type: ignore[union-attr]


@pytest.mark.parametrize("error", [{}, [], "no", 403, True])
def test_an_error_of_any_shape_is_a_refusal(error: object) -> None:
    [lost] = Talk().opened().hears(CONNECTED, {"msg": "result", "id": "login", "error": error}).told
    assert isinstance(lost, Lost) and not lost.terminal


@pytest.mark.parametrize("result", [None, [], "yes", True, 1])
def test_a_login_without_a_result_is_none(result: object) -> None:
    answer = {"msg": "result", "id": "login", "result": result}
    [lost] = Talk().opened().hears(CONNECTED, answer).told
    assert isinstance(lost, Lost) and not lost.terminal


def test_a_token_of_another_account_is_an_administrators_business() -> None:
    answer = {"msg": "result", "id": "login", "result": {"id": "somebody"}}
    [lost] = Talk().opened().hears(CONNECTED, answer).told
    assert lost == Lost("the access token belongs to another account", terminal=True)


def test_results_of_other_calls_are_not_the_logins() -> None:
    talk = Talk().opened().hears(CONNECTED, {**refusal(403), "id": "77"}, {**WELCOME, "id": 1})
    assert talk.session.state is State.CONNECTED


def test_ready_before_the_login_is_no_proof_of_anything() -> None:
    talk = Talk().opened().hears(CONNECTED, {"msg": "ready", "subs": ["s1", "s2", "s3"]})
    assert talk.told == [] and talk.session.state is State.CONNECTED


def test_the_users_that_a_single_process_server_tells_about_are_noise() -> None:
    added = {"msg": "added", "collection": "users", "id": BOT, "fields": {"username": "bbb"}}
    noise = [added, {**added, "msg": "changed"}, {**added, "msg": "removed"}]
    talk = Talk().opened().hears(*noise, CONNECTED, *noise, WELCOME, *noise)
    assert talk.told == [] and talk.session.state is State.LOGGED_IN


def test_the_error_frames_of_a_single_process_server_repeat_ours_and_are_not_told() -> None:
    login = {"msg": "method", "method": "login", "params": [{"resume": TOKEN}]}
    error = {"msg": "error", "reason": "Must connect first", "offendingMessage": login}
    assert Talk().opened().hears(error, CONNECTED, error, WELCOME, error).told == []


@pytest.mark.parametrize("reason", [f"no {TOKEN} here", f"\x1b[2J{TOKEN}\n" * 100])
def test_the_token_is_in_no_reason_and_no_repr(reason: str) -> None:
    session = Session(BOT, TOKEN)
    output = session.opened(0) + session.received(json.dumps(CONNECTED), 0)
    output += session.received(json.dumps(refusal(403, reason=reason)), 0)
    assert isinstance(lost := output[-1], Lost)
    assert TOKEN[:20] not in repr((output, session)) + lost.reason
    assert lost.reason.isprintable() and len(lost.reason) < 300


# Subscriptions


def test_the_three_subscriptions_wait_for_the_login() -> None:
    talk = Talk().opened().hears(CONNECTED)
    assert talk.asked() == []
    events = [frame["params"] for frame in talk.hears(WELCOME).said if frame["msg"] == "sub"]
    assert events == [[one.event, False] for one in USUAL]
    assert len(set(talk.asked())) == 3


@pytest.mark.parametrize("together", [True, False])
def test_live_when_all_are_ready_one_by_one_or_in_one_answer(together: bool) -> None:
    talk = Talk().logged_in()
    ids = talk.asked()
    if together:
        talk.hears({"msg": "ready", "subs": [*ids, "unknown", 5, None]})
    else:
        talk.hears({"msg": "ready", "subs": ids[:1]}, {"msg": "ready", "subs": ids[1:2]})
        assert talk.told == []
        talk.hears({"msg": "ready", "subs": ids[2:]}, {"msg": "ready", "subs": ids})
    assert talk.told == [Live(())]


@pytest.mark.parametrize("code", ["not-allowed", 404, 500, None, {}])
def test_what_is_refused_is_told_with_live(code: object) -> None:
    talk = Talk().logged_in()
    mine, *others = talk.asked()
    talk.hears(nosub(mine, code), {"msg": "ready", "subs": others})
    assert talk.told == [Live((MY_MESSAGES,))]


def test_all_refused_is_live_too_and_the_caller_polls() -> None:
    talk = Talk().logged_in()
    talk.hears(*(nosub(id, "not-allowed") for id in talk.asked()))
    assert talk.told == [Live(USUAL)]


@pytest.mark.parametrize(
    ("details", "pause"),
    [
        ({"timeToReset": 7000}, 7),
        ({"timeToReset": 6999.5}, 7),
        ({"timeToReset": -1}, 10),
        ({"timeToReset": 1e300}, 10),
        ({"timeToReset": "soon"}, 10),
        ({}, 10),
        (None, 10),
    ],
)
def test_too_many_requests_are_asked_again_after_the_pause(details: object, pause: int) -> None:
    talk = Talk().logged_in()
    first, *others = talk.asked()
    talk.hears({"msg": "ready", "subs": others}, nosub(first, "too-many-requests", details=details))
    assert len(talk.waits(pause - 1).asked("__my_messages__")) == 1
    [_, again] = talk.waits(1).asked("__my_messages__")
    assert again not in (first, *others)
    assert talk.hears({"msg": "ready", "subs": [again]}).told == [Live(())]


def test_too_many_requests_for_ever_are_a_refusal() -> None:
    talk = Talk(MY_MESSAGES).logged_in()
    for _ in range(5):
        talk.hears(nosub(talk.asked()[-1], "too-many-requests")).waits(10)
    assert talk.told == [Live((MY_MESSAGES,))]
    assert len(talk.asked()) == 5


def test_a_subscription_of_the_beginning_that_ends_takes_the_connection_with_it() -> None:
    talk = Talk().live()
    [mine] = talk.asked("__my_messages__")
    assert talk.hears({"msg": "nosub", "id": mine}).told[1:] == [
        Lost("the server ended a subscription")
    ]


@pytest.mark.parametrize("id", ["unknown", None, 3, ["s1"], {}])
def test_an_end_of_nothing_is_nothing(id: object) -> None:
    assert Talk().live().hears({"msg": "nosub", "id": id}).told == [Live(())]


def test_rooms_are_subscribed_to_later_at_a_pace_that_servers_allow() -> None:
    talk = Talk().live()
    rooms = [messages_of(f"room{n}") for n in range(100)]
    talk.session.subscribe(rooms)
    times = [talk.now] * 3
    while len(talk.asked()) < 103:
        talk.waits(1)
        talk.hears({"msg": "ready", "subs": talk.asked()})
        times += [talk.now] * (len(talk.asked()) - len(times))
        assert talk.now < 1000 + 130, "it takes no longer than it must"
    for end in times:
        assert sum(end - 40 < begun <= end for begun in times) < 40
    assert len(set(talk.asked())) == 103, "each id is used once"
    assert {frame["params"][0] for frame in talk.said if frame["msg"] == "sub"} >= {
        room.event for room in rooms
    }


def test_a_later_refusal_is_told_by_itself_and_the_rest_goes_on() -> None:
    talk = Talk().live()
    talk.session.subscribe([messages_of("a"), messages_of("b"), messages_of("c")])
    [a], [b] = (talk.waits(1).asked(room) for room in "ab")
    talk.hears({"msg": "ready", "subs": [a]}, nosub(b, "not-allowed")).waits(10)
    talk.hears({"msg": "nosub", "id": a})
    assert talk.told[1:] == [
        Refused(messages_of("b"), "not-allowed"),
        Refused(messages_of("c"), ""),
        Refused(messages_of("a"), ""),
    ]
    assert talk.session.state is State.SUBSCRIBED


def test_what_was_ended_can_be_asked_for_again_under_a_new_id() -> None:
    talk = Talk().live()
    for _ in range(2):
        talk.session.subscribe([messages_of("a")])
        talk.waits(1).hears({"msg": "ready", "subs": talk.asked("a")[-1:]})
        talk.session.unsubscribe(messages_of("a"))
        talk.waits(1)
        assert talk.said[-1] == {"msg": "unsub", "id": talk.asked("a")[-1]}
        talk.hears({"msg": "nosub", "id": talk.asked("a")[-1]})
    assert len(set(talk.asked("a"))) == 2
    assert talk.told == [Live(())]


def test_subscribing_twice_is_once_and_unsubscribing_before_it_went_out_is_silent() -> None:
    talk = Talk().live()
    talk.session.subscribe([messages_of("a"), messages_of("a"), messages_of("b")])
    talk.session.subscribe([messages_of("a")])
    talk.session.unsubscribe(messages_of("b"))
    talk.session.unsubscribe(messages_of("never"))
    talk.waits(1)
    assert (talk.kinds()[-1], len(talk.asked("a")), talk.asked("b")) == ("sub", 1, [])


# Events


ACCESS = {"roomParticipant": True, "roomType": "c", "roomName": "general"}


@pytest.mark.parametrize(
    ("args", "access"),
    [
        (({"_id": "m"}, ACCESS), ACCESS),
        (({"_id": "m"}, {"roomParticipant": False, "roomType": "c"}), None),
        (({"_id": "m"},), None),
        (({"_id": "m"}, None), None),
        (({"_id": "m"}, "c"), None),
        (({"_id": "m"}, ACCESS, "more", 3), ACCESS),
    ],
)
def test_a_message_is_handed_on_as_it_came(args: tuple[Any, ...], access: Any) -> None:
    if access is None and len(args) > 1 and isinstance(args[1], dict):
        access = args[1]
    talk = Talk().live().hears(seen(*args))
    assert talk.told[1:] == [MessageSeen({"_id": "m"}, access, "__my_messages__")]


def test_overlapping_subscriptions_bring_a_message_once_for_each() -> None:
    talk = Talk().live()
    talk.session.subscribe([messages_of("GENERAL")])
    talk.waits(1).hears({"msg": "ready", "subs": talk.asked("GENERAL")})
    talk.hears(seen({"_id": "m"}, event="GENERAL"), seen({"_id": "m"}, ACCESS))
    names = [event.event_name for event in talk.told if isinstance(event, MessageSeen)]
    assert names == ["GENERAL", "__my_messages__"]


def test_a_message_may_come_before_ready() -> None:
    talk = Talk().logged_in().hears(seen({"_id": "m"}, ACCESS))
    assert talk.told == [MessageSeen({"_id": "m"}, ACCESS, "__my_messages__")]


def test_a_message_before_the_login_is_not_for_us() -> None:
    assert Talk().opened().hears(seen({"_id": "m"}), CONNECTED, seen({"_id": "m"})).told == []


@pytest.mark.parametrize(
    "frame",
    [
        seen({"_id": "m"}, event="a room nobody asked for"),
        seen({"_id": "m"}, event=7),
        seen({"_id": "m"}, event=None),
        seen({"_id": "m"}, event=["__my_messages__"]),
        seen(),
        seen(None),
        seen("m"),
        seen([{"_id": "m"}]),
        changed(7, "__my_messages__", {}),
        changed("stream-notify-user", "__my_messages__", {}),
        changed("stream-notify-user", "somebody/force_logout"),
        changed("stream-notify-user", "somebody/subscriptions-changed", "inserted", {}),
        changed("stream-notify-user", f"{BOT}/subscriptions-changed"),
        changed("stream-notify-user", f"{BOT}/subscriptions-changed", "inserted"),
        changed("stream-notify-user", f"{BOT}/subscriptions-changed", "inserted", None),
        changed("stream-notify-user", f"{BOT}/subscriptions-changed", "exploded", {}),
        changed("stream-notify-user", f"{BOT}/subscriptions-changed", ["inserted"], {}),
        {"msg": "changed", "collection": "stream-room-messages"},
        {"msg": "changed", "collection": "stream-room-messages", "fields": None},
        {"msg": "changed", "collection": "stream-room-messages", "fields": ["args"]},
        {**seen(), "fields": {"eventName": "__my_messages__", "args": "none"}},
        {**seen(), "fields": {"eventName": "__my_messages__"}},
        {"msg": "banana"},
        {"msg": ["ping"]},
        {"msg": {"ping": 1}},
        {"foo": 1},
        {"msg": "ready"},
        {"msg": "ready", "subs": "s1"},
        {"msg": "ready", "subs": [["s1"], {}]},
        {"msg": "nosub"},
        [],
        7,
        None,
        "",
        "{not json",
        "[" * 100_000,
        '{"msg": ' + "9" * 5000 + "}",
        b'{"msg": "ping"}',
        b"\xff\x00",
    ],
    ids=lambda frame: repr(frame)[:60],
)
def test_what_makes_no_sense_is_passed_over(frame: object) -> None:
    for talk in (Talk().opened().hears(CONNECTED), Talk().logged_in(), Talk().live()):
        said, told = list(talk.said), list(talk.told)
        assert (talk.hears(frame).told, talk.said) == (told, said)
    assert len(talk.hears(seen({"_id": "m"}, ACCESS)).told) == 2, "and the next is heard"


def test_documents_are_not_judged_here_but_come_without_their_tree() -> None:
    assert Talk().live().hears(seen({"_id": "m", "md": [{}]})).told[1:] == [
        MessageSeen({"_id": "m"}, None, "__my_messages__")
    ]
    document = {"_id": 5, "rid": None, "u": {"_id": None}, "ts": "yesterday", "msg": "x" * 10**6}
    talk = Talk().live().hears(seen(document, ACCESS))
    assert talk.told[1:] == [MessageSeen(document, ACCESS, "__my_messages__")]


@pytest.mark.parametrize("action", ["inserted", "updated", "removed"])
def test_memberships_are_told(action: str) -> None:
    row = {"_id": "s9", "rid": "PRIV2", "t": "p"}
    talk = (
        Talk().live().hears(changed("stream-notify-user", memberships_of(BOT).event, action, row))
    )
    assert talk.told[1:] == [SubscriptionChanged(action, row)]


@pytest.mark.parametrize("args", [[], [True], [None, {}]])
def test_a_forced_logout_ends_the_session_and_the_next_login_tells_why(args: list[object]) -> None:
    talk = Talk().live().hears(changed("stream-notify-user", logouts_of(BOT).event, *args))
    assert talk.told[1:] == [
        Lost("the server ended the sessions of this account", terminal=False),
    ]


# Time


def test_a_server_that_never_greets() -> None:
    talk = Talk().opened().waits(9)
    assert talk.told == []
    assert talk.waits(1).told == [Lost("no answer to the greeting within 10 s")]


def test_a_login_without_an_answer_however_much_else_comes() -> None:
    talk = Talk().opened().waits(9).hears(CONNECTED)
    for _ in range(9):
        talk.hears({"msg": "ping"}, {"msg": "updated", "methods": ["login"]}).waits(1)
    assert talk.told == []
    assert talk.waits(1).told == [Lost("no answer to the login within 10 s")]


def test_ready_that_never_comes() -> None:
    talk = Talk().logged_in()
    talk.hears({"msg": "ready", "subs": talk.asked()[:2]})
    assert talk.waits(9).told == []
    assert talk.waits(1).told == [Lost("no answer to a subscription within 10 s")]


def test_silence_is_asked_about_once_and_then_is_the_end() -> None:
    talk = Talk().live().waits(24)
    assert "ping" not in talk.kinds()
    assert talk.waits(20).kinds().count("ping") == 1
    assert talk.waits(1).told[1:] == [Lost("nothing was heard for 45 s")]
    assert talk.waits(100).hears({"msg": "ping"}, CONNECTED).kinds().count("ping") == 1
    assert len(talk.told) == 2, "the end comes once"


@pytest.mark.parametrize("frame", [{"msg": "pong", "id": "alive"}, {"msg": "banana"}, "{", b"\0"])
def test_whatever_comes_is_a_sign_of_life(frame: object) -> None:
    talk = Talk().live()
    for _ in range(4):
        talk.waits(40).hears(frame)
    assert talk.told == [Live(())]
    assert talk.kinds().count("ping") == 4


def test_timings_are_the_callers() -> None:
    session = Session(BOT, TOKEN, timings=Timings(step=0.1, ping_after=0.2, dead_after=0.3))
    session.opened(0)
    assert session.tick(0.05) == []
    assert [type(one) for one in session.tick(0.1)] == [Lost]


@pytest.mark.parametrize("state", ["new", "over"])
def test_nothing_happens_before_the_beginning_and_after_the_end(state: str) -> None:
    session = Session(BOT, TOKEN)
    if state == "over":
        session.opened(0)
        session.over("enough")
    for frame in (CONNECTED, {"msg": "ping"}, WELCOME, seen({"_id": "m"}, ACCESS)):
        assert session.received(json.dumps(frame), 1) == []
    assert session.tick(1000) == []
