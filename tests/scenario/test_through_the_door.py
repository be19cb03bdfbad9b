"""What the button asks for and answers: names, consent, places, several people in one browser."""

import asyncio
from urllib.parse import parse_qs

from commands.links import fingerprint
from commands.visits import Busy, Door, Go, Press, Refused, Wait, WaitFor
from tests.scenario.scene import OTHER, Scene, link_in


async def personal_link(scene: Scene, who: str, where: str = "#team") -> str:
    await scene.says(who, "!bbb join", where)
    return (await scene.told(who))[-1]


def refusal(outcome: object) -> tuple[str, str | None]:
    assert isinstance(outcome, Refused), outcome
    return outcome.key.removeprefix("pages.refused."), outcome.field


async def test_a_typed_name_stands_behind_the_one_from_the_chat(scene: Scene) -> None:
    link = await personal_link(scene, "bob")
    assert isinstance(await scene.press(link, name="Alice Martin"), Go)
    assert scene.sent_to_bbb("join")["fullName"] == "Bob Keller (Alice Martin)"
    for nothing in (None, "", "  ", "Bob Keller"):
        await scene.press(link, name=nothing)
        assert scene.sent_to_bbb("join")["fullName"] == "Bob Keller"
    assert refusal(await scene.press(link, name="x" * 81)) == ("name-long", "name")


async def test_a_guest_is_always_marked_as_one(scene: Scene) -> None:
    await scene.press(await personal_link(scene, "alice"))
    await scene.forward(seconds=20)
    await scene.says("alice", "!bbb guest for 2h")
    guest = await scene.last()
    assert isinstance(await scene.press(guest, name="Alice Martin"), Go)
    assert scene.sent_to_bbb("join")["fullName"] == "Alice Martin (guest)"
    assert refusal(await scene.press(guest, name="x" * 81)) == ("name-long", "name")


async def test_a_guest_link_lives_for_a_month_at_most(scene: Scene) -> None:
    await scene.says("alice", "!bbb guest for 721h")
    assert "cannot live for 30 days 1 hour; 30 days is the longest" in await scene.last()
    await scene.says("alice", "!bbb guest for 720h")
    assert "/j/" in await scene.last()


async def test_nobody_is_recorded_without_having_agreed(scene: Scene) -> None:
    await scene.says("alice", "!bbb start record guests:on")
    card = await scene.last()
    link = await personal_link(scene, "alice")
    view = await scene.bot.joining.look(link_in(link), None)
    assert (view.recorded, view.consent) == (True, True)
    assert refusal(await scene.press(link)) == ("consent", "consent")
    assert await scene.inside() == {}
    assert isinstance(await scene.press(link, consent=True), Go)
    await scene.forward(seconds=20)
    assert refusal(await scene.press(card, name="Eve")) == ("consent", "consent")
    assert isinstance(await scene.press(card, name="Eve", consent=True), Go)


async def test_a_full_call_takes_the_next_one_in_when_somebody_leaves(scene: Scene) -> None:
    await scene.says("alice", "!bbb start max:2 guests:on")
    card = await scene.last()
    his = await personal_link(scene, "bob")
    await scene.press(await personal_link(scene, "alice"))
    await scene.press(his)
    assert isinstance(await scene.press(his), Go)  # who is inside may come again

    full = await scene.press(card, name="Eve")
    assert isinstance(full, Wait) and full.reason is WaitFor.PLACE
    waiting = Press(link_in(card), name="Eve")
    assert not await scene.bot.joining.ready(waiting)
    await scene.leaves("Alice Martin")
    await scene.forward(minutes=1)
    assert await scene.bot.joining.ready(waiting)
    assert isinstance(await scene.press(card, name="Eve"), Go)


async def test_of_several_people_in_a_browser_the_member_is_used(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    card = await scene.last()
    bob = await scene.press(await personal_link(scene, "bob"), remember=True)
    assert isinstance(bob, Go) and bob.cookie
    link = await personal_link(scene, "carol", OTHER)
    view = await scene.bot.joining.look(link_in(link), bob.cookie)
    assert (view.name, view.others) == ("Carol Dubois", ("Bob Keller",))
    carol = await scene.press(link, cookie=bob.cookie, remember=True)
    assert isinstance(carol, Go) and carol.cookie  # beside him, not instead of him

    view = await scene.bot.joining.look(link_in(card), carol.cookie)
    assert (view.door, view.name) == (Door.RECOGNISED, "Bob Keller")
    await scene.says("carol", "!bbb", OTHER)
    view = await scene.bot.joining.look(link_in(await scene.last(OTHER)), carol.cookie)
    assert view.name == "Carol Dubois"  # both may, and she is the newest
    assert isinstance(await scene.press(card, cookie=carol.cookie), Go)
    assert scene.sent_to_bbb("join")["fullName"] == "Bob Keller"


async def test_a_room_says_when_its_last_call_ended(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    card, link = await scene.last(), await personal_link(scene, "alice")
    await scene.press(link)
    await scene.forward(seconds=20)
    await scene.says("alice", "!bbb end")
    ended_at = scene.clock.now
    await scene.forward(minutes=20)
    for token in (link_in(card), link_in(link)):
        assert (await scene.bot.joining.look(token, None)).ended_at == ended_at
    await scene.press(link)
    assert (await scene.bot.joining.look(link_in(link), None)).ended_at is None


async def test_one_person_who_presses_all_the_time_has_to_wait(scene: Scene) -> None:
    link = await personal_link(scene, "bob")
    press = Press(link_in(link), name="x" * 81)  # a cheap one
    outcomes = [await scene.bot.joining.press(press) for _ in range(21)]
    assert [type(outcome) for outcome in outcomes[-2:]] == [Refused, Busy]
    hers = await personal_link(scene, "alice")
    assert isinstance(await scene.press(hers), Go)
    await scene.forward(seconds=10)
    assert isinstance(await scene.press(link), Go)


async def test_a_room_that_is_pressed_all_the_time_makes_everybody_wait(scene: Scene) -> None:
    link, other = await personal_link(scene, "bob"), await personal_link(scene, "carol", OTHER)
    limit = scene.bot.world.policy.limits.joins_per_room
    for _ in range(limit):  # as many people would
        scene.bot.world.limiters.joins_into.wait(await room_of(scene, link), scene.clock.now)
    assert isinstance(await scene.press(link), Busy)
    assert isinstance(await scene.press(other), Go)


async def room_of(scene: Scene, text: str) -> str:
    link = await scene.bot.world.store.link(fingerprint(link_in(text)))
    assert link is not None
    return link.room


async def test_many_who_press_at_once_open_one_meeting(scene: Scene) -> None:
    links = [await personal_link(scene, who) for who in ("alice", "bob")]
    presses = [Press(link_in(link)) for link in links * 5]
    outcomes = await asyncio.gather(*map(scene.bot.joining.press, presses))
    ways = [parse_qs(outcome.url) for outcome in outcomes if isinstance(outcome, Go)]
    assert len(ways) == len(presses), outcomes
    assert len({way["createTime"][0] for way in ways}) == 1
