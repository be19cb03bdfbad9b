"""What a log line shows, and what it never shows."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from bot import logs

CANARY = 'canary/3f9c "8a17'
LINK = "Zm9vYmFyYmF6cXV4MTIzNA"

Lines = Callable[[], list[str]]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture(params=["text", "json"])
def stream(request: pytest.FixtureRequest) -> io.StringIO:
    """Where the log goes, in each form, with one known secret."""
    stream = io.StringIO()
    logs.set_up(form=request.param, secrets=[CANARY], stream=stream)
    return stream


def entry(stream: io.StringIO) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(stream.getvalue())
    return loaded


@pytest.fixture
def as_json() -> io.StringIO:
    stream = io.StringIO()
    logs.set_up(form="json", stream=stream)
    return stream


def test_json_holds_a_sentence_and_its_fields(as_json: io.StringIO) -> None:
    logging.getLogger("bot.x").info("room %s made", "daily", extra={"action": "made", "seats": 3})
    found = entry(as_json)

    assert found.pop("time")
    assert found == {
        "action": "made",
        "seats": 3,
        "level": "info",
        "logger": "bot.x",
        "message": "room daily made",
    }


def test_a_field_cannot_take_the_place_of_the_message_level_or_time(
    as_json: io.StringIO,
) -> None:
    logging.getLogger("bot.x").info("told", extra={"level": "x", "logger": "x", "time": "x"})

    assert entry(as_json)["level"] == "info"
    assert entry(as_json)["time"] != "x"


def test_text_is_for_terminals_and_json_for_the_rest() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        logs.set_up(stream=stream)
        logging.getLogger("bot.x").info("told", extra={"room": "r1"})

    assert terminal.getvalue().endswith("INFO    bot.x  told  room=r1\n")
    assert entry(pipe)["room"] == "r1"


async def test_lines_of_one_command_carry_its_ref_also_from_tasks(as_json: io.StringIO) -> None:
    async def work() -> None:
        logging.getLogger("bot.x").info("worked")

    with logs.about("matrix:$event"):
        task = asyncio.create_task(work())
    await task
    logging.getLogger("bot.x").info("afterwards")
    first, second = map(json.loads, as_json.getvalue().splitlines())

    assert first["ref"] == "matrix:$event"
    assert "ref" not in second


def leak_in_message() -> None:
    logging.getLogger("bot.x").warning("using %s", CANARY)


def leak_in_field() -> None:
    logging.getLogger("bot.x").warning("told", extra={"what": {"deep": [CANARY]}})


def leak_in_traceback() -> None:
    try:
        raise RuntimeError(f"https://bbb.example.org/api/create?secret={CANARY}")
    except RuntimeError:
        logging.getLogger("bot.x").exception("failed")


def leak_in_cause() -> None:
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            raise RuntimeError("wrapped") from error
    except RuntimeError:
        logging.getLogger("bot.x").exception("failed")


def leak_in_a_cached_traceback() -> None:
    """Another handler has formatted the record before ours and left its text in it."""
    record = logging.makeLogRecord({"msg": "failed", "exc_text": CANARY, "levelno": 40})
    logging.getLogger().handlers[0].handle(record)


def leak_in_address() -> None:
    logging.getLogger("bot.x").warning("GET /canary%2F3f9c%20%228a17 canary%2F3f9c+%228a17")


@pytest.mark.parametrize(
    "leak",
    [
        leak_in_message,
        leak_in_field,
        leak_in_traceback,
        leak_in_cause,
        leak_in_a_cached_traceback,
        leak_in_address,
    ],
)
def test_a_known_secret_is_hidden(leak: Callable[[], None], stream: io.StringIO) -> None:
    leak()

    assert stream.getvalue()
    assert "3f9c" not in stream.getvalue()
    assert "8a17" not in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /api/join?a=b&checksum=0a1b2c&x=y", "GET /api/join?a=b&checksum=[hidden]&x=y"),
        ("/sync?access_token=syt_abc done", "/sync?access_token=[hidden] done"),
        ("/html5client?sessionToken=q1w2e3", "/html5client?sessionToken=[hidden]"),
        ("{'access_token': 'syt_abc'}", "{'access_token': '[hidden]'}"),
        ("Authorization: Bearer syt_abc", "Authorization: Bearer [hidden]"),
        (f"GET /meet/j/{LINK} 200", "GET /meet/j/[hidden] 200"),
        (f"https://m.example.org/j/{LINK}?lang=fr", "https://m.example.org/j/[hidden]?lang=fr"),
        ("the checksum is wrong", "the checksum is wrong"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, shown: str) -> None:
    assert logs.Redaction([])(text) == shown


def test_a_secret_inside_a_longer_secret_leaves_no_rest() -> None:
    assert logs.Redaction(["abc", "abcdef", ""])("abcdef abc") == "[hidden] [hidden]"


def test_text_from_outside_cannot_forge_a_line() -> None:
    stream = io.StringIO()
    logs.set_up(form="text", stream=stream)
    logging.getLogger("bot.x").info("topic %s", "a\n12:00:00 ERROR bot.x  forged\x1b[2J\u2028")

    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("name", ["httpx", "httpcore.connection", "nio.rooms", "uvicorn.access"])
def test_libraries_that_tell_every_request_are_quiet(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # uvicorn takes its access log off the tree where a server without one was started before
    monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    stream = io.StringIO()
    logs.set_up(level="debug", stream=stream)
    logging.getLogger(name).info("HTTP Request: GET https://bbb.example.org/api/…")
    logging.getLogger(name).warning("trouble")

    assert entry(stream)["message"] == "trouble"


def test_setting_up_again_does_not_double_the_lines() -> None:
    stream = io.StringIO()
    for _ in range(2):
        logs.set_up(stream=stream)
    logging.getLogger("bot.x").info("once")

    assert len(stream.getvalue().splitlines()) == 1
