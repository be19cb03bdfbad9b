"""Letters go out once, in order, and wait as the chat asks."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.jobs.edits import Edits
from bot.jobs.line import AT_ONCE, Line
from bot.jobs.outbox import Outbox
from bot.jobs.pace import Budget
from bot.jobs.wording import Words
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
    DeadReason,
    Kind,
    Letter,
    OutboxState,
    Person,
    Priority,
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
        self.decided: list[datetime | None] = []
        self.tries = 0
        self.edits: list[str] = []
        self.troubles: list[ChatTrouble] = []
        self.door: list[Exception] = []
        self.outgoing: list[Outgoing] = []
        self.limit: SynapseLimit | None = None
        self.refused = 0

    async def send(self, outgoing: Outgoing) -> str:
        self.tries += 1
        if self.troubles:
            raise self.troubles.pop(0)
        if self.limit and (wait := self.limit.refuses()):
            self.refused += 1
            raise ChatBusy(wait)
        self.outgoing.append(outgoing)
        self.taken[outgoing.id] = plain(outgoing.document)
        self.order.append(outgoing.id)
        self.decided.append(outgoing.decided_at)
        return f"ref-{outgoing.id}"

    async def edit(self, ref: str, outgoing: Outgoing) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.edits.append(plain(outgoing.document))

    async def open_dm(self, person: Person) -> str:
        if self.door:
            raise self.door.pop(0)
        return f"dm-{person.id}"


class SynapseLimit:
    """As Synapse counts (`rc_message` 0.2/10): what came leaks away; one over ten is refused."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._counted = 0.0
        self._at = START

    def refuses(self) -> timedelta | None:
        now = self._office.now
        passed = (now - self._at).total_seconds()
        self._counted, self._at = max(0.0, self._counted - 0.2 * passed), now
        if self._counted + 1 > 10 + 1e-9:
            return timedelta(seconds=(self._counted - 9) / 0.2)
        self._counted += 1
        return None


class Office:
    def __init__(self, store: Store, *, pace: Pace | None = None) -> None:
        self.now = START
        self.store = store
        self.chat = FakeChat()
        self.alarms: list[str] = []
        policy = Policy(public_url="https://calls.example.org")
        words = Words(policy, Links(b"k" * 32, policy.public_url))
        line = Line(self.chat, self.clock, pace)  # type: ignore[arg-type]
        self.outbox = Outbox(store, [line], words, self.clock, Metrics(), alarm=self.alarm)
        self.edits = Edits(store, [line], words, self.clock, every=policy.edit_every)

    def clock(self) -> datetime:
        return self.now

    async def alarm(self, letter: Letter) -> list[Letter]:
        self.alarms.append(letter.id)
        return []

    async def write(self, letter_id: str, **where: object) -> None:
        goal = where or {"channel": "!team"}
        content = to_json(message("say.done"))
        await self.store.say([Letter(letter_id, "matrix", content, self.now, **goal)])  # type: ignore[arg-type]

    async def answers(self, letter_id: str, origin: str) -> None:
        """A command in the team's channel is done; its answer is handed over."""
        team, ana = Channel("matrix", "!team"), Person("matrix", "@ana:example.org")
        command = Command(f"matrix:{origin}", Kind.MESSAGE, team, ana, "help", origin, self.now)
        await self.store.accept("matrix", None, [command])
        content = to_json(message("say.done"))
        answer = Letter(letter_id, "matrix", content, self.now, channel="!team")
        lease = timedelta(seconds=10)
        new = await self.store.finish(command.id, [answer], at=self.now, lease=lease)
        self.outbox.take([answer] if new else [])

    async def deliver(self) -> None:
        await self.outbox.deliver_due()
        await self.edits.deliver_due()

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


async def test_the_chat_hears_how_old_a_letter_is(office: Office) -> None:
    office.chat.troubles = [ChatUnavailable("down")]
    await office.write("letter")
    await office.deliver()
    await office.wait(hours=30)
    assert office.chat.decided == [START]


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
    await office.deliver()
    await office.wait(seconds=15)
    assert await office.dead() == []
    await office.wait(seconds=45)
    assert office.chat.taken == {}
    assert await office.dead() == ["poison"]
    assert office.alarms == ["poison"]


async def test_only_a_chat_that_breaks_counts_to_three(office: Office) -> None:
    """Being down before, or asking to wait, says nothing about the content."""
    office.chat.troubles = [ChatUnavailable("down")] * 4 + [ChatBusy(timedelta(seconds=5))]
    office.chat.troubles += [ChatFailed("500")] * 2
    await office.write("letter")
    for _ in range(8):
        await office.wait(minutes=1)
    assert office.chat.order == ["letter"]


