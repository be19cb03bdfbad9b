"""What the bot says when something is wrong, too much, too late, or in another language."""

from datetime import timedelta

import pytest

from commands.visits import Wait, WaitFor
from tests.scenario.scene import TEAM, Scene


async def test_hello_is_said_once(scene: Scene) -> None:
    assert await scene.hellos() == 1
    await scene.stage.welcomes_bot(TEAM)
    await scene.settle()
    assert await scene.hellos() == 1


async def test_help_lists_what_can_be_typed_and_explains_one(scene: Scene) -> None:
    await scene.says("bob", "!bbb help")
    text = await scene.last()
    assert "`!bbb join [ROOM]` – sends you your personal link" in text
    await scene.says("bob", "!bbb help start")
    assert (
        "Options: for 90m, guests:off|lobby|on, lobby:on|off, max:20, "
        "moderators:admins|everyone|creator, mute:on|off, record, record:auto|fixed|no."
    ) in await scene.last()


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("strat", "Did you mean `!bbb start"),
        ("xyzzy", "I don't know “xyzzy”. Nothing has changed. All commands: `!bbb help`"),
        ("start max:1", "“max:1” is not possible"),
        ("start moderators:cats", "moderators:admins, moderators:everyone, moderators:creator"),
        ("start for 9h", "longer than a call may last here"),
        ("rooms please", "I don't understand “please” here"),
        ("start colour:red", "I don't know the option “colour” here"),
        ('start "open', "A quotation mark is not closed"),
        ("rename one", "I need two names"),
        ("lang klingon", "Possible are: en, fr, de"),
    ],
)
async def test_a_refusal_says_what_and_what_next(scene: Scene, typed: str, answer: str) -> None:
    await scene.says("alice", f"!bbb {typed}")
    [text] = await scene.said()
    assert answer in text
    assert scene.bbb.state.meetings() == []


async def test_the_channels_language_is_its_admins_choice(scene: Scene) -> None:
    await scene.says("bob", "!bbb lang fr")
    assert "Only this channel's admins may use lang here" in await scene.last()
    await scene.says("alice", "!bbb lang fr")
    assert await scene.last() == "Désormais, je parle français ici."
    await scene.says("bob", "!bbb démarrer")
    assert "appel ouvert par Bob Keller" in await scene.last()


async def test_in_a_direct_message_the_language_is_my_own(scene: Scene) -> None:
    await scene.says_directly("bob", "lang de")
    assert (await scene.told("bob"))[-1] == "Ab jetzt spreche ich hier Deutsch."
    await scene.says_directly("bob", "join")
    assert "keine privaten Anrufe" in (await scene.told("bob"))[-1]
    await scene.says("bob", "!bbb rooms")
    assert "This channel has no room yet" in await scene.last()


async def test_a_dead_video_server_is_one_sentence_and_nothing_half_made(scene: Scene) -> None:
    scene.break_bbb("down")
    await scene.says("alice", "!bbb")
    [text] = await scene.said()
    assert text.startswith("The video server does not answer as it should right now.")
    assert "Nothing was created or changed" in text
    assert await scene.bot.world.store.live_meetings() == []
    scene.mend_bbb()
    await scene.says("alice", "!bbb")
    assert "call opened by Alice Martin" in await scene.last()


async def test_a_private_call_leaves_nothing_behind_when_the_server_is_dead(scene: Scene) -> None:
    scene.break_bbb("down")
    await scene.says("alice", f"!bbb call {scene.stage.mention('bob')}")
    assert await scene.told("bob") == []
    await scene.says_directly("alice", "join")
    assert "You have no private calls" in (await scene.told("alice"))[-1]


async def test_a_lost_answer_is_asked_for_again_and_makes_one_meeting(scene: Scene) -> None:
    scene.break_bbb("lost-reply", once=True)
    await scene.says("alice", "!bbb")
    assert "call opened by Alice Martin" in await scene.last()
    assert len(scene.bbb.state.meetings()) == 1


