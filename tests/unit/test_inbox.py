"""Commands run in the order of their channel, channels side by side, and none is lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.jobs import inbox as module
from bot.jobs.inbox import Inbox
from storage.open import open_store
from storage.records import Channel, Command, Kind, Letter, Person
from storage.store import Store, StoreBusy

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ANA = Person("matrix", "@ana:example.org")


def command(name: str, channel: str = "!team") -> Command:
    place = Channel("matrix", channel)
    return Command(f"matrix:{name}", Kind.MESSAGE, place, ANA, name, name, NOW)


class Runner:
    """Carries commands out by noting them; raises the troubles it is given, one per run."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ran: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.troubles: list[Exception] = []
        self.other = asyncio.Event()

    async def run(self, one: Command) -> list[Letter]:
        if gate := self.gates.get(one.text):
            await gate.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        self.ran.append(one.text)
        if one.text == "other":
            self.other.set()
        await self.store.finish(one.id, [], at=NOW)
        return []


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    store = await open_store(tmp_path)
    yield Runner(store)
    await store.close()


def inbox_of(runner: Runner) -> Inbox:
    async def arrived(person: Person) -> None:
        runner.ran.append(person.id)

    async def unreadable(channel: Channel, ref: str) -> None:
        runner.ran.append(ref)

    return Inbox(
        runner.store,
        runner.run,
        after=lambda letters: None,
        arrived=arrived,
        unreadable=unreadable,
    )


async def test_a_slow_channel_holds_only_itself_up(runner: Runner) -> None:
    runner.gates["slow"] = asyncio.Event()
    inbox = inbox_of(runner)
    three = [command("slow"), command("after"), command("other", "!other")]
    await inbox.accept("matrix", "s1", three)
    await runner.other.wait()
    runner.gates["slow"].set()
    await inbox.drained()
    assert runner.ran == ["other", "slow", "after"]


async def test_what_was_accepted_before_a_stop_runs_at_the_next_start(runner: Runner) -> None:
    first = inbox_of(runner)
    runner.gates["one"] = asyncio.Event()
    await first.accept("matrix", "s1", [command("one"), command("two")])
    await first.stop(within=0.01)
    assert runner.ran == []
    del runner.gates["one"]
    second = inbox_of(runner)
    await second.resume()
    await second.drained()
    assert runner.ran == ["one", "two"]
    assert await second.position("matrix") == "s1"


async def test_what_was_left_over_goes_before_what_comes_with_the_start(runner: Runner) -> None:
    await runner.store.accept("matrix", "s1", [command("old")])
    inbox = inbox_of(runner)
    inbox.hold()
    await inbox.accept("matrix", "s2", [command("new")])
    await inbox.drained()
    assert runner.ran == []
    await inbox.resume()
    await inbox.drained()
    assert runner.ran == ["old", "new"]


async def test_a_busy_store_makes_a_command_wait_not_vanish(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_AFTER", 0.0)
    runner.troubles = [StoreBusy("locked"), StoreBusy("locked")]
    inbox = inbox_of(runner)
    await inbox.accept("matrix", None, [command("one"), command("two")])
    await inbox.drained()
    assert runner.ran == ["one", "two"]


async def test_a_command_that_cannot_be_finished_holds_nobody_up(runner: Runner) -> None:
    runner.troubles = [RuntimeError("a bug")]
    inbox = inbox_of(runner)
    await inbox.accept("matrix", None, [command("one"), command("two")])
    await inbox.drained()
    assert runner.ran == ["two"]
    assert [left.text for left in await runner.store.waiting()] == ["one"]
