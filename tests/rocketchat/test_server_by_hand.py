"""`python -m tests.fakes.rocketchat`: what it prints, that it serves, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.fakes.rocketchat import PROFILES

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tests.fakes.rocketchat")


@contextmanager
def running(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """The server in a process of its own, and its line."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.kill()


def asked(url: str, headers: dict[str, str] | None = None, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    sent = {**(headers or {}), **({"Content-Type": "application/json"} if body else {})}
    with urlopen(Request(url, data=data, headers=sent), timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("profile", PROFILES)
def test_it_prints_a_line_serves_and_ends_with_sigterm(profile: str) -> None:
    with running("--profile", profile) as (line, process):
        users = {user["username"]: user for user in line["users"]}
        bot, ana = users["bbb"], users["ana"]
        api = line["url"] + "/api/v1/"
        assert asked(line["url"] + "/api/info")["version"] == line["version"].rpartition(".")[0]
        bearer = {"X-Auth-Token": line["tokens"]["bbb"], "X-User-Id": bot["id"]}
        me = asked(api + "me", bearer)
        assert (me["username"], me["roles"]) == ("bbb", ["bot", "user"])
        login = asked(api + "login", body={"user": "ana", "password": ana["password"]})["data"]
        person = {"X-Auth-Token": login["authToken"], "X-User-Id": login["userId"]}
        room = next(room for room in line["rooms"] if room["name"] == "team")
        said = {"message": {"rid": room["id"], "msg": "hello"}}
        assert asked(api + "chat.sendMessage", person, said)["message"]["u"]["username"] == "ana"
        with pytest.raises(HTTPError, match="401"):
            asked(api + "me")
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, output, errors) == (0, "", "")
    assert {room["type"] for room in line["rooms"]} == {"c", "p", "d"}


def test_at_its_end_it_says_what_no_schema_allows() -> None:
    with running() as (line, process):
        with pytest.raises(HTTPError, match="404"):
            asked(line["url"] + "/api/v1/no.such")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert errors.startswith("against Rocket.Chat's schemas: GET no.such: no schema")


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [*COMMAND, "--port", port], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Cannot listen on 127.0.0.1:{port}: ")
    assert ended.stdout == ""


def test_a_port_that_there_cannot_be_is_said_in_a_sentence() -> None:
    ended = subprocess.run(
        [*COMMAND, "--port", "99999"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr == "Cannot listen on 127.0.0.1:99999: bind(): port must be 0-65535.\n"
