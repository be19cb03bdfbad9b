"""Recognised browsers: several people in one, and at most so many for one person."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from storage.store import Store
from tests.contract.examples import ANA, BO, NOW, browser


async def people_in(store: Store, name: str, **later: int) -> list[str]:
    rows = await store.people_in_browser(f"browser-{name}", now=NOW + timedelta(**later))
    return [row.person.id for row in rows]


async def test_people_in_a_browser_newest_first(store: Store) -> None:
    await store.sign_in(browser("a", 0), most=3)
    await store.sign_in(browser("a", 1, BO), most=3)
    assert await store.people_in_browser("browser-a", now=NOW) == [
        browser("a", 1, BO),
        browser("a", 0),
    ]
    assert await people_in(store, "b") == []


async def test_a_browser_with_a_new_cookie_keeps_its_people(store: Store) -> None:
    await store.sign_in(browser("a", 0), most=3)
    await store.sign_in(browser("z", 0), most=3)
    await store.sign_in(browser("b", 1, BO), most=3, instead_of="browser-a")
    assert await people_in(store, "a") == []
    assert await people_in(store, "b") == [BO.id, ANA.id]
    assert await people_in(store, "z") == [ANA.id]


async def test_a_browser_is_forgotten_when_its_time_is_over(store: Store) -> None:
    await store.sign_in(browser("a"), most=3)
    assert await people_in(store, "a", hours=23) == [ANA.id]
    assert await people_in(store, "a", hours=24) == []


async def test_the_oldest_browsers_beyond_the_most_are_signed_out(store: Store) -> None:
    await store.sign_in(browser("a", 9, BO), most=1)
    for minute, name in enumerate("abcd"):
        await store.sign_in(browser(name, minute), most=3)
    assert [await people_in(store, name) for name in "abcd"] == [
        [BO.id],
        [ANA.id],
        [ANA.id],
        [ANA.id],
    ]


async def test_signing_in_again_makes_a_browser_the_newest(store: Store) -> None:
    for name in "abcad":  # all at the same moment
        await store.sign_in(browser(name), most=3)
    assert [len(await people_in(store, name)) for name in "abcd"] == [1, 0, 1, 1]


async def test_ten_browsers_at_once_are_still_at_most_three(store: Store) -> None:
    names = "abcdefghij"
    await asyncio.gather(*(store.sign_in(browser(name), most=3) for name in names))
    assert sum([len(await people_in(store, name)) for name in names]) == 3
