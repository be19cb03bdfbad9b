"""A channel's call, as the people in it live through it."""

from commands.visits import Door, Go, NotFound, Press, Refused, Wait
from storage.records import Meeting
from tests.scenario.scene import OTHER, Scene, link_in


async def test_a_call_from_the_first_word_to_its_end(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    [card] = await scene.said()
    assert "Team – call opened by Alice Martin; nobody is inside yet." in card

    await scene.says("alice", "!bbb join")
    assert "personal link to Team" in (await scene.told("alice"))[-1]
    assert await scene.last() == "I am sending you the link in a direct message."
    await scene.press((await scene.told("alice"))[-1])
    await scene.says("bob", "!bbb join")
    await scene.press((await scene.told("bob"))[-1])
    assert await scene.inside() == {"Alice Martin": "moderator", "Bob Keller": "viewer"}

    await scene.forward(seconds=60)
    assert "2 people in the call" in (await scene.said())[0]

    await scene.leaves("Bob Keller")
    await scene.forward(seconds=60)
    assert "1 person in the call" in (await scene.said())[0]

    await scene.says("alice", "!bbb end")
    await scene.forward(seconds=30)
    assert "Team ended after 2 minutes; up to 2 people took part." in (await scene.said())[0]
    assert await scene.inside() == {}


async def test_a_topic_and_options_reach_the_video_server(scene: Scene) -> None:
    await scene.says("bob", "!bbb start “Weekly sync” record max:20 mute for 90m")
    assert "Weekly sync – call opened by Bob Keller" in await scene.last()
    assert "May be recorded." in await scene.last()
    sent = scene.sent_to_bbb("create")
    assert sent["name"] == "Weekly sync"
    assert (sent["record"], sent["maxParticipants"], sent["muteOnStart"], sent["duration"]) == (
        "true",
        "20",
        "true",
        "90",
    )
    assert "attendeePW" not in sent
    assert sent["meetingID"][:3] in {"mx-", "rc-", "xx-"}
    assert len(sent["meetingID"]) >= 3 + 26


async def test_whoever_opened_the_call_is_moderator_too(scene: Scene) -> None:
    await scene.says("bob", "!bbb")
    await scene.says("bob", "!bbb join")
    await scene.press((await scene.told("bob"))[-1])
    assert await scene.inside() == {"Bob Keller": "moderator"}


async def test_moderators_everyone_makes_everyone_one(scene: Scene) -> None:
    await scene.says("alice", "!bbb start moderators:everyone")
    await scene.says("bob", "!bbb join")
    await scene.press((await scene.told("bob"))[-1])
    assert await scene.inside() == {"Bob Keller": "moderator"}


async def test_a_running_call_is_offered_before_a_second_one(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("bob", "!bbb")
    assert "A call is already open here: Team" in await scene.last()
    await scene.says("bob", "!bbb join")
    await scene.press((await scene.told("bob"))[-1])
    await scene.forward(seconds=40)
    await scene.says("alice", "!bbb start Other topic")
    assert "A call is already running here: Team, 1 person inside." in await scene.last()

    await scene.says("alice", "!bbb start Other topic new")
    assert "Other topic – call opened by Alice Martin" in await scene.last()
    assert len(scene.bbb.state.meetings()) == 2


async def test_the_play_button_brings_the_personal_link_without_a_word_in_the_channel(
    scene: Scene,
) -> None:
    await scene.says("alice", "!bbb")
    [card] = await scene.seen()
    await scene.presses("bob", card)
    assert "Your personal link to Team" in (await scene.told("bob"))[-1]
    assert len(await scene.said()) == 1


async def test_the_stop_button_ends_the_call_for_whoever_may(scene: Scene) -> None:
    await _two_inside(scene)
    card = (await scene.seen())[0]
    await scene.presses("bob", card, "⏹")
    assert "Only whoever opened the call" in await scene.last()
    await scene.presses("alice", card, "⏹️")
    assert "2 people are in Team" in await scene.last()
    await scene.leaves("Bob Keller")
    await scene.presses("alice", card, "⏹")
    assert await scene.last() == "The call Team has been ended."


async def test_the_stop_button_of_an_old_card_leaves_the_new_call_alone(scene: Scene) -> None:
    await _call_that_ended(scene)
    old = (await scene.seen())[0]
    await scene.forward(minutes=20)
    await scene.says("alice", "!bbb")
    said = len(await scene.seen())
    await scene.presses("alice", old, "⏹")
    assert len(await scene.seen()) == said
    assert len(scene.bbb.state.meetings()) == 1


async def test_too_many_presses_are_left_without_a_word(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    [card] = await scene.seen()
    for _ in range(12):
        await scene.presses("bob", card)
    assert len(await scene.told("bob")) == 10
    assert len(await scene.seen()) == 1
    await scene.says("bob", "!bbb rooms")
    assert "1 room in this channel" in await scene.last()


async def test_the_first_to_type_is_nobody_special(scene: Scene) -> None:
    await scene.says("bob", "!bbb status")
    await scene.says("alice", "!bbb")
    await scene.says("bob", "!bbb guest")
    assert "Only this channel's admins and the room's owner" in await scene.last()
    await scene.says("bob", "!bbb end")
    assert "Only whoever opened the call" in await scene.last()


async def test_a_member_cannot_open_the_door_wider_than_the_admins_do(scene: Scene) -> None:
    await scene.says("bob", "!bbb start guests:on")
    assert "Only this channel's admins may use guests, lobby here" in await scene.last()
    await scene.says("bob", "!bbb create Open guests:on")
    assert "Only this channel's admins may use guests, lobby here" in await scene.last()
    await scene.says("alice", "!bbb start guests:on")
    assert "call opened by Alice Martin" in await scene.last()


async def test_a_guest_who_comes_while_the_call_is_being_made_harms_nothing(scene: Scene) -> None:
    await scene.says("alice", "!bbb guest")
    guest = await scene.last()
    store = scene.bot.world.store
    room = await store.default_room(scene.stage.channel("#team"))
    assert room is not None
    planned = Meeting(
        "meeting-1", room.id, "one", scene.stage.person("alice"), scene.clock.now, "a click"
    )
    await store.plan_meeting(planned)
    assert isinstance(await scene.press(guest, name="Eve"), Wait)
    await scene.says("bob", "!bbb status")
    assert "Nothing runs in Team" in await scene.last()
    assert await store.live_meeting(room.id) == planned


async def test_other_reactions_mean_nothing(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    [card] = await scene.seen()
    await scene.presses("bob", card, "👍")
    assert len(await scene.seen()) == 1
    assert await scene.inside() == {}


async def test_a_call_that_nobody_joined_is_made_again_by_the_click(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb join")
    await scene.forward(minutes=7)
    assert scene.bbb.state.meetings() == []
    assert "nobody is inside yet" in (await scene.said())[0]
    await scene.press((await scene.told("alice"))[-1])
    await scene.forward(seconds=40)
    assert "1 person in the call" in (await scene.said())[0]
    assert len([text for text in await scene.said() if "📹" in text]) == 1


async def test_a_click_soon_after_the_end_runs_the_same_card_again(scene: Scene) -> None:
    link = await _call_that_ended(scene)
    await scene.forward(minutes=5)
    await scene.press(link)
    await scene.forward(seconds=40)
    assert ["1 person in the call" in text for text in await scene.said() if "📹" in text] == [True]


async def test_a_click_long_after_the_end_posts_a_new_card(scene: Scene) -> None:
    link = await _call_that_ended(scene)
    await scene.forward(minutes=16)
    await scene.press(link)
    await scene.forward(seconds=40)
    cards = [text for text in await scene.said() if "📹" in text or "✔" in text]
    assert "✔ Team ended" in cards[0]
    assert "1 person in the call" in cards[1]


async def test_a_card_is_edited_at_most_every_15_seconds(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    for who in ("alice", "bob"):
        await scene.says(who, "!bbb join")
        await scene.press((await scene.told(who))[-1])
        await scene.forward(seconds=10)
    await scene.forward(seconds=60)
    [card] = [message for message in await scene.seen() if "📹" in message.text]
    assert "2 people" in card.text
    assert 1 <= card.edits <= 3


async def test_ending_with_people_inside_must_be_said_twice(scene: Scene) -> None:
    await _two_inside(scene)
    await scene.says("alice", "!bbb end")
    assert "2 people are in Team" in await scene.last()
    assert "`!bbb end sure`" in await scene.last()
    assert len(await scene.inside()) == 2
    await scene.says("alice", "!bbb end sure")
    await scene.forward(seconds=20)
    assert await scene.inside() == {}
    assert "has been ended" in (await scene.said())[-1]


async def test_a_call_ended_before_anybody_came_says_so(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb guest")
    guest = await scene.last()
    await scene.says("alice", "!bbb end")
    await scene.forward(seconds=20)
    assert "✔ Team was ended; nobody had come." in (await scene.said())[0]
    assert await scene.press(guest, name="Eve") == NotFound()


async def test_a_guest_link_keeps_the_end_it_was_promised(scene: Scene) -> None:
    await scene.says("alice", "!bbb guest for 2h")
    two_hours = await scene.last()
    await scene.says("alice", "!bbb guest for 30m")
    half_an_hour = await scene.last()
    assert not scene.same_link(two_hours, half_an_hour)
    await scene.forward(minutes=31)
    assert await scene.press(half_an_hour, name="Eve") == NotFound()
    assert isinstance(await scene.press(two_hours, name="Eve"), Wait)


async def test_the_end_of_a_call_ends_just_the_guest_links_without_a_time(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb guest")
    endless = await scene.last()
    await scene.says("alice", "!bbb guest for 2h")
    timed = await scene.last()
    await scene.says("alice", "!bbb end")
    assert await scene.press(endless, name="Eve") == NotFound()
    assert isinstance(await scene.press(timed, name="Eve"), Wait)


async def test_sure_comes_too_late_after_a_minute(scene: Scene) -> None:
    await _two_inside(scene)
    await scene.says("alice", "!bbb end")
    await scene.forward(seconds=70)
    await scene.says("alice", "!bbb end sure")
    assert "2 people are in Team" in await scene.last()
    assert len(await scene.inside()) == 2


async def test_a_member_who_did_not_open_it_cannot_end_it(scene: Scene) -> None:
    await _two_inside(scene)
    await scene.says("bob", "!bbb end sure")
    assert "Only whoever opened the call" in await scene.last()
    assert len(await scene.inside()) == 2


async def test_status_who_and_say_speak_of_what_runs(scene: Scene) -> None:
    await scene.says("bob", "!bbb status")
    assert "Nothing runs in Team right now. `!bbb` opens a call." in await scene.last()
    await _two_inside(scene)
    await scene.says("bob", "!bbb status")
    assert "2 people inside, 1 moderating." in await scene.last()
    await scene.says("bob", "!bbb who")
    assert "Alice Martin and Bob Keller" in await scene.last()
    await scene.says("bob", "!bbb say Coffee at ten")
    assert await scene.last() == "Said in the call."
    assert scene.sent_to_bbb("sendChatMessage")["message"] == "Bob Keller: Coffee at ten"


async def test_one_person_in_two_windows_is_one_person(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb join")
    for _ in range(2):
        await scene.press((await scene.told("alice"))[-1])
    await scene.says("alice", "!bbb status")
    assert "1 person inside, 1 moderating." in await scene.last()
    await scene.says("alice", "!bbb who")
    assert (await scene.last()).count("Alice Martin") == 1
    await scene.says("alice", "!bbb end")
    assert "ended" in await scene.last()
    await scene.forward(seconds=10)
    assert await scene.inside() == {}


async def test_a_removed_member_is_refused_at_the_next_click(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("bob", "!bbb join")
    link = (await scene.told("bob"))[-1]
    await scene.stage.removes("bob", "#team")
    assert await scene.press(link) == NotFound()
    assert await scene.inside() == {}


async def test_a_look_at_a_link_changes_nothing(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    card = await scene.last()
    before = len(scene.bbb.requests)
    for _ in range(5):
        view = await scene.bot.joining.look(link_in(card), None)
        assert view.door is Door.UNRECOGNISED
        assert (view.topic, view.name, view.others) == ("Team", "", ())
    assert len(scene.bbb.requests) == before


async def test_a_recognised_browser_opens_channel_links_in_one_click(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    card = (await scene.said())[0]
    await scene.says("bob", "!bbb join")
    went = await scene.press((await scene.told("bob"))[-1], remember=True)
    assert isinstance(went, Go)
    assert went.cookie
    assert "a browser was signed in" in (await scene.told("bob"))[-1]
    view = await scene.bot.joining.look(link_in(card), went.cookie)
    assert (view.door, view.name) == (Door.RECOGNISED, "Bob Keller")
    assert isinstance(await scene.press(card, cookie=went.cookie), Go)
    assert isinstance(await scene.press(card), Refused)

    await scene.says("bob", "!bbb forget-me")
    view = await scene.bot.joining.look(link_in(card), went.cookie)
    assert view.door is Door.UNRECOGNISED


async def test_a_recognised_browser_of_somebody_else_gets_no_one_in(scene: Scene) -> None:
    await scene.says("carol", "!bbb", OTHER)
    await scene.says("carol", "!bbb join", OTHER)
    went = await scene.press((await scene.told("carol"))[-1], remember=True)
    assert isinstance(went, Go)
    await scene.says("alice", "!bbb")
    refused = await scene.press(await scene.last(), cookie=went.cookie)
    assert isinstance(refused, Refused)
    assert refused.key == "pages.refused.not-member"
    assert await scene.inside() == {"Carol Dubois": "moderator"}


async def test_the_lobby_holds_everyone_but_moderators(scene: Scene) -> None:
    await scene.says("alice", "!bbb start lobby")
    await scene.says("alice", "!bbb join")
    await scene.press((await scene.told("alice"))[-1])
    await scene.says("bob", "!bbb join")
    await scene.press((await scene.told("bob"))[-1])
    assert scene.sent_to_bbb("create")["guestPolicy"] == "ASK_MODERATOR"
    assert scene.sent_to_bbb("join")["guest"] == "true"
    assert await scene.inside() == {"Alice Martin": "moderator"}


async def test_without_a_display_name_the_id_stands_in(scene: Scene) -> None:
    await scene.stage.renames("bob", "")
    await scene.says("alice", "!bbb")
    await scene.says("bob", "!bbb join")
    link = (await scene.told("bob"))[-1]
    await scene.press(link, name=" \u200b ")
    [name] = await scene.inside()
    assert name.startswith("bob")


async def test_guests_wait_until_a_member_is_inside(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb guest")
    guest = await scene.last()
    assert "until the call ends" in guest
    assert isinstance(await scene.press(guest, name="Eve"), Wait)
    assert isinstance(await scene.press(guest, name=""), Refused)
    await scene.says("alice", "!bbb join")
    await scene.press((await scene.told("alice"))[-1])
    token = Press(link_in(guest), name="Eve")
    await scene.forward(seconds=20)
    assert await scene.bot.joining.ready(token)
    assert isinstance(await scene.press(guest, name="Eve"), Go)
    assert scene.sent_to_bbb("join")["fullName"] == "Eve (guest)"
    assert scene.sent_to_bbb("join")["role"] == "VIEWER"
    assert scene.sent_to_bbb("join")["guest"] == "true"

    await scene.says("alice", "!bbb guest off")
    assert isinstance(await scene.press(guest, name="Eve"), NotFound)


async def test_a_member_cannot_let_outsiders_in_where_guests_are_off(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("bob", "!bbb guest")
    assert "Only this channel's admins and the room's owner" in await scene.last()


async def _two_inside(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    for who in ("alice", "bob"):
        await scene.says(who, "!bbb join")
        await scene.press((await scene.told(who))[-1])
    await scene.forward(seconds=40)


async def _call_that_ended(scene: Scene) -> str:
    """A call that Alice opened, joined and ended; the text with her personal link."""
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb join")
    link = (await scene.told("alice"))[-1]
    await scene.press(link)
    await scene.forward(seconds=40)
    await scene.says("alice", "!bbb end")
    return link
