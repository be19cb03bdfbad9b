"""Channels and people, and what is left of a person who asked to be forgotten: nothing."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from storage.records import (
    ChannelRow,
    Confirmation,
    DeadReason,
    LinkKind,
    MeetingState,
    Person,
    PersonRow,
    RoomKind,
)
from storage.sqlite.driver import sqlite
from storage.store import Conflict, Store
from tests.contract.examples import (
    ANA,
    BO,
    MINUTE,
    NOW,
    TEAM,
    browser,
    card,
    command,
    letter,
    link,
    meeting,
    room,
)

NAMES_ANA = {"phrases": [["card.open", {"who": {"who": ["matrix", ANA.id, "Ana Lee"]}}]]}


async def test_a_channel_comes_out_as_it_went_in(store: Store) -> None:
    assert await store.channel(TEAM) is None
    row = ChannelRow(TEAM, direct=True, settings={"language": "fr", "n": [1]}, left_at=NOW)
    await store.put_channel(ChannelRow(TEAM))
    await store.put_channel(row)
    assert await store.channel(TEAM) == row


async def test_a_setting_is_set_and_taken_away_alone(store: Store) -> None:
    await store.set_channel(TEAM, "language", "fr")
    await store.set_channel(TEAM, "guests", "lobby")
    await store.set_channel(TEAM, "language", None)
    await store.set_channel(TEAM, "never set", None)
    assert await store.channel(TEAM) == ChannelRow(TEAM, settings={"guests": "lobby"})


async def test_a_setting_leaves_the_rest_of_the_channel(store: Store) -> None:
    await store.put_channel(ChannelRow(TEAM, direct=True, left_at=NOW))
    await store.set_channel(TEAM, "language", "de")
    kept = ChannelRow(TEAM, direct=True, settings={"language": "de"}, left_at=NOW)
    assert await store.channel(TEAM) == kept


async def test_ten_settings_at_once_are_all_kept(store: Store) -> None:
    await asyncio.gather(*(store.set_channel(TEAM, f"k{n}", "v") for n in range(10)))
    row = await store.channel(TEAM)
    assert row and len(row.settings) == 10


async def test_a_person_is_found_by_id_and_by_pseudonym(store: Store) -> None:
    row = PersonRow(ANA, language="de", pseudonym="p-1")
    await store.put_person(PersonRow(ANA))
    await store.put_person(row)
    assert await store.person(ANA) == row
    assert await store.person(BO) is None
    assert await store.person_by_pseudonym("p-1") == ANA
    assert await store.person_by_pseudonym("p-2") is None


async def test_a_pseudonym_belongs_to_one_person(store: Store) -> None:
    await store.put_person(PersonRow(ANA, pseudonym="p-1"))
    with pytest.raises(Conflict, match="pseudonym"):
        await store.put_person(PersonRow(BO, pseudonym="p-1"))
    await store.put_person(PersonRow(BO, language="fr"))


# --- forgetting


async def everything(store: Store, target: Path) -> str:
    """All that is stored, free pages included."""
    await store.backup(target)
    with closing(sqlite.connect(target)) as copy:
        tables = copy.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        rows = [copy.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables]
    return str(rows) + (await asyncio.to_thread(target.read_bytes)).decode("latin-1")


async def busy_life(store: Store) -> None:
    """Ana in every table; her call in `room-4` runs."""
    await store.put_person(PersonRow(ANA, "de", "p-ana"))
    await store.put_room(room("1"))
    await store.put_room(room("2", kind=RoomKind.PERSONAL, name="Ana Lee"))
    await store.put_room(room("3", kind=RoomKind.CALL, owner=BO), [ANA, BO])
    await store.put_room(room("4", kind=RoomKind.CALL, owner=BO), [ANA, BO])
    await store.put_room(room("5", kind=RoomKind.DEFAULT))
    await store.put_link(link("1", generation=3, expires_at=NOW + MINUTE))
    await store.put_link(link("2", room="room-2", kind=LinkKind.ROOM, person=None))
    await store.put_link(link("3", person=BO))
    await store.sign_in(browser("a"), most=3)
    await store.sign_in(browser("a", 0, BO), most=3)
    await store.ask_to_confirm(Confirmation(ANA, "end", "room-1 meeting-1", NOW + MINUTE))
    await say_a_lot(store)
    await meet_a_lot(store)


async def say_a_lot(store: Store) -> None:
    names = ["done", "dead", "by bo"]
    bo_wrote = command("by bo", person=BO, text=f"invite {ANA.id}")
    await store.accept("matrix", "s1", [command("done"), command("dead"), bo_wrote])
    for name in names[1:]:
        await store.bury(command(name).id, "why")
    await store.finish(command("done").id, [letter("answer", content=NAMES_ANA)], at=NOW)
    await store.say([letter("direct", person=ANA.id), letter("direct, sent", person=ANA.id)])
    await store.say([letter("dead", content=NAMES_ANA), letter("fallback", fallback=NAMES_ANA)])
    for name in ("dead", "fallback"):
        await store.letter_dead(name, at=NOW, reason=DeadReason.REFUSED, error="403")
    for name in ("answer", "direct, sent"):
        await store.letter_sent(name, f"${name}", at=NOW)


async def meet_a_lot(store: Store) -> None:
    for name in "124":
        of_room = {"room": f"room-{name}", "content": NAMES_ANA}
        await store.say([letter(f"p{name}", card=f"card-{name}")], cards=[card(name, **of_room)])
        await store.letter_sent(f"p{name}", f"${name}", at=NOW)
        await store.plan_meeting(
            meeting(name, room=f"room-{name}", card=f"card-{name}", topic="Ana Lee")
            if name == "2"
            else meeting(name, room=f"room-{name}", card=f"card-{name}")
        )
    for name in "12":
        await store.meeting_ended(f"meeting-{name}", at=NOW)


async def test_nothing_is_left_of_a_person_who_is_forgotten(store: Store, tmp_path: Path) -> None:
    await busy_life(store)
    before = await everything(store, tmp_path / "before.db")
    assert before.count(ANA.id) > 15
    for _ in range(2):
        await store.forget_person(ANA, at=NOW)
    await store.meeting_ended("meeting-4", at=NOW)
    after = await everything(store, tmp_path / "after.db")
    for trace in (ANA.id, "Ana Lee", "p-ana"):
        assert trace in before
        assert trace not in after
    assert BO.id in after


async def test_what_others_need_stays_when_a_person_is_forgotten(store: Store) -> None:
    await busy_life(store)
    await store.forget_person(ANA, at=NOW)
    nobody = Person("matrix", "")
    assert [each.owner for each in await store.rooms_in(TEAM)] == [nobody, nobody]
    assert await store.invited_to("room-3") == [BO]
    assert [row.person for row in await store.people_in_browser("browser-a", now=NOW)] == [BO]
    assert await store.link("hash-3") == link("3", person=BO)
    assert await store.cards_to_edit(now=NOW + MINUTE, platform="matrix") == []
    await store.show_on_card("card-1", {"shows": "again"}, edit_at=NOW)
    assert len(await store.cards_to_edit(now=NOW, platform="matrix")) == 1


async def test_a_call_that_runs_is_not_disturbed_by_forgetting(store: Store) -> None:
    await busy_life(store)
    await store.forget_person(ANA, at=NOW)
    running = await store.live_meeting("room-4")
    assert running and running.started_by == ANA
    assert await store.invited_to("room-4") == [ANA, BO]
    assert (await store.card("card-4")).content == NAMES_ANA  # type: ignore[union-attr]
    await store.meeting_ended("meeting-4", at=NOW)
    ended = await store.meeting("meeting-4")
    assert ended and (ended.state, ended.started_by.id) == (MeetingState.ENDED, "")
    assert await store.invited_to("room-4") == [BO]


async def test_invited_again_after_forgetting_one_stays(store: Store) -> None:
    await busy_life(store)
    await store.forget_person(ANA, at=NOW)
    await store.invite("room-4", [ANA])
    await store.meeting_ended("meeting-4", at=NOW)
    assert await store.invited_to("room-4") == [ANA, BO]


async def test_the_own_room_of_a_forgotten_person_is_gone_with_its_links(store: Store) -> None:
    await busy_life(store)
    await store.forget_person(ANA, at=NOW)
    assert await store.personal_room(ANA) is None
    gone = await store.room("room-2")
    assert gone and (gone.name, gone.deleted_at) == ("", NOW)
    assert (await store.link("hash-2")).revoked_at == NOW  # type: ignore[union-attr]
    again = room("9", kind=RoomKind.PERSONAL)
    assert await store.put_room(again) == again


async def test_links_handed_out_before_forgetting_never_live_again(store: Store) -> None:
    await busy_life(store)
    await store.forget_person(ANA, at=NOW)
    dead = await store.link("hash-1")
    assert dead and dead.revoked_at == NOW
    assert dead.person == Person("matrix", "")  # not None: that would be a link for anybody
    newest = await store.newest_link(LinkKind.PERSONAL, "room-1", ANA)
    assert newest and newest.generation == 3
    await store.put_link(link("1", generation=3, expires_at=NOW + 9 * MINUTE))
    assert (await store.link("hash-1")).revoked_at == NOW  # type: ignore[union-attr]


async def test_somebody_with_the_same_id_on_another_chat_is_not_forgotten(store: Store) -> None:
    twin = replace(ANA, platform="rocketchat")
    await store.put_person(PersonRow(twin, "fr"))
    await store.sign_in(browser("a", 0, twin), most=3)
    await store.forget_person(ANA, at=NOW)
    assert await store.person(twin) == PersonRow(twin, "fr")
    assert len(await store.people_in_browser("browser-a", now=NOW)) == 1
