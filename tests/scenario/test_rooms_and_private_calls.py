"""Named rooms, one's own room, private calls, invitations."""

from datetime import timedelta

from commands.visits import Go, NotFound
from tests.scenario.scene import OTHER, Scene


async def test_a_named_room_lives_until_it_is_deleted(scene: Scene) -> None:
    await scene.says("bob", "!bbb create Coffee corner")
    assert "The room Coffee corner is ready" in await scene.last()
    await scene.says("alice", '!bbb create "coffee CORNER"')
    assert "A room coffee CORNER is here already" in await scene.last()
    await scene.says("alice", "!bbb join coffee corner")
    link = (await scene.told("alice"))[-1]
    assert isinstance(await scene.press(link), Go)
    await scene.says("bob", "!bbb rooms")
    assert "• Coffee corner (open now)" in await scene.last()

    await scene.says("bob", '!bbb rename "Coffee corner" "Tea corner"')
    assert "now called Tea corner" in await scene.last()
    await scene.says("bob", "!bbb delete-room Tea corner")
    assert "End its call first" in await scene.last()
    await scene.says("bob", "!bbb end Tea corner")
    await scene.forward(seconds=20)
    await scene.says("bob", "!bbb delete-room Tea corner")
    assert "The room Tea corner is gone" in await scene.last()
    assert await scene.press(link) == NotFound()


async def test_only_the_owner_and_admins_delete_a_room(scene: Scene) -> None:
    await scene.says("alice", "!bbb create Lab")
    await scene.says("bob", "!bbb delete-room Lab")
    assert "Only this channel's admins and the room's owner may use delete-room" in (
        await scene.last()
    )
    await scene.says("bob", "!bbb delete-room Cellar")
    assert "There is no room “Cellar” here" in await scene.last()


async def test_a_private_call_is_for_the_invited_and_everyone_moderates(scene: Scene) -> None:
    bob = scene.stage.mention("bob")
    await scene.says("alice", f'!bbb call {bob} "Salary talk"')
    assert await scene.last() == "I am sending the link to Bob Keller in direct messages."
    hers = (await scene.told("alice"))[-1]
    his = (await scene.told("bob"))[-1]
    assert "Alice Martin invites you to a private call, Salary talk" in his
    await scene.press(hers)
    await scene.press(his)
    assert await scene.inside() == {"Alice Martin": "moderator", "Bob Keller": "moderator"}
    assert "Salary" not in " ".join(await scene.said())
    await scene.says_directly("bob", "join")
    assert "Your private call:\n• Salary talk" in (await scene.told("bob"))[-1]


async def test_nobody_is_called_by_a_stranger(scene: Scene) -> None:
    mallory = scene.stage.mention("mallory")
    await scene.says("alice", f"!bbb call {mallory}")
    assert "Nobody was written to" in await scene.last()
    assert await scene.told("mallory") == []
    await scene.says("alice", "!bbb call")
    assert "Whom shall I invite?" in await scene.last()


async def test_an_invited_outsider_enters_as_viewer(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", f"!bbb invite {scene.stage.mention('carol')}")
    assert await scene.last() == "I am sending the link to Carol Dubois in direct messages."
    link = (await scene.told("carol"))[-1]
    assert "Alice Martin invites you into the room Team" in link
    await scene.press(link)
    assert await scene.inside() == {"Carol Dubois": "viewer"}
    await scene.says("carol", "!bbb end", OTHER)
    assert "Nothing runs in Other" in await scene.last(OTHER)


async def test_a_private_call_ends_by_its_name_and_its_links_with_it(scene: Scene) -> None:
    await scene.says("alice", f"!bbb call {scene.stage.mention('bob')} Budget")
    his = (await scene.told("bob"))[-1]
    await scene.press(his)
    await scene.says_directly("carol", "end Budget")
    assert "There is no room “Budget” here" in (await scene.told("carol"))[-1]
    await scene.says_directly("bob", "end Budget")  # everyone in it is moderator
    await scene.forward(seconds=20)
    assert await scene.inside() == {}
    assert await scene.press(his) == NotFound()


async def test_a_private_call_is_forgotten_a_day_after_the_last_person_left(scene: Scene) -> None:
    await scene.says("alice", f"!bbb call {scene.stage.mention('bob')} Budget")
    await scene.press((await scene.told("bob"))[-1])
    await scene.leaves("Bob Keller")
    await scene.forward(minutes=3)
    scene.clock.now += timedelta(hours=25)
    await scene.says_directly("bob", "join")
    assert "You have no private calls" in (await scene.told("bob"))[-1]


async def test_an_invited_member_is_let_in_only_while_a_member(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", f"!bbb invite {scene.stage.mention('bob')}")
    link = (await scene.told("bob"))[-1]
    assert "invites you into the room Team" in link
    await scene.stage.removes("bob", "#team")
    assert await scene.press(link) == NotFound()


async def test_a_second_call_leaves_no_room_behind_when_the_server_is_dead(scene: Scene) -> None:
    scene.break_bbb("down")
    await scene.says("alice", "!bbb start Planning new")
    assert "Nothing was created or changed" in await scene.last()
    scene.mend_bbb()
    await scene.says("alice", "!bbb start Planning new")
    assert "Planning – call opened by Alice Martin" in await scene.last()


async def test_my_own_room_and_its_reset(scene: Scene) -> None:
    await scene.says("bob", "!bbb my")
    old = (await scene.told("bob"))[-1]
    assert "Your own room" in old
    assert await scene.last() == "I am sending you the link in a direct message."
    await scene.says_directly("bob", "start")
    assert scene.same_link(old, (await scene.told("bob"))[-1])
    await scene.press(old)
    assert await scene.inside() == {"Bob Keller": "moderator"}
    await scene.says("bob", "!bbb my reset")
    assert "End its call first: `!bbb end my`" in await scene.last()
    await scene.says("bob", "!bbb end my")
    await scene.forward(seconds=20)
    await scene.says("bob", "!bbb my reset")
    assert await scene.press(old) == NotFound()
    assert isinstance(await scene.press((await scene.told("bob"))[-1]), Go)


async def test_join_in_a_direct_message_without_calls_says_where_to_go(scene: Scene) -> None:
    await scene.says_directly("alice", "join")
    assert "You have no private calls" in (await scene.told("alice"))[-1]


async def test_a_direct_message_knows_what_belongs_in_channels(scene: Scene) -> None:
    await scene.says_directly("bob", "create Lab")
    assert "create works in channels, not in a direct message" in (await scene.told("bob"))[-1]
    await scene.says_directly("bob", "help")
    assert "create NAME" not in (await scene.told("bob"))[-1]
    await scene.says_directly("bob", "status")
    assert "Nothing runs in Bob Keller's room right now." in (await scene.told("bob"))[-1]
