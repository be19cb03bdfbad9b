"""The test server itself: it starts, forgets nothing it should keep, and holds nobody up."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from bot.demo.matrix_client import MatrixRefused
from bot.demo.synapse import Synapse, SynapseFailed, SynapseMissing
from tests.matrix.client import Observer, Visitor
from tests.matrix.conftest import People
from tests.requirements import require_synapse

pytestmark = pytest.mark.synapse


async def test_two_people_of_one_name_are_two_people(people: People) -> None:
    first, second = await people.new("ada"), await people.new("ada")
    assert first.user_id != second.user_id


@pytest.mark.parametrize("version", ["1", "11", "12"])
async def test_a_room_of_each_version_takes_an_invited_person(people: People, version: str) -> None:
    ada, bo = await people.new("ada"), await people.new("bo")
    room = await ada.create_room(invite=[bo.user_id], version=version)
    await bo.join(room)
    assert await ada.members(room) == {ada.user_id, bo.user_id}
    assert (":" in room) is (version != "12")


async def test_many_rooms_and_messages_meet_no_rate_limit(people: People) -> None:
    ada = await people.new("ada")
    rooms = [await ada.create_room() for _ in range(12)]
    assert len({await ada.say(rooms[0], f"{number}") for number in range(30)}) == 30


async def test_the_timeline_is_read_to_its_beginning(people: People) -> None:
    ada = await people.new("ada")
    room = await ada.create_room(encrypted=True)
    said = [await ada.say(room, f"{number}") for number in range(120)]
    events = await ada.timeline(room)
    assert events[0]["type"] == "m.room.create"
    assert [event["event_id"] for event in events][-120:] == said


async def test_an_observer_sees_also_what_one_sync_answer_leaves_out(people: People) -> None:
    eve = await people.new_as(Observer, "eve")
    room = await eve.create_room()
    before = (await eve.sync())["next_batch"]
    said = [await eve.say(room, f"{number}") for number in range(120)]
    await eve.watch(since=before)
    assert await eve.until(lambda seen: len(seen) >= 120, seconds=10)
    assert [one.event["event_id"] for one in eve.seen] == said


async def test_an_observer_that_may_no_longer_look_fails_who_waits_for_it(people: People) -> None:
    eve = await people.new_as(Observer, "eve")
    await eve.watch()
    await eve.ask("POST", "/logout", {})
    with pytest.raises(MatrixRefused, match="M_UNKNOWN_TOKEN"):
        await eve.sees(lambda one: True)


async def test_edits_reactions_and_redactions_arrive_as_such(people: People) -> None:
    eve = await people.new_as(Observer, "eve")
    room = await eve.create_room()
    await eve.watch()
    said = await eve.say(room, "hello")
    await eve.edit(room, said, "goodbye")
    await eve.react(room, said, "▶")
    await eve.redact(room, said)
    await eve.sees(lambda one: one.event["type"] == "m.room.redaction")
    relations = [one.content.get("m.relates_to", {}).get("rel_type") for one in eve.seen]
    assert relations == [None, "m.replace", "m.annotation", None]


async def test_with_a_file_everything_outlives_a_kill_and_a_restart(tmp_path: Path) -> None:
    require_synapse()
    async with Synapse(tmp_path, database="homeserver.db") as server:
        ada = await server.register("ada")
        async with Visitor(server.url, ada) as person:
            room = await person.create_room()
            said = await person.say(room, "hello", txn="once")
            await server.kill()
            await server.start()
            await server.restart()
            assert await person.say(room, "hello", txn="once") == said


async def test_a_server_with_its_own_limits_soon_refuses_messages(tmp_path: Path) -> None:
    require_synapse()
    async with Synapse(tmp_path, limits_lifted=False) as server:
        async with Visitor(server.url, await server.register("ada")) as ada:
            room = await ada.create_room()
            with pytest.raises(MatrixRefused, match="M_LIMIT_EXCEEDED"):
                for number in range(12):
                    await ada.say(room, f"{number}")


async def test_a_server_that_cannot_start_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    require_synapse()
    server = Synapse(tmp_path, extra="listeners: nonsense\n")
    with pytest.raises(SynapseFailed, match="Error in configuration at 'listeners'"):
        await server.start()
    assert server.pid is None


async def test_without_the_package_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SynapseMissing, match="-m pip install 'matrix-synapse>=1.163'"):
        await Synapse(tmp_path).start()
