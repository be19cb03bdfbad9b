"""The schemas that keep the Rocket.Chat test server honest judge as Rocket.Chat would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.fakes.rocketchat import strict

DATA = Path(__file__).parents[1] / "data" / "rocketchat"
NONSENSE = Path(strict.__file__).with_name("nonsense.py")
WHEN = {"$date": 1_795_247_826_381}
MESSAGE = {
    "_id": "m1",
    "rid": "r1",
    "msg": "hello",
    "ts": WHEN,
    "_updatedAt": WHEN,
    "u": {"_id": "u1", "username": "ana"},
}


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    yield
    strict.taken()


def in_frame(message: dict[str, Any]) -> dict[str, Any]:
    fields = {"eventName": "__my_messages__", "args": [message, {"roomParticipant": True}]}
    return {"msg": "changed", "collection": "stream-room-messages", "id": "id", "fields": fields}


GOOD = [
    pytest.param("GET me", "", None, id="nothing to say"),
    pytest.param("GET chat.getMessage", "msgId=m1", None, id="an id"),
    pytest.param("GET settings.public", "_id=A,B&count=50", None, id="numbers are numbers"),
    pytest.param("GET rooms.membersOrderedByRole", "roomId=r&count=5&offset=0", None, id="a page"),
    pytest.param("GET im.members", "roomId=r", None, id="im. is dm."),
    pytest.param("GET dm.members", "roomId=r&status[]=online", None, id="a list"),
    pytest.param("GET dm.history", "roomId=r&showThreadMessages=true", None, id="a true text"),
    pytest.param("POST chat.sendMessage", "", {"message": {"rid": "r"}, "previewUrls": []}, id="2"),
    pytest.param("POST chat.sendMessage", "", {"message": {"rid": "r", "tmid": None}}, id="null"),
    pytest.param(
        "POST chat.react",
        "",
        {"messageId": "m", "emoji": ":eyes:", "shouldReact": True},
        id="a reaction",
    ),
    pytest.param("POST dm.create", "", {"username": "ana"}, id="a direct message"),
    pytest.param("POST login", "", {"resume": "t"}, id="a login that the export does not know"),
]
BAD = [
    pytest.param("GET no.such", "", None, id="an endpoint nobody knows"),
    pytest.param("POST chat.getMessage", "", {"msgId": "m"}, id="another method"),
    pytest.param("GET chat.getMessage", "", None, id="an id is missing"),
    pytest.param("GET chat.getMessage", "msgId=m&msgId=n", None, id="an id twice"),
    pytest.param("GET chat.getMessage", "msgId=m&roomId=r", None, id="one thing too much"),
    pytest.param("GET settings.public", "count=many", None, id="a number in words"),
    pytest.param("GET users.info", "userId=u&fields={}", None, id="fields are gone in 9.0"),
    pytest.param("GET rooms.roles", "roomId=r", None, id="it is called rid there"),
    pytest.param("GET rooms.get", "updatedSince=yesterday", None, id="a date in words"),
    pytest.param("GET me", "", {"a": 1}, id="a body"),
    pytest.param("POST chat.react?messageId=m", "messageId=m", {}, id="a query string"),
    pytest.param("POST chat.sendMessage", "", {"message": {"rid": 3}}, id="a number for a text"),
    pytest.param("POST chat.sendMessage", "", {"message": {"rid": "r"}, "x": 1}, id="more keys"),
    pytest.param(
        "POST chat.postMessage", "", {"roomId": "r", "channel": "c", "text": ""}, id="both rooms"
    ),
    pytest.param("POST chat.react", "", {"messageId": "m", "emoji": 1}, id="no text"),
    pytest.param("POST dm.create", "", {"username": ["ana"]}, id="a list of names"),
]


def asked(name: str, query: str, body: Any) -> str | None:
    pairs = [(key, value) for key, _, value in (p.partition("=") for p in query.split("&") if p)]
    return strict.check_request(name, pairs, b"" if body is None else json.dumps(body).encode())


@pytest.mark.parametrize(("name", "query", "body"), GOOD)
def test_a_good_request(name: str, query: str, body: Any) -> None:
    assert asked(name, query, body) is None
    assert strict.taken() == []


@pytest.mark.parametrize(("name", "query", "body"), BAD)
def test_a_bad_request_is_kept(name: str, query: str, body: Any) -> None:
    problem = asked(name, query, body)
    assert problem
    assert strict.taken() == [f"{name}: {problem}"]
    assert strict.taken() == []


def test_a_body_that_is_no_json() -> None:
    assert strict.check_request("POST chat.react", [], b"{") == "the body is not JSON"


def test_documents_are_looked_for_where_an_answer_has_them() -> None:
    message = strict.with_iso_dates(MESSAGE)
    strict.check_answer("GET chat.syncMessages", {"result": {"updated": [message], "deleted": []}})
    strict.check_answer("GET subscriptions.getOne", {"subscription": None})
    assert strict.taken() == []
    strict.check_answer("GET chat.syncMessages", {"result": {"updated": [message, MESSAGE]}})
    strict.check_answer("GET channels.history", {"updated": [message]})
    strict.check_answer("POST chat.sendMessage", {"success": True})
    assert len(strict.taken()) == 3


def test_dates_in_frames_are_dates_of_the_protocol() -> None:
    strict.check_frame(in_frame(MESSAGE))
    assert strict.taken() == []
    strict.check_frame(in_frame({**MESSAGE, "ts": 1_795_247_826_381}))
    strict.check_frame(in_frame({name: one for name, one in MESSAGE.items() if name != "rid"}))
    strict.check_frame(in_frame({**MESSAGE, "u": {"_id": None, "username": None}}))
    assert len(strict.taken()) == 3


def test_of_a_subscription_that_is_gone_only_a_part_is_left() -> None:
    def changed(action: str) -> None:
        gone = {"_id": "s1", "rid": "r1", "t": "p", "u": {"_id": "u1"}}
        fields = {"eventName": "u1/subscriptions-changed", "args": [action, gone]}
        strict.check_frame({"collection": "stream-notify-user", "fields": fields})

    changed("removed")
    assert strict.taken() == []
    changed("inserted")
    assert len(strict.taken()) == 1


def test_a_room_whose_maker_is_gone() -> None:
    room = {"_id": "r", "t": "c", "msgs": 0, "usersCount": 1, "_updatedAt": "2026-01-01T00:00:00Z"}
    for maker in ({"_id": "u1"}, {"_id": None, "username": None}):
        strict.check_answer("GET rooms.info", {"room": {**room, "u": maker}})
    assert strict.taken() == []
    strict.check_answer("GET rooms.info", {"room": {**room, "u": {"_id": 5}}})
    strict.check_answer("GET rooms.info", {"room": room})
    assert len(strict.taken()) == 2


@pytest.mark.parametrize("file", ["requests.json", "documents.json"])
def test_the_derived_schemas_are_standard_and_name_their_source(file: str) -> None:
    content = json.loads((DATA / file).read_text(encoding="utf-8"))
    about = content.pop("_about")
    assert "8.8.1" in about
    assert "MIT-licensed Rocket.Chat source, Copyright (c) Rocket.Chat Technologies Corp." in about
    for schema in [*content.get("requests", {}).values(), {"$defs": content.get("$defs", {})}]:
        Draft202012Validator.check_schema(schema)
    text = json.dumps(content)
    assert '"nullable"' not in text
    assert "#/components/" not in text


def test_no_request_is_written_by_hand_that_is_published() -> None:
    published = json.loads((DATA / "requests.json").read_text(encoding="utf-8"))["requests"]
    assert published.keys() & strict.UNPUBLISHED.keys() == set()
    assert set(strict.ANSWERS) <= published.keys() | strict.UNPUBLISHED.keys()


def test_what_is_refused_fails_the_test_that_runs() -> None:
    """Also in the background: the test itself notices nothing."""
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", NONSENSE],
        cwd=NONSENSE.parents[3],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "GET no.such: no schema" in said.stdout
    assert "2 passed, 1 error" in said.stdout
