"""Links live longer when put again, and stay dead once revoked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from storage.records import LinkKind
from storage.store import Store
from tests.contract.examples import ANA, BO, MINUTE, NOW, SECOND, link, room


async def test_a_link_comes_out_as_it_went_in(with_room: Store) -> None:
    full = link("1", expires_at=NOW + MINUTE, used_at=NOW, generation=2)
    anybody = link("2", person=None, kind=LinkKind.ROOM)
    await asyncio.gather(with_room.put_link(full), with_room.put_link(anybody))
    assert await with_room.link("hash-1") == full
    assert await with_room.link("hash-2") == anybody
    assert await with_room.link("hash-3") is None


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        pytest.param(NOW, NOW + SECOND, NOW + SECOND, id="later wins"),
        pytest.param(NOW + SECOND, NOW, NOW + SECOND, id="earlier changes nothing"),
        pytest.param(NOW, None, None, id="for ever is the latest"),
        pytest.param(None, NOW, None, id="for ever stays"),
    ],
)
async def test_a_link_put_again_gets_the_later_expiry(
    with_room: Store, first: datetime | None, second: datetime | None, kept: datetime | None
) -> None:
    await with_room.put_link(link("1", expires_at=first))
    await with_room.put_link(link("1", expires_at=second))
    assert await with_room.link("hash-1") == link("1", expires_at=kept)


async def test_a_revoked_link_stays_dead(with_room: Store) -> None:
    await with_room.put_link(link("1", expires_at=NOW + MINUTE))
    assert await with_room.revoke_links(at=NOW, room_id="room-1") == 1
    assert await with_room.revoke_links(at=NOW + SECOND, room_id="room-1") == 0
    await with_room.put_link(link("1", expires_at=NOW + 2 * MINUTE))
    assert (await with_room.link("hash-1")).revoked_at == NOW  # type: ignore[union-attr]


async def test_an_expired_link_is_revoked_too_but_not_counted(with_room: Store) -> None:
    await with_room.put_link(link("1", expires_at=NOW))
    assert await with_room.revoke_links(at=NOW, person=ANA) == 0
    await with_room.put_link(link("1", expires_at=NOW + MINUTE))
    assert (await with_room.link("hash-1")).revoked_at == NOW  # type: ignore[union-attr]


async def test_the_newest_link_of_a_goal_dead_or_alive(with_room: Store) -> None:
    for name, generation in [("1", 1), ("2", 3), ("3", 2)]:
        await with_room.put_link(link(name, generation=generation))
    await with_room.put_link(link("4", person=BO, generation=9))
    await with_room.put_link(link("5", person=None, kind=LinkKind.GUEST, generation=5))
    await with_room.revoke_links(at=NOW, person=ANA)

    async def newest(kind: LinkKind, person: object) -> int | None:
        found = await with_room.newest_link(kind, "room-1", person)  # type: ignore[arg-type]
        return found.generation if found else None

    assert await newest(LinkKind.PERSONAL, ANA) == 3
    assert await newest(LinkKind.PERSONAL, BO) == 9
    assert await newest(LinkKind.PERSONAL, replace(ANA, platform="rocketchat")) is None
    assert await newest(LinkKind.GUEST, None) == 5
    assert await newest(LinkKind.ROOM, None) is None
    assert await newest(LinkKind.CALL, ANA) is None


async def test_the_latest_use_is_kept(with_room: Store) -> None:
    await with_room.put_link(link("1"))
    for at in (NOW, NOW + MINUTE, NOW + SECOND):
        await with_room.link_used("hash-1", at=at)
    assert (await with_room.link("hash-1")).used_at == NOW + MINUTE  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("goal", "dead"),
    [
        pytest.param({"room_id": "room-1"}, "13", id="of a room"),
        pytest.param({"person": ANA}, "12", id="of a person"),
        pytest.param({"kind": LinkKind.GUEST}, "4", id="of a kind"),
        pytest.param({"room_id": "room-1", "person": ANA}, "1", id="of a person in a room"),
        pytest.param({"room_id": "room-1", "kind": LinkKind.GUEST}, "", id="none"),
    ],
)
async def test_only_links_that_match_every_part_are_revoked(
    with_room: Store, goal: dict[str, object], dead: str
) -> None:
    await with_room.put_room(room("2"))
    await with_room.put_link(link("1"))
    await with_room.put_link(link("2", room="room-2"))
    await with_room.put_link(link("3", person=BO))
    await with_room.put_link(link("4", room="room-2", person=None, kind=LinkKind.GUEST))
    assert await with_room.revoke_links(at=NOW, **goal) == len(dead)  # type: ignore[arg-type]
    for name in "1234":
        found = await with_room.link(f"hash-{name}")
        assert found and (found.revoked_at is not None) == (name in dead)


async def test_revoking_everything_by_mistake_is_refused(with_room: Store) -> None:
    await with_room.put_link(link("1"))
    with pytest.raises(ValueError, match="which links"):
        await with_room.revoke_links(at=NOW)
    assert await with_room.link("hash-1") == link("1")


async def test_revoked_again_by_the_same_cause_is_the_first_result(with_room: Store) -> None:
    for name, end in (("1", None), ("2", NOW + MINUTE), ("3", NOW)):
        await with_room.put_link(link(name, kind=LinkKind.GUEST, person=None, expires_at=end))
    revoked = with_room.revoke_links
    assert await revoked(at=NOW, room_id="room-1", kind=LinkKind.GUEST, cause="c1") == 2
    await with_room.put_link(link("4", kind=LinkKind.GUEST, person=None))
    later = NOW + 2 * MINUTE
    assert await revoked(at=later, room_id="room-1", kind=LinkKind.GUEST, cause="c1") == 2
    found = await with_room.link("hash-4")
    assert found is not None
    assert found.revoked_at is None
    assert await revoked(at=later, room_id="room-1", kind=LinkKind.GUEST, cause="c2") == 1
