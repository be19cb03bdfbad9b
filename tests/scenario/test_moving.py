"""The bot is made to go and comes back, or goes with its people into a new channel."""

from tests.scenario.scene import TEAM, Scene

NEW = "#team-2"


async def test_what_was_there_is_there_again_when_the_bot_is_back(scene: Scene) -> None:
    await scene.says("alice", "!bbb create standup")
    await scene.says("alice", "!bbb lang de")
    await scene.says("alice", "!bbb rooms")
    rooms = await scene.last()

    await scene.stage.removes_bot(TEAM)
    await scene.settle()
    await scene.stage.invites_bot(TEAM)
    await scene.says("alice", "!bbb rooms")

    assert await scene.last() == rooms


async def test_a_card_that_went_stale_meanwhile_is_right_again_when_the_bot_is_back(
    scene: Scene,
) -> None:
    await scene.says("alice", "!bbb start")
    [card] = await scene.seen()
    await scene.presses("bob", card)
    [letter] = await scene.told("bob")
    await scene.press(letter)
    await scene.forward(seconds=60)
    await scene.stage.removes_bot(TEAM)
    await scene.leaves("Bob Keller")
    await scene.forward(minutes=10)
    [card] = await scene.seen()
    assert "1 person in the call" in card.text

    await scene.stage.invites_bot(TEAM)
    await scene.forward(seconds=30)

    [card] = await scene.seen()
    assert "ended" in card.text


async def test_rooms_links_and_settings_go_along_into_the_channel_that_takes_the_place(
    scene: Scene,
) -> None:
    await scene.says("alice", "!bbb create standup")
    await scene.says("alice", "!bbb lang de")
    await scene.says("alice", "!bbb rooms")
    rooms = await scene.last()

    await scene.stage.replaces(TEAM, NEW)
    await scene.settle()
    assert (await scene.said(NEW))[0].startswith("Ich bin aus dem früheren Kanal mitgekommen")
    await scene.says("alice", "!bbb rooms", NEW)

    assert await scene.last(NEW) == rooms
    assert "Hallo!" not in "".join(await scene.said(NEW))


async def test_in_a_replaced_channel_nothing_is_carried_out_any_more(scene: Scene) -> None:
    await scene.says("alice", "!bbb start")
    [card] = await scene.seen()
    await scene.stage.replaces(TEAM, NEW)
    await scene.settle()
    meetings = len(scene.bbb.state.meetings())

    await scene.says("alice", "!bbb create standup")
    assert "This channel was replaced, and nothing is carried out here" in await scene.last()
    await scene.presses("alice", card)
    await scene.says("alice", "!bbb rooms", NEW)

    assert "standup" not in await scene.last(NEW)
    assert len(scene.bbb.state.meetings()) == meetings


async def test_the_card_of_a_living_call_is_posted_anew_and_followed_there(scene: Scene) -> None:
    await scene.says("alice", "!bbb start")
    [old] = await scene.seen()
    await scene.stage.replaces(TEAM, NEW)
    await scene.settle()

    [card] = [one for one in await scene.seen(NEW) if "Join" in one.text]
    assert scene.same_link(card.text, old.text)
    await scene.says("bob", "!bbb join", NEW)
    [letter] = await scene.told("bob")
    await scene.press(letter)
    await scene.forward(seconds=90)

    [card] = [one for one in await scene.seen(NEW) if "Join" in one.text]
    assert "1 person in the call" in card.text
    assert "1 person in the call" not in (await scene.seen())[0].text
