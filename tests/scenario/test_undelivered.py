"""What could not be delivered: the bot's admins hear of it, see it, send it again or forget it."""

import re
from collections.abc import Callable

import pytest

from commands.errors import ChatRefused
from commands.ports import Outgoing
from tests.scenario.scene import OTHER, Scene

SECRETS = re.compile(r"/j/|https?://|Secret|Budget")


def refuse(scene: Scene, monkeypatch: pytest.MonkeyPatch, where: str) -> Callable[[], None]:
    """The chat takes nothing into this channel, until the function given back is called."""
    [adapter] = scene.bot.adapters
    channel, send, closed = scene.stage.channel(where).id, adapter.send, [True]

    async def refusing(message: Outgoing) -> str:
        if closed and message.channel == channel:
            raise ChatRefused("403 M_FORBIDDEN")
        return await send(message)

    monkeypatch.setattr(adapter, "send", refusing)
    return closed.clear


def number_in(text: str) -> str:
    found = re.search(r"#(\d+)", text)
    assert found is not None, text
    return found[1]


async def test_an_admin_is_told_sees_why_and_sends_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.admin("alice")
    reopen = refuse(scene, monkeypatch, OTHER)
    await scene.says("carol", '!bbb start "Secret Budget"', OTHER)
    await scene.says("carol", "!bbb rooms", OTHER)
    alarm, *more = await scene.told("alice")
    assert "could not be delivered" in alarm
    assert more == []  # once an hour at most
    await scene.says_directly("alice", "admin outbox")
    shown = (await scene.told("alice"))[-1]
    assert shown.startswith("2 messages could not be delivered:")
    assert "a card (card.open) to Other" in shown
    assert "an answer (rooms.head) to Other" in shown
    assert shown.count("the chat refused it (403 M_FORBIDDEN)") == 2
    assert not SECRETS.search(shown)
    reopen()
    await scene.says_directly("alice", "admin outbox retry all")
    assert (await scene.told("alice"))[-1].startswith("I am sending 2 messages again: #")
    card, answer = await scene.said(OTHER)
    assert "Secret Budget – call opened by Carol Dubois" in card
    assert "1 room in this channel" in answer
    await scene.says_directly("alice", "admin outbox")
    assert "Every message was delivered" in (await scene.told("alice"))[-1]


async def test_a_number_stays_and_what_is_dropped_is_gone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.admin("alice")
    reopen = refuse(scene, monkeypatch, OTHER)
    await scene.says("carol", "!bbb rooms", OTHER)
    assert len(await scene.told("alice")) == 1
    await scene.says_directly("alice", "admin outbox")
    number = number_in((await scene.told("alice"))[-1])
    await scene.says_directly("alice", f"admin outbox retry #{number}")
    await scene.says_directly("alice", "admin outbox")
    assert number_in((await scene.told("alice"))[-1]) == number  # refused once more
    reopen()
    await scene.says_directly("alice", f"admin outbox drop {number}")
    assert (await scene.told("alice"))[-1] == f"1 message is forgotten: #{number}."
    await scene.says_directly("alice", f"admin outbox retry {number}")
    assert "No undelivered message is meant by" in (await scene.told("alice"))[-1]
    assert await scene.said(OTHER) == []


@pytest.mark.parametrize("typed", ["retry all", "drop all"])
async def test_run_again_after_a_crash_it_has_its_first_result(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    scene.admin("alice")
    reopen = refuse(scene, monkeypatch, OTHER)
    await scene.says("carol", "!bbb rooms", OTHER)
    assert len(await scene.told("alice")) == 1
    reopen()
    command = await scene.command("alice", f"admin outbox {typed}")
    await scene.run_and_crash(command)
    await scene.run_and_crash(command)
    await scene.bot.inbox.resume()
    await scene.settle()
    answer = (await scene.told("alice"))[-1]
    assert "1 message" in answer
    assert number_in(answer)
    assert len(await scene.said(OTHER)) == (1 if typed == "retry all" else 0)


async def test_only_the_bots_admins_may_and_only_they_are_told_how(scene: Scene) -> None:
    scene.admin("bob")
    await scene.says("alice", "!bbb admin outbox")  # an admin of the channel
    assert "Only the bot's own admins" in await scene.last()
    await scene.says("alice", "!bbb help")
    assert "admin outbox" not in await scene.last()
    await scene.says("alice", "!bbb help admin")
    assert "I don't know “admin”" in await scene.last()
    await scene.says("alice", "!bbb admim")
    assert "I don't know “admim”" in await scene.last()
    await scene.says("bob", "!bbb help")
    assert "`!bbb admin outbox [retry|drop N|all]`" in await scene.last()
    await scene.says("bob", "!bbb help admin")
    assert "messages that could not be delivered" in await scene.last()


async def test_in_a_channel_the_answer_comes_by_direct_message(scene: Scene) -> None:
    scene.admin("alice")
    await scene.says("alice", "!bbb admin outbox")
    assert await scene.last() == "I am answering you in a direct message."
    assert (await scene.told("alice"))[-1].startswith("Every message was delivered")


async def test_what_is_not_understood_changes_nothing(scene: Scene) -> None:
    scene.admin("alice")
    for typed in ("admin", "admin outbox retry", "admin outbox throw 1"):
        await scene.says("alice", f"!bbb {typed}")
        assert "Type `!bbb admin outbox [retry|drop N|all]`" in await scene.last()
    for typed in ("x", "-1", "1.5", "９", "1" * 30):
        await scene.says("alice", f"!bbb admin outbox drop {typed}")
        assert f"“{typed}” is no number of a message" in await scene.last()
