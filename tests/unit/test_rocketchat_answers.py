"""What an answer of Rocket.Chat means, in the shape of each generation, and what proxies say."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest

from bot.chat.rocketchat.answers import (
    Busy,
    Failed,
    LoggedOut,
    Moved,
    Refused,
    RestError,
    Unavailable,
    error_from,
    left_until_reset,
    waiting_time,
)
from commands.errors import ChatBusy, ChatFailed, ChatRefused, ChatTrouble, ChatUnavailable

NOT_IN = "You must be logged in to do this."
NO_RIGHT = "User does not have the permissions required for this action [error-unauthorized]"
READ_ONLY = "You can't send messages because the room is readonly."
SLOW_DOWN = (
    "Error, too many requests. Please slow down. You must wait 23 seconds before trying this "
    "endpoint again. [error-too-many-requests]"
)


def no(error: str | None = None, **more: Any) -> dict[str, Any]:
    return {"success": False, **({"error": error} if error else {}), **more}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        pytest.param(401, {"status": "error", "message": NOT_IN}, Refused, "", id="6.x no token"),
        pytest.param(401, no(NOT_IN, status="error", message=NOT_IN), Refused, "", id="7.x same"),
        pytest.param(401, no(NOT_IN), Refused, "", id="9.0 the same"),
        pytest.param(401, no("unauthorized"), Refused, "unauthorized", id="9.0 no permission"),
        pytest.param(
            401, {"status": "error", "error": 403, "message": "Wrong"}, Refused, "Wrong", id="6.x"
        ),
        pytest.param(403, no(NO_RIGHT), Refused, "error-unauthorized", id="6.x to 8.x no right"),
        pytest.param(403, no("forbidden"), Refused, "forbidden", id="9.0 no right"),
        pytest.param(403, None, Unavailable, "", id="a firewall's page"),
        pytest.param(400, no("Not [error-x]", errorType="error-x"), Refused, "error-x", id="type"),
        pytest.param(400, no("Bad [invalid-params]"), Refused, "invalid-params", id="code in text"),
        pytest.param(400, no("You_have_been_muted"), Refused, "You_have_been_muted", id="muted"),
        pytest.param(400, no(READ_ONLY), Refused, "", id="read only"),
        pytest.param(400, no("not-allowed", errorType="Not So"), Refused, "Not So", id="words"),
        pytest.param(400, no(), Refused, "", id="no such message: no word"),
        pytest.param(400, None, Unavailable, "", id="a proxy's 400"),
        pytest.param(400, no("Cannot read properties of undefined (reading 'rid')"), Failed, "",
                     id="an id that is taken"),
        pytest.param(400, no("E11000 duplicate key error"), Failed, "", id="two at once"),
        pytest.param(404, no("Resource not found"), Refused, "", id="not found"),
        pytest.param(404, None, Unavailable, "", id="a proxy without a route"),
        pytest.param(413, None, Refused, "too-large", id="a proxy's size limit"),
        pytest.param(429, no(SLOW_DOWN), Busy, "error-too-many-requests", id="too many"),
        pytest.param(400, no(SLOW_DOWN), Busy, "error-too-many-requests", id="too many, as 400"),
        pytest.param(429, None, Busy, "error-too-many-requests", id="a proxy's limit"),
        pytest.param(500, no("Internal server error"), Failed, "", id="it broke"),
        pytest.param(500, None, Unavailable, "", id="something before it broke"),
        pytest.param(503, no("starting"), Unavailable, "starting", id="starting"),
        pytest.param(504, None, Unavailable, "", id="a gateway's timeout"),
        pytest.param(200, no("x y"), Refused, "", id="a no with 200"),
        pytest.param(200, None, Unavailable, "not-json", id="200 and a page, or nothing"),
        pytest.param(200, ["x"], Unavailable, "not-json", id="200 and a list"),
        pytest.param(200, {"status": "error", "message": "x y"}, Refused, "", id="error with 200"),
        pytest.param(302, None, Moved, "redirect", id="somewhere else"),
    ],
)  # fmt: skip
def test_an_answer_means(status: int, body: Any, kind: type[RestError], code: str) -> None:
    found = error_from(status, {}, body)
    assert type(found) is kind
    assert (found.status, found.code) == (status if kind is not Busy else 429, code)


@pytest.mark.parametrize(
    "body", [{"success": True}, {"status": "success", "data": {}}, {"version": "8.1"}]
)
def test_all_is_well(body: Any) -> None:
    assert error_from(200, {}, body) is None


@pytest.mark.parametrize(
    ("kind", "port"),
    [
        (Refused(400), ChatRefused),
        (Failed(500), ChatFailed),
        (Unavailable(502), ChatUnavailable),
        (LoggedOut(), ChatUnavailable),
        (error_from(429, {}, None), ChatBusy),
    ],
)
def test_each_is_what_the_core_knows(kind: RestError, port: type[ChatTrouble]) -> None:
    assert isinstance(kind, port)


def headers(reset: float | str, *, server: float | None = None) -> dict[str, str]:
    date = {} if server is None else {"Date": formatdate(server, usegmt=True)}
    return {
        "X-RateLimit-Reset": reset if isinstance(reset, str) else str(int(reset * 1000)),
        **date,
    }


NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("given", "said", "seconds"),
    [
        pytest.param(headers(NOW + 12, server=NOW), "", 12, id="the header, by the server's clock"),
        pytest.param(headers(NOW + 12, server=NOW), SLOW_DOWN, 12, id="the header comes first"),
        pytest.param(headers(NOW - 12, server=NOW), SLOW_DOWN, 23, id="past: the text"),
        pytest.param(headers(NOW - 12, server=NOW), "", 5, id="past, no text"),
        pytest.param({}, SLOW_DOWN, 23, id="missing: the text"),
        pytest.param({}, "", 5, id="missing, no text"),
        pytest.param(headers("soon"), "", 5, id="no number"),
        pytest.param(headers("9" * 400, server=NOW), "", 300, id="absurd"),
        pytest.param({}, "wait 999999 seconds", 300, id="absurd text"),
        pytest.param({}, "wait 0 seconds", 1, id="not at all"),
        pytest.param(headers(NOW + 0.1, server=NOW), "", 1, id="a moment"),
    ],
)
def test_how_long_to_wait(given: dict[str, str], said: str, seconds: float) -> None:
    assert waiting_time(given, said).total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize("date", [{}, {"Date": "never"}])
def test_without_a_date_our_clock_is_asked(date: dict[str, str]) -> None:
    left = left_until_reset({**headers(time.time() + 60), **date})
    assert left is not None
    assert 30 < left.total_seconds() <= 60


@pytest.mark.parametrize(
    ("location", "address"),
    [
        pytest.param(
            "https://c.example.org/api/v1/me?x=1", "https://c.example.org", id="https instead"
        ),
        pytest.param(
            "https://u:p@c.example.org:8443/rc/api/info", "https://c.example.org:8443/rc", id="port"
        ),
        pytest.param("/home", "another path of the same host", id="a path"),
        pytest.param("", "another path of the same host", id="nothing"),
        pytest.param("https://[", "another address", id="nonsense"),
    ],
)
def test_a_redirect_names_the_address_to_configure(location: str, address: str) -> None:
    found = error_from(308, {"Location": location}, None)
    assert isinstance(found, Moved)
    assert found.address == address


@pytest.mark.parametrize("error", [7, None, ["x"], {"a": 1}, "", "x" * 10_000, "\x00\n"])
def test_no_body_breaks_it(error: Any) -> None:
    found = error_from(400, {}, {"success": False, "error": error, "errorType": error})
    assert isinstance(found, Refused)
    assert len(str(found)) < 300
