"""The sync loop on bad days: against a scripted homeserver, so it needs no Synapse."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chat.backoff import Backoff
from bot.chat.base import ChatMisconfigured, Mode
from bot.chat.matrix import gaps, sync
from bot.chat.matrix.adapter import MatrixAdapter
from bot.chat.matrix.client import Client
from bot.demo.synapse import Account
from commands.errors import ChatBusy, ChatFailed, ChatRefused, ChatUnavailable
from storage.records import Channel, Kind
from tests.matrix.bots import adapter_for, eventually, outgoing, person
from tests.matrix.homeserver import (
    DEVICE,
    ME,
    ROOM,
    Answer,
    Homeserver,
    drops,
    hangs,
    is_cut,
    message,
    page,
    refuses,
    says,
    synced,
)
from tests.matrix.intake import Inbox

HTML = "<html>Bad gateway</html>"
TROUBLES = {
    "a gateway's 502": says(HTML, 502),
    "an error 500": refuses(500, "M_UNKNOWN"),
    "a 503 without a body": says("", 503),
    "a 403": refuses(403, "M_FORBIDDEN"),
    "a 404 of a proxy": says(HTML, 404),
    "a page with 200": says(HTML),
    "a 401 page of a proxy": says(HTML, 401),
    "JSON that is no object": says("[]"),
    "JSON without a position": says({"rooms": {}}),
    "rooms of the wrong shape": says({"next_batch": "x", "rooms": 5}),
    "a body cut short": is_cut,
    "a dropped connection": drops,
    "a redirect": says(HTML, 302, {"Location": "/elsewhere"}),
}


@pytest.fixture
async def server() -> AsyncIterator[Homeserver]:
    async with Homeserver() as server:
        yield server


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@asynccontextmanager
async def running(
    server: Homeserver, inbox: Inbox, directory: Path, **settings: Any
) -> AsyncIterator[MatrixAdapter]:
    settings = {"encryption": False, **settings}
    adapter = adapter_for(
        server.url, Account(ME, "secret-token", DEVICE, ""), directory, **settings
    )
    async with AsyncExitStack() as leaving:
        leaving.push_async_callback(adapter.stop)
        await adapter.start(inbox)
        yield adapter


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
async def test_after_trouble_it_goes_on_where_it_was(
    server: Homeserver, inbox: Inbox, tmp_path: Path, trouble: Answer
) -> None:
    server.syncs += [says(synced("s1")), trouble, trouble, says(synced("s2", message(1)))]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 1")
        await server.asked("sync", 5)

    assert server.since == [None, "s1", "s1", "s1", "s2"]
    assert inbox.commits == [("s1", []), ("s2", ["say 1"])]  # command and position in one


async def test_trouble_from_the_first_moment_does_not_keep_the_bot_from_starting(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [says(HTML, 502)] * 3 + [says(synced("s1"))]

    async with running(server, inbox, tmp_path) as adapter:
        assert adapter.mode is Mode.DOWN
        await inbox.until(lambda inbox: inbox.positions == ["s1"])

        async def is_healthy() -> bool:
            return adapter.mode is Mode.LIVE

        await eventually(is_healthy)


async def test_lasting_trouble_is_asked_about_less_and_less(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [says(synced("s1"))] + [refuses(500, "M_UNKNOWN")] * 100
    patient = Backoff(first=0.04, longest=0.16)

    began = time.monotonic()
    async with running(server, inbox, tmp_path, backoff=patient):
        await server.asked("sync", 8)
        took = time.monotonic() - began

    least = 0.5 * (0.04 + 0.08 + 4 * 0.16)  # six pauses lie between the seven failures
    assert took >= least


LIMITS = {
    "a limit with its time in the body": refuses(429, "M_LIMIT_EXCEEDED", retry_after_ms=60_000),
    "a limit with its time in the header": says(HTML, 429, {"Retry-After": "60"}),
    "a limit without a time": refuses(429, "M_LIMIT_EXCEEDED"),
}
DEAD = {
    "a dead token": refuses(401, "M_UNKNOWN_TOKEN"),
    "no account": refuses(403, "M_USER_DEACTIVATED"),
}
LOOKED_AT_SECONDS = 2.5


async def test_no_answer_of_any_kind_makes_a_hot_loop(tmp_path: Path) -> None:
    """With the pauses of an ordinary run; nio's own loop asks 3,400 times a second.

    Twice, because aiohttp itself asks once more where a connection it had kept was dropped.
    """

    async def asked_too_often(name: str, answer: Answer) -> str | None:
        async with Homeserver() as server:
            server.syncs += [says(synced("s1"))] + [answer] * 1000
            async with running(server, Inbox(), tmp_path / name, backoff=Backoff()):
                began = time.monotonic()
                await asyncio.sleep(LOOKED_AT_SECONDS)
                count, took = server.counts["sync"], time.monotonic() - began
        allowed = 2 if name in DEAD or name in LIMITS else 2 * (3 + took)
        return f"{name}: {count} in {took:.1f} s" if count > allowed else None

    answers = {**TROUBLES, **LIMITS, **DEAD, "nothing new at once": says(synced("s1"))}
    found = await asyncio.gather(*(asked_too_often(*item) for item in answers.items()))
    assert [each for each in found if each] == []


async def test_a_server_that_answers_at_once_with_nothing_new_is_not_asked_at_once_again(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [says(synced("s1"))] * 100
    patient = Backoff(first=0.04, longest=0.16)

    began = time.monotonic()
    async with running(server, inbox, tmp_path, backoff=patient):
        await server.asked("sync", 8)
        took = time.monotonic() - began

    assert took >= 0.5 * (0.04 + 0.08 + 4 * 0.16)


def test_pauses_double_from_one_second_to_a_minute_and_begin_again() -> None:
    backoff = Backoff()
    pauses = [backoff.next() for _ in range(10)]
    backoff.reset()

    for pause, full in zip(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60], strict=True):
        assert full / 2 <= pause <= full
    assert backoff.next() <= 1


@pytest.mark.parametrize(
    ("answer", "least"),
    [
        (refuses(429, "M_LIMIT_EXCEEDED", retry_after_ms=300), 0.3),
        (says({"errcode": "M_LIMIT_EXCEEDED"}, 429, {"Retry-After": "1"}), 1.0),
        (says(HTML, 429), 0.2),
    ],
    ids=["time in the body", "time in the header", "no time: the default"],
)
async def test_a_limit_is_waited_for_as_long_as_it_says(
    server: Homeserver,
    inbox: Inbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    least: float,
) -> None:
    monkeypatch.setattr("bot.chat.matrix.answers._DEFAULT_WAIT", timedelta(seconds=0.2))
    server.syncs += [says(synced("s1")), answer, says(synced("s2", message(1)))]

    async with running(server, inbox, tmp_path):
        await server.asked("sync", 2)
        began = time.monotonic()
        await inbox.command("say 1")

    assert time.monotonic() - began >= least


@pytest.mark.parametrize("errcode", ["M_UNKNOWN_TOKEN", "M_USER_DEACTIVATED"])
async def test_a_token_that_is_dead_ends_the_loop_in_words(
    server: Homeserver, inbox: Inbox, tmp_path: Path, errcode: str
) -> None:
    server.syncs += [says(synced("s1")), refuses(401, errcode)]

    async with running(server, inbox, tmp_path) as adapter:

        async def is_said() -> bool:
            return errcode in (adapter.trouble or "")

        await eventually(is_said)
        assert adapter.mode is Mode.DOWN

    assert server.counts["sync"] == 2


async def test_a_dead_token_at_the_start_is_an_error_of_the_configuration(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.others["whoami"] = refuses(401, "M_UNKNOWN_TOKEN")

    with pytest.raises(ChatMisconfigured, match="M_UNKNOWN_TOKEN"):
        async with running(server, inbox, tmp_path):
            pass


async def test_a_hanging_first_sync_ends_by_its_time_limit(
    server: Homeserver, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "FIRST_SYNC_SECONDS", 0.2)
    server.syncs += [hangs, says(synced("s1"))]

    async with running(server, inbox, tmp_path):
        await inbox.until(lambda inbox: inbox.positions == ["s1"])


async def test_a_hanging_sync_ends_by_its_time_limit(
    server: Homeserver, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "_POLL_SECONDS", 0)
    monkeypatch.setattr(sync, "_GRACE_SECONDS", 0.2)
    server.syncs += [says(synced("s1")), hangs, says(synced("s2", message(1)))]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 1")


async def test_an_answer_that_ends_where_it_began_is_read_all_the_same(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [says(synced("s1")), says(synced("s1", message(1)))]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 1")


async def test_an_answer_that_could_not_be_kept_is_read_anew_and_not_taken_for_known(
    server: Homeserver, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nio passes over an answer that ends where it believes to be already."""
    name = {**message(2), "type": "m.room.name", "state_key": "", "content": {"name": "Team"}}
    answer = says(synced("s2", name, message(1)))
    server.syncs += [says(synced("s1")), answer, answer]

    async with running(server, inbox, tmp_path) as adapter:
        digest, room = Client.digest, Channel("matrix", ROOM)

        async def fails_midway(client: Client, answer: Any) -> Any:
            monkeypatch.setattr(Client, "digest", digest)
            client.next_batch = answer["next_batch"]  # as nio leaves it when it raises
            raise RuntimeError("something nio did not expect")

        monkeypatch.setattr(Client, "digest", fails_midway)
        await inbox.command("say 1")
        assert await adapter.topic_of(room) == "Team"