async def test_a_letter_that_trips_the_adapter_up_is_dead_after_three_tries(office: Office) -> None:
    office.chat.troubles = [ZeroDivisionError()] * 3  # type: ignore[list-item]
    await office.write("poison")
    for _ in range(3):
        await office.wait(minutes=1)
    await office.write("good")
    await office.deliver()
    assert office.chat.order == ["good"]
    assert await office.dead() == ["poison"]


async def test_a_door_that_trips_the_adapter_up_is_tried_three_times(office: Office) -> None:
    office.chat.door = [ZeroDivisionError() for _ in range(3)]
    await office.write("poison", person="@ana:example.org")
    await office.deliver()
    await office.write("later", person="@ana:example.org")
    for _ in range(3):
        await office.wait(minutes=1)
    assert office.chat.order == ["later"]
    assert await office.dead() == ["poison"]


async def test_a_letter_that_cannot_be_read_is_dead(office: Office) -> None:
    broken = Letter("broken", "matrix", {"phrases": "?"}, office.now, channel="!team")
    await office.store.say([broken])
    await office.write("good")
    await office.deliver()
    assert list(office.chat.taken) == ["good"]
    assert await office.dead() == ["broken"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("not json", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param('{"phrases": [["no.such.key", {}]]}', id="half a message"),
        pytest.param(
            '{"phrases":[["x",{}]],"style":"notice","pings":[],"buttons":[],"language":"xx"}',
            id="no such text",
        ),
    ],
)
async def test_a_row_that_cannot_be_read_is_dead_and_stops_nothing(
    tmp_path: Path, content: str
) -> None:
    store = await open_store(tmp_path)
    await Office(store).write("broken")
    await store.close()
    with closing(sqlite3.connect(tmp_path / "bbb-bot.db")) as raw, raw:
        raw.execute("UPDATE outbox SET content = ?, fallback = ?", (content, content))
    store = await open_store(tmp_path)
    office = Office(store)
    await office.write("good")
    await office.deliver()
    assert office.chat.order == ["good"]
    [dead] = await store.dead_letters()
    assert (dead.id, dead.reason) == ("broken", DeadReason.UNREADABLE)
    await store.close()


# --- in order ------------------------------------------------------------------------------------


async def test_behind_a_letter_that_is_tried_again_the_later_ones_wait(office: Office) -> None:
    office.chat.troubles = [ChatUnavailable("down")]
    for name in ("first", "second", "third"):
        await office.write(name)
    await office.write("elsewhere", channel="!other")
    await office.deliver()
    await office.write("fourth")
    await office.deliver()
    assert office.chat.order == ["elsewhere"]
    await office.wait(seconds=2)
    assert office.chat.order == ["elsewhere", "first", "second", "third", "fourth"]


async def test_an_answer_does_not_overtake_one_that_is_tried_again(office: Office) -> None:
    office.chat.troubles = [ChatUnavailable("down")]
    await office.write("first")
    await office.deliver()
    await office.answers("second", "$2")
    await office.deliver()
    assert office.chat.order == []
    await office.wait(seconds=2)
    assert office.chat.order == ["first", "second"]


async def test_an_answer_overtakes_what_nobody_waits_for(office: Office) -> None:
    office.chat.troubles = [ChatUnavailable("down")]
    await office.write("notice", channel="!team", priority=Priority.NOTICE)
    await office.deliver()
    await office.answers("answer", "$1")
    await office.deliver()
    assert office.chat.order == ["answer"]


async def test_behind_a_dead_letter_nothing_waits(office: Office) -> None:
    office.chat.troubles = [ChatUnavailable("down"), ChatRefused("413")]
    for name in ("poison", "good"):
        await office.write(name)
    await office.deliver()
    await office.wait(seconds=2)
    assert office.chat.order == ["good"]
    assert await office.dead() == ["poison"]


async def test_what_is_queued_stops_when_the_chat_is_busy(office: Office) -> None:
    """In every channel: none of the hundred runs into the same refusal."""
    office.chat.troubles = [ChatBusy(timedelta(seconds=30))] * AT_ONCE
    for number in range(100):
        await office.write(f"letter-{number:02}", channel=f"!{number % 50}")
    await office.deliver()
    assert office.chat.tries <= AT_ONCE
    await office.wait(seconds=10)
    assert office.chat.tries <= AT_ONCE
    office.chat.troubles = []
    await office.wait(seconds=21)
    assert len(office.chat.order) == len(set(office.chat.order)) == 100
    for channel in range(50):
        mine = [name for name in office.chat.order if int(name[-2:]) % 50 == channel]
        assert mine == sorted(mine)


