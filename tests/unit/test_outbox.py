"""Letters go out once, in order, and wait as the chat asks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.jobs.outbox import Outbox, Words
from bot.metrics import Metrics
from commands.errors import (
    ChatBusy,
    ChatFailed,
    ChatRefused,
    ChatTrouble,
    ChatUnavailable,
    DirectRefused,
    NotThereYet,
)
from commands.links import Links
from commands.messages import message, plain, to_json
from commands.ports import Outgoing, Pace, Policy
from storage.open import open_store
from storage.records import (
    Card,
    Channel,
    Command,
    Kind,
    Letter,
    OutboxState,
    Person,
    Room,
    RoomKind,
)
from storage.store import Store

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


class FakeChat:
    """Takes messages, once per id; answers with the troubles it is given, one per call."""

    platform = "matrix"

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}
        self.order: list[str] = []
        self.tries = 0
        self.edits: list[str] = []
        self.troubles: list[ChatTrouble] = []
        self.door: list[ChatTrouble] = []

    async def send(self, outgoing: Outgoing) -> str:
        self.tries += 1
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken[outgoing.id] = plain(outgoing.document)
        self.order.append(outgoing.id)
        return f"ref-{outgoing.id}"

    async def edit(self, ref: str, outgoing: Outgoing) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.edits.append(plain(outgoing.document))

    async def open_dm(self, person: Person) -> str:
        if self.door:
            raise self.door.pop(0)
        return f"dm-{person.id}"


class Office:
    def __init__(self, store: Store, *, pace: Pace | None = None) -> None:
        self.now = START
        self.store = store
        self.chat = FakeChat()
        self.alarms: list[str] = []
        paces = {"matrix": pace} if pace else {}
        policy = Policy(public_url="https://calls.example.org", paces=paces)
        words = Words(policy, Links(b"k" * 32, policy.public_url))
        self.outbox = Outbox(
            store,
            {"matrix": self.chat},  # type: ignore[dict-item]
            words,
            lambda: self.now,
            Metrics(),
            policy=policy,
            alarm=self.alarm,
        )

    async def alarm(self, letter: Letter) -> list[Letter]:
        self.alarms.append(letter.id)
        return []

    async def write(self, letter_id: str, **where: object) -> None:
        goal = where or {"channel": "!team"}
        content = to_json(message("say.done"))
        await self.store.say([Letter(letter_id, "matrix", content, self.now, **goal)])  # type: ignore[arg-type]

    async def deliver(self) -> None:
        await self.outbox.deliver_due()

    async def wait(self, **span: float) -> None:
        self.now += timedelta(**span)
        await self.deliver()

    async def dead(self) -> list[str]:
        return [letter.id for letter in await self.store.dead_letters()]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store = await open_store(tmp_path)
    yield Office(store)
    await store.close()


async def test_letters_of_a_channel_go_out_in_order_and_once(office: Office) -> None:
    for number in range(5):
        await office.write(f"letter-{number}")
    await office.deliver()
    await office.wait(hours=1)
    assert office.chat.order == [f"letter-{number}" for number in range(5)]


async def test_a_chat_that_is_down_is_tried_again_with_the_same_id(office: Office) -> None:
    office.chat.troubles = [ChatUnavailable("down"), ChatUnavailable("down")]
    await office.write("letter")
    await office.deliver()
    assert office.chat.taken == {}
    await office.wait(seconds=5)
    await office.wait(seconds=10)
    assert list(office.chat.taken) == ["letter"]


async def test_a_busy_chat_makes_everything_wait_and_nothing_counts(office: Office) -> None:
    office.chat.troubles = [ChatBusy(timedelta(seconds=30))]
    await office.write("first")
    await office.deliver()
    await office.write("second", channel="!other")
    await office.wait(seconds=10)
    assert office.chat.tries == 1
    await office.wait(seconds=25)
    assert sorted(office.chat.taken) == ["first", "second"]


async def test_limits_on_opening_direct_messages_hold_back_nothing_else(office: Office) -> None:
    office.chat.door = [ChatBusy(timedelta(seconds=60))]
    await office.write("secret", person="@ana:example.org")
    await office.deliver()
    await office.write("answer")
    await office.deliver()
    assert list(office.chat.taken) == ["answer"]
    await office.wait(seconds=61)
    assert list(office.chat.taken) == ["answer", "secret"]


async def test_a_letter_waits_until_the_person_opens_the_direct_message(office: Office) -> None:
    office.chat.door = [NotThereYet("invited")]
    await office.write("secret", person="@ana:example.org")
    await office.deliver()
    assert office.chat.taken == {}
    await office.store.wake_letters(Person("matrix", "@ana:example.org"), now=office.now)
    await office.deliver()
    assert list(office.chat.taken) == ["secret"]


async def test_a_direct_message_never_opened_is_given_up_after_a_day(office: Office) -> None:
    office.chat.door = [NotThereYet("invited")] * 1000
    await office.write("secret", person="@ana:example.org")
    await office.deliver()
    await office.wait(hours=25)
    assert await office.dead() == ["secret"]


async def test_who_cannot_be_written_to_is_told_in_the_channel_how(office: Office) -> None:
    office.chat.door = [DirectRefused("blocked")]
    fallback = to_json(message("direct.sent"))
    await office.write(
        "secret", person="@ana:example.org", fallback=fallback, fallback_channel="!team"
    )
    await office.deliver()
    assert office.chat.taken == {"secret/instead": "I am sending you the link in a direct message."}
    assert await office.dead() == ["secret"]


async def test_a_refused_letter_is_dead_and_holds_nobody_up(office: Office) -> None:
    office.chat.troubles = [ChatRefused("forbidden")]
    await office.write("poison")
    await office.write("good")
    await office.deliver()
    assert list(office.chat.taken) == ["good"]
    assert await office.dead() == ["poison"]


async def test_the_same_content_failing_three_times_is_dead(office: Office) -> None:
    office.chat.troubles = [ChatFailed("500")] * 3
    await office.write("poison")
    for _ in range(4):
        await office.wait(minutes=2)
    assert office.chat.taken == {}
    assert await office.dead() == ["poison"]


async def test_a_letter_that_cannot_be_read_is_dead(office: Office) -> None:
    broken = Letter("broken", "matrix", {"phrases": "?"}, office.now, channel="!team")
    await office.store.say([broken])
    await office.write("good")
    await office.deliver()
    assert list(office.chat.taken) == ["good"]
    assert await office.dead() == ["broken"]


async def test_sent_but_not_noted_is_sent_again_under_the_same_id(office: Office) -> None:
    await office.write("letter")
    [claimed] = await office.store.claim_letters(
        now=office.now, lease=timedelta(seconds=60), limit=1, platform="matrix"
    )
    assert claimed.state is OutboxState.DUE  # the process dies here, after the chat took it
    await office.deliver()
    assert office.chat.tries == 0
    await office.wait(seconds=61)
    assert office.chat.order == ["letter"]


async def test_letters_handed_over_are_sent_at_once_and_not_twice(office: Office) -> None:
    team, ana = Channel("matrix", "!team"), Person("matrix", "@ana:example.org")
    command = Command("matrix:$1", Kind.MESSAGE, team, ana, "help", "$1", START)
    await office.store.accept("matrix", None, [command])
    answer = Letter("answer", "matrix", to_json(message("say.done")), START, channel="!team")
    new = await office.store.finish(command.id, [answer], at=START, lease=timedelta(seconds=10))
    assert new == ["answer"]
    office.outbox.take([answer])
    await office.deliver()
    await office.wait(seconds=60)
    assert office.chat.order == ["answer"]
    assert await office.store.finish(command.id, [answer], at=START) == []


async def test_letters_handed_over_to_a_busy_chat_go_out_later(office: Office) -> None:
    office.chat.troubles = [ChatBusy(timedelta(seconds=30))]
    await office.write("first")
    await office.deliver()
    team, ana = Channel("matrix", "!team"), Person("matrix", "@ana:example.org")
    command = Command("matrix:$1", Kind.MESSAGE, team, ana, "help", "$1", START)
    await office.store.accept("matrix", None, [command])
    answer = Letter("answer", "matrix", to_json(message("say.done")), START, channel="!other")
    await office.store.finish(command.id, [answer], at=START, lease=timedelta(seconds=10))
    office.outbox.take([answer])
    await office.deliver()
    assert office.chat.taken == {}
    await office.wait(seconds=31)
    assert sorted(office.chat.taken) == ["answer", "first"]


async def test_a_new_start_does_not_wait_for_the_leases_of_the_old_one(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    before = Office(store)
    await before.write("letter")
    await store.claim_letters(now=START, lease=timedelta(seconds=60), limit=1, platform="matrix")
    await store.close()
    store = await open_store(tmp_path)
    after = Office(store)
    await after.deliver()
    assert after.chat.order == ["letter"]
    await store.close()


async def test_a_card_is_edited_to_its_latest_content_only(office: Office) -> None:
    first, second, third = (to_json(message(key)) for key in ("say.done", "direct.sent", "e.quote"))
    team, ana = Channel("matrix", "!team"), Person("matrix", "@ana:example.org")
    room = Room("room", RoomKind.DEFAULT, team, "Team", "mx-1", ana, office.now, "cause")
    await office.store.put_room(room)
    card = Card("card", "room", team, first, office.now)
    letter = Letter("card/post", "matrix", first, office.now, channel="!team", card="card")
    await office.store.say([letter], cards=[card])
    await office.deliver()
    await office.store.show_on_card("card", second, edit_at=office.now)
    await office.store.show_on_card("card", third, edit_at=office.now)
    await office.deliver()
    assert len(office.chat.edits) == 1
    assert "quotation mark" in office.chat.edits[0]
    await office.store.show_on_card("card", first, edit_at=office.now)
    await office.deliver()
    assert len(office.chat.edits) == 1
    await office.wait(seconds=16)
    assert office.chat.edits[1:] == ["Said in the call."]
