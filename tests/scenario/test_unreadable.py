"""What could not be read is said once per room and hour, as an answer to the first such message."""

from commands.limits import Limiter
from commands.world import HOUR
from tests.scenario.scene import OTHER, TEAM, Scene


async def not_read(scene: Scene, text: str, where: str = TEAM) -> None:
    """Somebody writes what the bot has no key for."""
    ref = await scene.stage.utters("alice", where, text)
    await scene.bot.inbox.unreadable(scene.stage.channel(where), ref)
    await scene.settle()


async def hints(scene: Scene, where: str = TEAM) -> int:
    words = ("I could not read this message", "Diese Nachricht konnte ich nicht lesen")
    return sum(text.startswith(words) for text in await scene.said(where))


async def test_one_hint_per_room_and_hour(scene: Scene) -> None:
    for number in range(3):
        await not_read(scene, f"secret {number}")
    assert await hints(scene) == 1

    await scene.forward(minutes=59)
    await not_read(scene, "still secret")
    assert await hints(scene) == 1

    await scene.forward(minutes=2)
    await not_read(scene, "secret again")
    assert await hints(scene) == 2


async def test_each_room_has_its_own_hint_in_its_own_language(scene: Scene) -> None:
    await scene.says("alice", "!bbb lang de")
    await not_read(scene, "geheim")
    await not_read(scene, "secret", OTHER)

    assert (await scene.last()).startswith("Diese Nachricht konnte ich nicht lesen")
    assert (await scene.last(OTHER)).startswith("I could not read this message")


async def test_a_restart_within_the_hour_does_not_say_it_again(scene: Scene) -> None:
    await not_read(scene, "secret")
    scene.bot.world.limiters.unreadable = Limiter(1, HOUR)
    await not_read(scene, "secret")

    assert await hints(scene) == 1