async def test_the_word_in_the_channel_stands_where_the_question_stood(office: Office) -> None:
    office.chat.door = [DirectRefused("blocked")]
    where = {"fallback": to_json(message("direct.sent")), "fallback_channel": "!team"}
    await office.write(
        "secret", person="@ana:example.org", reply_to="$asked", thread="$thread", **where
    )
    await office.write("open", person="@bo:example.org", reply_to="$asked", thread="$thread")
    await office.deliver()
    shown = {out.id: (out.reply_to, out.thread) for out in office.chat.outgoing}
    assert shown == {"secret/instead": ("$asked", "$thread"), "open": (None, None)}
    assert office.alarms == []  # the person knows


# --- within the chat's limit ---------------------------------------------------------------------


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[Office]:
    """On a homeserver with Synapse's default limit: one message in 5 s, ten at once."""
    store = await open_store(tmp_path / "slow")
    office = Office(store, pace=Pace(rate=0.2, burst=10))
    office.chat.limit = SynapseLimit(office)
    yield office
    await store.close()


async def test_three_messages_stay_for_answers(slow: Office) -> None:
    for number in range(20):
        await slow.write(f"notice-{number:02}", channel=f"!{number}", priority=Priority.NOTICE)
    await slow.deliver()
    assert len(slow.chat.order) == 7
    for number in range(3):
        await slow.answers(f"answer-{number}", f"${number}")
        await slow.deliver()
    assert slow.chat.order[7:] == ["answer-0", "answer-1", "answer-2"]
    for _ in range(40):
        await slow.wait(seconds=5)
    assert len(slow.chat.order) == 23
    assert slow.chat.refused == 0


async def test_under_default_limits_all_is_said_and_no_answer_waits(slow: Office) -> None:
    """A hundred announcements to 20 rooms; somebody asks something every half minute."""
    for number in range(100):
        await slow.write(f"notice-{number:03}", channel=f"!{number % 20}", priority=Priority.NOTICE)
    for second in range(0, 720, 1):
        if second % 30 == 29:
            await slow.answers(f"answer-{second}", f"${second}")
        await slow.wait(seconds=1)
        assert second % 30 != 29 or slow.chat.order[-1].startswith("answer"), second
    assert len(slow.chat.order) == 124
    assert slow.chat.refused == 0


async def test_reminders_go_before_notices(slow: Office) -> None:
    for number in range(10):
        await slow.write(f"notice-{number}", channel=f"!{number}", priority=Priority.NOTICE)
    await slow.write("reminder", channel="!0", priority=Priority.CARD)
    await slow.deliver()
    assert "reminder" in slow.chat.order
    assert len(slow.chat.order) == 7


async def test_buttons_are_counted(slow: Office) -> None:
    card = to_json(replace(message("say.done"), buttons=("▶",)))
    for number in range(10):
        notice = Letter(
            f"card-{number}", "matrix", card, slow.now, channel=f"!{number}", priority=Priority.CARD
        )
        await slow.store.say([notice])
    await slow.deliver()
    assert len(slow.chat.order) == 3  # and three buttons: six of the seven


async def test_the_chat_knows_better_how_much_it_takes(slow: Office) -> None:
    """After a refusal the answer goes first, and what nobody waits for not before there is more."""
    slow.chat.troubles = [ChatBusy(timedelta(seconds=20))]
    await slow.answers("answer", "$1")
    await slow.write("notice", channel="!x", priority=Priority.NOTICE)
    await slow.deliver()
    await slow.wait(seconds=20)
    assert slow.chat.order == ["answer"]
    await slow.wait(seconds=15)
    assert slow.chat.order == ["answer"]
    await slow.wait(seconds=5)
    assert slow.chat.order == ["answer", "notice"]


async def test_a_clock_that_jumps_back_gives_nothing_and_takes_nothing() -> None:
    budget = Budget(Pace(rate=0.2, burst=10))
    budget.spend(START, 10)
    assert budget.spare(START - timedelta(hours=1)) == 0
    assert budget.spare(START - timedelta(hours=1) + timedelta(seconds=20)) == 1
    assert budget.spare(START + timedelta(days=3)) == 7


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
    await office.wait(seconds=30)
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
