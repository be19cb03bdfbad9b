"""A clock that was set back: what has a time to come keeps the time it had left."""

from __future__ import annotations

from datetime import timedelta

from storage.records import Confirmation
from storage.store import Store
from tests.contract.examples import (
    ANA,
    MINUTE,
    NOW,
    SECOND,
    browser,
    card,
    command,
    letter,
    link,
    meeting,
)

HOUR = timedelta(hours=1)
AFTER = NOW - HOUR
"""What the clock shows once it was set back by an hour."""


async def set_back(store: Store) -> None:
    await store.clock_went_back(by=HOUR, now=AFTER)


async def due(store: Store, late: timedelta) -> list[str]:
    letters = await store.claim_letters(now=AFTER + late, lease=MINUTE, limit=9, platform="matrix")
    return [each.id for each in letters]


async def test_a_letter_is_tried_again_when_it_would_have_been(store: Store) -> None:
    await store.say([letter("waits")])
    await store.letter_later("waits", at=NOW + 30 * SECOND, error="down")
    await set_back(store)
    assert await due(store, 29 * SECOND) == []
    assert await due(store, 30 * SECOND) == ["waits"]


async def test_a_lease_ends_when_it_would_have(store: Store) -> None:
    await store.say([letter("leased")])
    await store.claim_letters(now=NOW, lease=MINUTE, limit=9, platform="matrix")
    await set_back(store)
    assert await due(store, 59 * SECOND) == []
    assert await due(store, MINUTE) == ["leased"]


async def test_what_is_due_stays_due(store: Store) -> None:
    await store.say([letter("due", next_try_at=AFTER)])
    await set_back(store)
    assert await due(store, timedelta(0)) == ["due"]


async def test_a_meeting_is_looked_at_when_it_would_have_been(with_room: Store) -> None:
    await with_room.plan_meeting(meeting("1"))
    await with_room.look_again("meeting-1", at=NOW + 30 * SECOND)
    await set_back(with_room)
    looks = [
        [each.id for each in await with_room.meetings_to_look_at("bbb", now=AFTER + late)]
        for late in (29 * SECOND, 30 * SECOND)
    ]
    assert looks == [[], ["meeting-1"]]


async def test_a_card_is_edited_when_it_would_have_been(with_room: Store) -> None:
    store, shown = with_room, {"shows": "running"}
    await store.say([letter("post", card="card-1")], cards=[card("1")])
    await store.letter_sent("post", "$1", at=NOW)
    await store.show_on_card("card-1", shown, edit_at=NOW + 15 * SECOND)
    await set_back(store)
    edits = [
        [each.id for each in await store.cards_to_edit(now=AFTER + late, platform="matrix")]
        for late in (14 * SECOND, 15 * SECOND)
    ]
    assert edits == [[], ["card-1"]]


async def test_a_question_is_open_no_longer_than_it_would_have_been(store: Store) -> None:
    await store.ask_to_confirm(Confirmation(ANA, "end", "room-1", NOW + MINUTE))
    await set_back(store)
    taken = await store.take_confirmation(ANA, "end", now=AFTER + MINUTE, cause="late")
    assert taken is None


async def test_links_and_browsers_live_no_longer_than_they_would_have(with_room: Store) -> None:
    store, day = with_room, timedelta(days=1)
    await store.put_link(link("1", expires_at=NOW + day))
    await store.put_link(link("2", expires_at=None))
    await store.sign_in(browser("1"), most=3)
    await set_back(store)
    ends = [found.expires_at for name in "12" if (found := await store.link(f"hash-{name}"))]
    assert ends == [AFTER + day, None]
    [signed_in] = await store.people_in_browser("browser-1", now=AFTER)
    assert signed_in.expires_at == AFTER + day


async def test_the_last_event_is_the_newest_command_done_or_letter_sent(store: Store) -> None:
    assert await store.last_event() is None
    await store.accept("matrix", "s1", [command("1")])
    assert await store.last_event() is None
    await store.finish("matrix:$1", [letter("1")], at=NOW)
    assert await store.last_event() == NOW
    await store.letter_sent("1", "$2", at=NOW + SECOND)
    assert await store.last_event() == NOW + SECOND
