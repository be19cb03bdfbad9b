"""Somebody, or something, that never stops asking: what the bot says stays bounded."""

from datetime import timedelta

from tests.scenario.scene import TEAM, Scene


async def test_where_two_never_stop_the_bot_is_silent_for_a_minute(scene: Scene) -> None:
    """Each of them within their own limit; nothing of what was asked is lost."""
    scene.admin("carol")
    await scene.forward(seconds=10)  # the hello is past
    for _ in range(9):
        for who in ("alice", "bob"):
            await scene.says(who, "!bbb rooms")
            scene.clock.now += timedelta(milliseconds=500)
    assert len(await scene.said()) == 12  # the first to each, and ten more
    await scene.says_directly("bob", "my")
    assert "Your own room" in (await scene.told("bob"))[-1]  # elsewhere it goes on
    [alarm] = await scene.told("carol")
    assert f"({scene.stage.channel(TEAM).id}) I was about to post more than 10 messages" in alarm
    await scene.forward(seconds=40)
    assert len(await scene.said()) == 12
    await scene.forward(seconds=30)
    assert len(await scene.said()) == 18
    await scene.says("alice", "!bbb rooms")
    assert len(await scene.said()) == 19
    assert len(await scene.told("carol")) == 1


async def test_many_people_at_once_are_no_loop(scene: Scene) -> None:
    """Every one of them is answered at once, also when they ask several times."""
    for _ in range(4):
        for who in ("alice", "bob"):
            await scene.says(who, "!bbb rooms")
    assert len(await scene.said()) == 8