async def test_answers_without_commands_cost_no_commit_each(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    echoes = [says(synced(f"e{n}", message(n, "just talk"))) for n in range(5)]
    server.syncs += [says(synced("s1")), *echoes, says(synced("s2", message(9)))]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 9")

    assert inbox.commits == [("s1", []), ("s2", ["say 9"])]


async def test_events_that_come_twice_are_one_command(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [
        says(synced("s1")),
        says(synced("s2", message(1))),
        says(synced("s3", message(1), message(2))),
    ]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 2")

    assert inbox.texts() == ["say 1", "say 2"]


# --- gaps -----------------------------------------------------------------------------------------


async def test_a_gap_of_several_pages_is_filled_in_order(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [says(synced("s1")), says(synced("s2", message(6), limited=True))]
    server.pages += [
        page(message(5), message(4), end="p2"),
        page(end="p3"),  # an empty page is not the end
        page(message(3), message(2)),
    ]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 6")

    assert inbox.texts() == [f"say {number}" for number in range(2, 7)]


async def test_a_page_that_fails_fails_the_whole_answer(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    limited = says(synced("s2", message(3), limited=True))
    server.syncs += [says(synced("s1")), limited, limited]
    server.pages += [page(message(2), end="p2"), refuses(500, "M_UNKNOWN")]
    server.pages += [page(message(2), end="p2"), page(message(1))]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 3")

    assert inbox.texts() == ["say 1", "say 2", "say 3"]
    assert inbox.positions == ["s1", "s2"]


async def test_a_gap_in_a_room_closed_by_now_stops_nothing(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [says(synced("s1")), says(synced("s2", message(3), limited=True))]
    server.pages += [refuses(403, "M_FORBIDDEN")]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 3")


async def test_a_huge_gap_is_cut_and_said_in_the_log(
    server: Homeserver,
    inbox: Inbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(gaps, "MOST", 4)
    server.syncs += [says(synced("s1")), says(synced("s2", message(9), limited=True))]
    server.pages += [
        page(message(8), message(7), end="p2"),
        page(message(6), message(5), end="p3"),
    ]

    async with running(server, inbox, tmp_path):
        await inbox.command("say 9")

    assert inbox.texts() == [f"say {number}" for number in range(5, 10)]
    assert "gap too large" in caplog.text


# --- sending --------------------------------------------------------------------------------------

SENDING = {
    "a limit": (refuses(429, "M_LIMIT_EXCEEDED", retry_after_ms=1500), ChatBusy),
    "forbidden": (refuses(403, "M_FORBIDDEN"), ChatRefused),
    "no such room": (refuses(404, "M_NOT_FOUND"), ChatRefused),
    "too large": (refuses(413, "M_TOO_LARGE"), ChatRefused),
    "bad JSON": (refuses(400, "M_BAD_JSON"), ChatRefused),
    "a proxy's 403 page": (says(HTML, 403), ChatUnavailable),
    "a proxy's 404 page": (says(HTML, 404), ChatUnavailable),
    "a server that is full": (refuses(403, "M_RESOURCE_LIMIT_EXCEEDED"), ChatUnavailable),
    "an error 500": (refuses(500, "M_UNKNOWN"), ChatFailed),
    "a dead token": (refuses(401, "M_UNKNOWN_TOKEN"), ChatUnavailable),
    "a page with 200": (says(HTML), ChatUnavailable),
    "no event id": (says({}), ChatUnavailable),
    "a body cut short": (is_cut, ChatUnavailable),
}


@pytest.mark.parametrize(("answer", "raised"), SENDING.values(), ids=SENDING.keys())
async def test_a_message_that_is_not_accepted_is_told_apart(
    server: Homeserver,
    inbox: Inbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    raised: type[Exception],
) -> None:
    server.syncs += [says(synced("s1", message(1)))]
    server.sends += [answer]

    with caplog.at_level(logging.DEBUG):
        async with running(server, inbox, tmp_path) as adapter:
            with pytest.raises(raised) as caught:
                await adapter.send(outgoing(ROOM, "my words"))

    assert type(caught.value) is raised
    assert "my words" not in str(caught.value) + caplog.text
    assert "secret-token" not in str(caught.value) + caplog.text
    if isinstance(caught.value, ChatBusy):
        assert caught.value.retry_after.total_seconds() == 1.5


async def test_a_reaction_that_fails_is_no_trouble(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [says(synced("s1", message(1)))]
    server.sends += [refuses(429, "M_LIMIT_EXCEEDED"), drops]

    async with running(server, inbox, tmp_path) as adapter:
        await adapter.react(ROOM, "$1", "▶")
        await adapter.react(ROOM, "$1", "👀")

    assert server.counts["send"] >= 2


async def test_whether_an_unknown_room_is_encrypted_is_asked_and_no_answer_is_no(
    server: Homeserver, inbox: Inbox, tmp_path: Path
) -> None:
    server.syncs += [says(synced("s1"))]
    server.others["m.room.encryption"] = says(HTML, 502)

    async with running(server, inbox, tmp_path) as adapter:
        with pytest.raises(ChatUnavailable):
            await adapter.send(outgoing("!unknown", "secret"))

    assert server.counts["send"] == 0


# --- rights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", ["m.room.create", "m.room.power_levels", "m.room.member/@ada:example.org"]
)
async def test_rights_without_an_answer_are_unknown(
    server: Homeserver, inbox: Inbox, tmp_path: Path, state: str
) -> None:
    server.syncs += [says(synced("s1"))]
    server.others["m.room.create"] = says({"sender": "@ada:example.org", "content": {}})
    server.others["m.room.power_levels"] = says({})
    server.others["m.room.member/@ada:example.org"] = says({"membership": "join"})
    ada, room = person("@ada:example.org"), Channel("matrix", ROOM)

    async with running(server, inbox, tmp_path) as adapter:
        assert (await adapter.rights_of(ada, room)).member
        if state != "m.room.create":  # that one was asked for the last time
            server.others[state] = says(HTML, 404)
            with pytest.raises(ChatUnavailable):
                await adapter.rights_of(ada, room)

    assert server.counts["m.room.create"] == 1


# --- inviting -------------------------------------------------------------------------------------


async def test_an_invitation_is_followed_when_the_server_is_well_again(
    server: Homeserver, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.matrix.doors._PAUSES", (0.01,) * 5)
    member = {
        "type": "m.room.member",
        "state_key": ME,
        "sender": "@ada:example.org",
        "content": {"membership": "invite"},
    }
    invite = {
        "next_batch": "s1",
        "rooms": {"invite": {ROOM: {"invite_state": {"events": [member]}}}},
    }
    server.syncs += [says(invite)]
    server.others["join/" + ROOM] = refuses(500, "M_UNKNOWN")

    async with running(server, inbox, tmp_path):
        await server.asked("join/" + ROOM, 2)
        server.others["join/" + ROOM] = says({"room_id": ROOM})
        await server.asked("join/" + ROOM, 3)

    assert inbox.of(Kind.WELCOME) == []