async def test_a_lost_answer_to_say_is_not_repeated_for_them(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb join")
    await scene.press((await scene.told("alice"))[-1])
    scene.break_bbb_on("sendChatMessage", "lost-reply")
    await scene.says("alice", "!bbb say Hello")
    assert "it may have been said or not" in await scene.last()


async def test_a_click_waits_while_the_server_is_dead(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    await scene.says("alice", "!bbb join")
    scene.break_bbb("down")
    waits = await scene.press((await scene.told("alice"))[-1])
    assert isinstance(waits, Wait)
    assert waits.reason is WaitFor.SERVER


async def test_a_wrong_secret_is_for_the_admins(scene: Scene) -> None:
    scene.break_bbb("wrong-secret")
    await scene.says("alice", "!bbb")
    assert "`bbb-bot doctor` says what is wrong" in await scene.last()


async def test_too_many_commands_are_told_once(scene: Scene) -> None:
    for _ in range(14):
        await scene.says("bob", "!bbb rooms")
    said = await scene.said()
    assert len([text for text in said if "no room yet" in text]) == 10
    assert len([text for text in said if text.startswith("Too many commands")]) == 1
    await scene.forward(minutes=1)
    await scene.says("bob", "!bbb rooms")
    assert "no room yet" in await scene.last()


async def test_a_command_older_than_five_minutes_is_not_carried_out(scene: Scene) -> None:
    command = await scene.command("alice", "create Late room")
    scene.clock.now += timedelta(minutes=6)
    await scene.arrives(command)
    assert "I was away when you wrote `!bbb create Late room`" in await scene.last()
    await scene.says("alice", "!bbb rooms")
    assert "Late room" not in await scene.last()


async def test_the_same_event_twice_is_one_command(scene: Scene) -> None:
    command = await scene.command("alice", "create Once")
    for _ in range(3):
        await scene.arrives(command)
    assert len([text for text in await scene.said() if "Once is ready" in text]) == 1


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("start Planning", "Planning – call opened by Alice Martin"),
        ("create Planning", "The room Planning is ready"),
        ('rename "Old" "Planning"', "The room is now called Planning"),
        ("delete-room Old", "The room Old is gone"),
        ("lang fr", "Désormais, je parle français ici."),
        ("my reset", "I am sending you the link in a direct message."),
        ("say Planning", "I was interrupted while saying it"),
        ("end", "The call Team has been ended."),
        ("guest off", "2 guest links"),
    ],
)
async def test_a_command_run_again_after_a_crash_has_its_first_result(
    scene: Scene, typed: str, answer: str
) -> None:
    await scene.says("alice", "!bbb create Old")
    if typed in ("say Planning", "end"):
        await scene.says("alice", "!bbb")
    if typed == "guest off":
        await scene.says("alice", "!bbb guest for 1h")
        await scene.says("alice", "!bbb guest for 2h")
    before = len(await scene.said())
    command = await scene.command("alice", typed)
    await scene.run_and_crash(command)
    await scene.run_and_crash(command)
    await scene.bot.inbox.resume()
    await scene.settle()
    [text] = (await scene.said())[before:]
    assert answer in text


async def test_an_end_that_a_crash_interrupted_is_found_by_its_cause(scene: Scene) -> None:
    """However long after, and not an end of somebody else: a private call is gone by its name."""
    await scene.says("alice", f"!bbb call {scene.stage.mention('bob')} Budget")
    command = await scene.command("alice", "end Budget")
    await scene.run_and_crash(command)
    scene.clock.now += timedelta(minutes=4, seconds=50)
    await scene.says("alice", "!bbb end")
    assert "Nothing runs in Team right now" in await scene.last()
    await scene.bot.inbox.resume()
    await scene.settle()
    assert await scene.last() == "The call Budget has been ended."


async def test_an_end_interrupted_before_the_server_was_asked_is_carried_out(scene: Scene) -> None:
    await scene.says("alice", "!bbb")
    store = scene.bot.world.store
    command = await scene.command("alice", "end")
    room = await store.default_room(command.channel)
    assert room is not None
    meeting = await store.live_meeting(room.id)
    assert meeting is not None
    await store.ending_meeting(meeting.id, cause=command.id)
    await scene.run_and_crash(command)
    await scene.bot.inbox.resume()
    await scene.settle()
    assert await scene.last() == "The call Team has been ended."
    assert [meeting for meeting in scene.bbb.state.meetings() if not meeting.is_over] == []


async def test_what_comes_to_nothing_is_not_counted(scene: Scene) -> None:
    bob = scene.stage.mention("bob")
    scene.break_bbb("down")
    for _ in range(7):
        await scene.says("alice", f"!bbb call {bob}")
        await scene.says("alice", "!bbb start Planning new")
        await scene.forward(seconds=30)
    scene.mend_bbb()
    await scene.forward(minutes=1)
    limiters, now = scene.bot.world.limiters, scene.clock()
    alice = scene.stage.person("alice")
    assert limiters.invitations.wait(alice, now, cost=20) is None
    assert limiters.creates.wait(alice, now, cost=5) is None


@pytest.mark.parametrize("typed", ["start Planning new", "call {bob} Planning"])
async def test_what_was_refused_before_a_crash_is_not_opened_after_it(
    scene: Scene, typed: str
) -> None:
    """Its room is gone already: a card would lead nowhere."""
    command = await scene.command("alice", typed.format(bob=scene.stage.mention("bob")))
    scene.break_bbb("down")
    await scene.run_and_crash(command)
    scene.mend_bbb()
    await scene.bot.inbox.resume()
    await scene.settle()
    assert "The video server does not answer" in await scene.last()
    assert scene.bbb.state.meetings() == []


async def test_a_hostile_name_stays_plain_text(scene: Scene) -> None:
    await scene.stage.renames("bob", "**@room** <b>`x`</b> {link} [a](http://evil.example)")
    await scene.says("bob", "!bbb")
    assert "opened by **@room** <b>`x`</b> {link} [a](http://evil.example)" in await scene.last()
