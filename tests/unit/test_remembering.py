"""Answers remembered for a moment: their age, who shares them, and what becomes of errors."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.remembering import Remembered
from commands.errors import ChatUnavailable


class Source:
    """Answers `KEY NUMBER` when `answer` is set; raises `error` where there is one."""

    def __init__(self) -> None:
        self.now = 100.0
        self.asked = 0
        self.error: Exception | None = None
        self.answer = asyncio.Event()
        self.answer.set()
        self.about_to = asyncio.Event()

    async def ask(self, key: str) -> str:
        self.asked += 1
        number = self.asked
        self.about_to.set()
        await self.answer.wait()
        if self.error:
            raise self.error
        return f"{key} {number}"


@pytest.fixture
async def source() -> Source:
    return Source()


@pytest.fixture
def known(source: Source) -> Remembered[str, str]:
    return Remembered(source.ask, seconds=10, most=3, steady=lambda: source.now)


async def test_an_answer_is_as_old_as_its_question(
    source: Source, known: Remembered[str, str]
) -> None:
    source.answer.clear()
    slow = asyncio.create_task(known("a"))
    await source.about_to.wait()
    source.now += 9
    source.answer.set()
    assert await slow == "a 1"
    source.now += 0.9
    assert await known("a") == "a 1"
    source.now += 0.1
    assert await known("a") == "a 2"


async def test_who_gives_up_takes_the_answer_from_nobody(
    source: Source, known: Remembered[str, str]
) -> None:
    source.answer.clear()
    waiting = [asyncio.create_task(known("a")) for _ in range(3)]
    await source.about_to.wait()
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    source.answer.set()
    assert await asyncio.gather(*waiting[1:]) == ["a 1"] * 2


async def test_an_error_is_shared_and_forgotten(
    source: Source, known: Remembered[str, str]
) -> None:
    source.error = ChatUnavailable("down")
    found = await asyncio.gather(*(known("a") for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [ChatUnavailable] * 3
    assert source.asked == 1
    source.error = None
    assert await known("a") == "a 2"


async def test_an_error_that_nobody_waits_for_any_more_is_not_complained_of(
    source: Source, known: Remembered[str, str]
) -> None:
    source.answer.clear()
    source.error = ChatUnavailable("down")
    waiting = asyncio.create_task(known("a"))
    await source.about_to.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    source.answer.set()
    source.error = None
    assert await known("b") == "b 2"


async def test_the_oldest_are_forgotten(source: Source, known: Remembered[str, str]) -> None:
    for key in "abcd":
        await known(key)
    assert [known.last(key) for key in "abcd"] == [None, "b 2", "c 3", "d 4"]


async def test_where_nobody_answers_the_last_answer_may_be_had(
    source: Source, known: Remembered[str, str]
) -> None:
    await known("a")
    source.now += 1000
    source.error = ChatUnavailable("away")
    assert await known.or_last("a") == "a 1"
    with pytest.raises(ChatUnavailable):
        await known.or_last("b")
