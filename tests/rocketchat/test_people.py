"""People and rooms of a workspace: names, whom a word means, who shares a room, direct messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from commands.errors import ChatUnavailable, DirectRefused
from tests.fakes.rocketchat.refusals import Forbidden, Refused
from tests.rocketchat.desk import Desk, desk_in, on_every_version


@pytest.fixture
def profile() -> str:
    return "8.x"


@pytest.fixture
async def desk(profile: str) -> AsyncIterator[Desk]:
    async with desk_in(profile) as found:
        yield found


# --- names ---------------------------------------------------------------------------------------


@on_every_version
async def test_names(desk: Desk) -> None:
    nameless = desk.server.add_user("dot", name="")
    assert await desk.people.display_name(desk.ana.id) == "Ana"
    assert await desk.people.username_of(desk.ana.id) == "ana"
    assert await desk.people.display_name(nameless.id) == "dot"
    assert await desk.people.display_name("nobody-at-all-x") is None
    assert await desk.people.username_of("nobody-at-all-x") is None
    assert await desk.people.id_of("ana") == desk.ana.id
    assert await desk.people.id_of("nobody") is None


async def test_a_name_is_asked_for_once_in_ten_seconds(desk: Desk) -> None:
    for _ in range(20):
        await desk.people.display_name(desk.ana.id)
    assert desk.asked("users.info") == 1
    desk.ana.name, desk.ana.username = "Anna", "anna"
    desk.now += 10
    assert await desk.people.display_name(desk.ana.id) == "Anna"
    assert await desk.people.username_of(desk.ana.id) == "anna"


async def test_a_name_of_before_is_better_than_none(desk: Desk) -> None:
    await desk.people.display_name(desk.ana.id)
    desk.server.faults.rest.fail("users.info", status=503, times=None)
    desk.now += 1000
    assert await desk.people.display_name(desk.ana.id) == "Ana"
    with pytest.raises(ChatUnavailable):
        await desk.people.display_name(desk.ben.id)


# --- whom a word means ---------------------------------------------------------------------------


@on_every_version
async def test_whom_a_word_means(desk: Desk) -> None:
    server, find, rid = desk.server, desk.people.find, desk.team.id
    for username, name in (("bo", "Bo Lee"), ("bo2", "Bo Lee"), ("eva.m", "Eva Martín")):
        server.join(server.add_user(username, name=name), desk.team)
    eva = server.state.named("eva.m")
    bo = server.state.named("bo")
    assert eva
    assert bo
    assert await find("@ben", rid) == desk.ben.id
    assert await find("ben", rid) == desk.ben.id
    assert await find("@BEN", rid) == desk.ben.id
    assert await find("Ben", rid) == desk.ben.id
    assert await find(desk.ben.id, rid) == desk.ben.id
    assert await find("eva martín", rid) == eva.id
    assert await find("@eva.m", rid) == eva.id
    assert await find("bo", rid) == bo.id
    assert await find("Bo Lee", rid) is None  # two of them
    assert await find("be", rid) is None  # a part is no name
    assert await find("@cy", rid) == desk.cy.id  # not in the room, but of this workspace
    assert await find("cy", rid) is None
    assert await find("@nobody", rid) is None


@on_every_version
@pytest.mark.parametrize(
    "word", ["", "@", " ", "@ana:example.org", "ana@example.org", "@a&userId=x", "x" * 300, "@.*"]
)
async def test_words_that_mean_nobody(desk: Desk, word: str) -> None:
    assert await desk.people.find(word, desk.team.id) is None
    assert not any(one.path == "dm.create" for one in desk.server.requests)


async def test_the_deactivated_are_not_found(desk: Desk) -> None:
    desk.server.deactivate(desk.cy)
    assert await desk.people.find("@cy", desk.team.id) is None
    assert await desk.people.find(desk.cy.id, desk.team.id) is None


async def test_in_a_broadcast_everybody_is_found_by_username_only(desk: Desk) -> None:
    desk.server.faults.rest.refuse("rooms.membersOrderedByRole", Forbidden(), times=None)
    assert await desk.people.find("@ben", desk.team.id) == desk.ben.id
    assert await desk.people.find("Ben", desk.team.id) is None


async def test_a_server_that_does_not_answer_is_no_no(desk: Desk) -> None:
    desk.server.faults.rest.fail("users.info", status=503, times=None)
    with pytest.raises(ChatUnavailable):
        await desk.people.find("@cy", desk.team.id)


async def test_a_no_about_people_in_general_is_no_answer_about_one(desk: Desk) -> None:
    desk.server.faults.rest.refuse("users.info", Refused("error-unauthorized"), times=None)
    with pytest.raises(ChatUnavailable):
        await desk.people.find("@cy", desk.team.id)
    with pytest.raises(ChatUnavailable):
        await desk.people.display_name(desk.cy.id)
    with pytest.raises(ChatUnavailable):
        await desk.people.share_a_room(desk.ana.id, desk.ben.id)


# --- rooms ---------------------------------------------------------------------------------------


@on_every_version
async def test_topics_and_addresses(desk: Desk) -> None:
    server, topic_of, address = desk.server, desk.people.topic_of, desk.people.web_address
    server.settings["Site_Url"] = "https://chat.example.org/rc/"
    everybody = (desk.bot, desk.ana)
    shown = server.add_room("team-2", owner=desk.ana, members=everybody, fname="Team Zwei")
    group = server.add_room("inner", "p", owner=desk.ana, members=everybody)
    talk = server.add_room(
        "aBcD", "p", owner=desk.ana, members=everybody, fname="About tea", prid=desk.team.id
    )
    rid = await desk.direct.open(desk.ana.id)
    await desk.look()
    rooms = (desk.team.id, shown.id, group.id, talk.id, rid, "nowhere")
    assert [await topic_of(room) for room in rooms] == [
        "team",
        "Team Zwei",
        "inner",
        "About tea",
        None,
        None,
    ]
    base = "https://chat.example.org/rc"
    assert [address(room) for room in rooms] == [
        f"{base}/channel/{desk.team.id}",
        f"{base}/channel/{shown.id}",
        f"{base}/group/{group.id}",
        f"{base}/group/{talk.id}",
        f"{base}/direct/{rid}",
        None,
    ]


@on_every_version
async def test_who_shares_a_room(desk: Desk) -> None:
    server, share = desk.server, desk.people.share_a_room
    server.add_room("elsewhere", "p", owner=desk.ana, members=(desk.cy,))  # without the bot
    await desk.direct.open(desk.cy.id)
    await desk.look()
    assert await share(desk.ana.id, desk.ben.id)
    assert not await share(desk.ana.id, desk.cy.id)
    server.add_room("several", "d", None, members=(desk.bot, desk.ana, desk.cy))
    await desk.look()
    assert await share(desk.ana.id, desk.cy.id)


async def test_where_somebody_was_found_is_looked_first(desk: Desk) -> None:
    """A bot in many rooms would ask about each."""
    server, everybody = desk.server, (desk.bot, desk.ben)
    for number in range(20):
        server.add_room(f"other-{number}", owner=desk.ben, members=everybody)
    late = server.add_room("late", owner=desk.ana, members=(*everybody, desk.cy))
    await desk.look()
    assert await desk.people.find("@cy", late.id) == desk.cy.id
    before = len(server.requests)
    assert await desk.people.share_a_room(desk.ana.id, desk.cy.id)
    assert len(server.requests) - before <= 6
    server.leave(desk.bot, late)
    await desk.look()
    assert not await desk.people.share_a_room(desk.ana.id, desk.cy.id)


async def test_a_room_the_bot_has_just_left_is_passed_over(desk: Desk) -> None:
    room = desk.server.add_room("gone", "p", owner=desk.ana, members=(desk.bot, desk.cy))
    await desk.look()
    desk.server.leave(desk.bot, room, event=False)
    assert not await desk.people.share_a_room(desk.ana.id, desk.cy.id)
    desk.server.faults.rest.fail(status=503, times=None)
    desk.now += 10
    with pytest.raises(ChatUnavailable):
        await desk.people.share_a_room(desk.ana.id, desk.cy.id)


# --- direct messages -----------------------------------------------------------------------------


@on_every_version
async def test_a_direct_message_is_of_two_and_made_once(desk: Desk) -> None:
    rids = await asyncio.gather(*(desk.direct.open(desk.ana.id) for _ in range(5)))
    assert len(set(rids)) == 1
    assert desk.asked("dm.create") == 1
    assert desk.server.direct_room(desk.bot, desk.ana) is desk.server.room(rids[0])
    assert await desk.direct.is_dm(rids[0])
    assert not await desk.direct.is_dm(desk.team.id)
    assert not await desk.direct.is_dm("nowhere")


@on_every_version
async def test_members_are_looked_at_every_time(desk: Desk) -> None:
    """They never change, it is said; a link for one person is worth the question."""
    rid = await desk.direct.open(desk.ana.id)
    desk.server.join(desk.cy, desk.server.room(rid))
    assert not await desk.direct.is_dm(rid)
    room = desk.server.room(await desk.direct.open(desk.ana.id))
    assert room.members.keys() == {desk.bot.id, desk.ana.id}


@on_every_version
async def test_a_group_of_three_and_a_talk_with_oneself_are_not_direct(desk: Desk) -> None:
    three = desk.server.add_room(None, "d", None, members=(desk.bot, desk.ana, desk.ben))
    desk.server.deactivate(desk.ben)  # lists leave him out; he may come back
    alone = desk.server.add_room(None, "d", None, members=(desk.bot,))
    others = desk.server.add_room(None, "d", None, members=(desk.ana, desk.cy))
    for room in (three, alone, others):
        assert not await desk.direct.is_dm(room.id)


@on_every_version
async def test_who_cannot_be_written_to(desk: Desk) -> None:
    server = desk.server
    gone = server.add_user("gone")
    server.deactivate(gone)
    robot = server.add_user("robot", type="bot")
    app = server.add_user("helper.bot", type="app")
    far = server.add_user("@eve:example.org", federated=True)
    mail = server.add_user("eve@example.org")
    for user_id in (gone.id, robot.id, app.id, far.id, mail.id, desk.bot.id, "nobody-at-all-x"):
        with pytest.raises(DirectRefused):
            await desk.direct.open(user_id)
    assert desk.asked("dm.create") == 0


async def test_a_robot_by_its_role_where_roles_are_told(desk: Desk) -> None:
    other = desk.server.add_user("other", roles=("bot", "user"))
    await desk.direct.open(other.id)
    desk.bot.roles.add("admin")
    with pytest.raises(DirectRefused, match="robot"):
        await desk.direct.open(other.id)


@on_every_version
@pytest.mark.parametrize("who", ["blocked", "blocker"])
async def test_a_blocked_person_is_not_written_to(desk: Desk, who: str) -> None:
    room = desk.server.room(await desk.direct.open(desk.ana.id))
    setattr(room.members[desk.bot.id], who, True)
    with pytest.raises(DirectRefused, match="blocked"):
        await desk.direct.open(desk.ana.id)


@on_every_version
async def test_without_the_right_to_write_directly(desk: Desk) -> None:
    desk.bot.roles = set()
    with pytest.raises(DirectRefused):
        await desk.direct.open(desk.ana.id)


async def test_a_room_of_others_in_the_answer_is_not_taken(desk: Desk) -> None:
    room = {"t": "d", "rid": desk.team.id, "_id": desk.team.id, "usernames": ["ana", "bbb"]}
    desk.server.faults.rest.fail(
        "dm.create", status=200, body={"success": True, "room": room}, times=None
    )
    with pytest.raises(DirectRefused):
        await desk.direct.open(desk.ana.id)


@pytest.mark.parametrize("path", ["users.info", "dm.create", "rooms.info", "subscriptions.getOne"])
async def test_when_the_server_does_not_answer_it_is_tried_later(path: str, desk: Desk) -> None:
    desk.server.faults.rest.fail(path, status=503, times=None)
    with pytest.raises(ChatUnavailable):
        await desk.direct.open(desk.ana.id)


async def test_an_answer_lost_finds_the_same_room_again(desk: Desk) -> None:
    desk.server.faults.rest.fail("dm.create", status=502, after_storing=True)
    rid = await desk.direct.open(desk.ana.id)
    assert desk.server.direct_room(desk.bot, desk.ana) is desk.server.room(rid)


async def test_who_may_not_be_asked_about_is_tried_later(desk: Desk) -> None:
    desk.server.faults.rest.refuse("users.info", Refused("error-unauthorized"), times=None)
    with pytest.raises(ChatUnavailable):
        await desk.direct.open(desk.ana.id)
