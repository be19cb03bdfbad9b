"""One id ties together what is logged of a command, from its arrival to the chat's receipt of the
answer; and one what is logged of a click, down to what BBB is asked for it.
"""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from bot import logs
from tests.web.house import SECRET, House

Records = Callable[[], list[Mapping[str, str]]]


@pytest.fixture
def records() -> Iterator[Records]:
    """Everything logged since the last look, as the JSON that machines get."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logs.set_up(form="json", level="debug", secrets=[SECRET], stream=stream)

    def since() -> list[Mapping[str, str]]:
        lines = stream.getvalue().splitlines()
        stream.seek(0)
        stream.truncate()
        return [json.loads(line) for line in lines]

    yield since
    root.handlers = handlers
    root.setLevel(level)


def about(ref: str, records: list[Mapping[str, str]]) -> list[str]:
    """What was done under an id, in order."""
    return [one["action"] for one in records if one.get("ref") == ref and "action" in one]


def the_one(action: str, records: list[Mapping[str, str]]) -> str:
    """The id of the only record of its kind."""
    [ref] = [one["ref"] for one in records if one.get("action") == action]
    return ref


async def test_a_command_to_its_answer(house: House, records: Records) -> None:
    await house.scene.says("alice", "!bbb")
    seen = records()
    ref = the_one("command_done", seen)

    assert about(ref, seen) == ["bbb_asked", "command_done", "letter_sent"]
    assert re.fullmatch("[0-9a-f]{8}", ref)


async def test_two_commands_have_two_ids(house: House, records: Records) -> None:
    await house.scene.says("alice", "!bbb help")
    first = the_one("command_done", records())
    await house.scene.says("alice", "!bbb help")

    assert the_one("command_done", records()) != first


async def test_a_command_that_asks_the_video_server(house: House, records: Records) -> None:
    await house.browser().open_and_press(await house.personal_link("alice"))
    await house.scene.settle()
    records()
    await house.scene.says("alice", "!bbb end")
    seen = records()
    ref = the_one("command_done", seen)
    asked = [one for one in seen if one.get("action") == "bbb_asked" and one.get("ref") == ref]

    assert [one["call"] for one in asked][-1] == "end"
    assert about(ref, seen)[-1] == "letter_sent"


async def test_the_id_that_the_chat_shows_is_that_of_the_log(
    house: House, records: Records
) -> None:
    await house.browser().open_and_press(await house.personal_link("alice"))
    await house.scene.settle()
    house.scene.line.fault = "down"
    records()
    await house.scene.says("alice", "!bbb end")
    shown = re.search(r"\(ref ([0-9a-f]{8})\)", await house.scene.last())
    assert shown, await house.scene.last()
    done = about(shown[1], records())

    assert {"bbb_asked", "server_trouble", "command_done", "letter_sent"} <= set(done)


async def test_a_click_down_to_the_video_server(house: House, records: Records) -> None:
    link = await house.personal_link("bob")
    command = the_one("command_done", records())
    await house.browser().open_and_press(link)
    seen = records()
    click = the_one("button_pressed", seen)

    assert click != command
    assert "bbb_asked" in about(click, seen)
    assert [one["call"] for one in seen if one.get("ref") == click and "call" in one] == ["create"]


async def test_letters_to_others_carry_the_id_of_the_command_that_caused_them(
    house: House, records: Records
) -> None:
    await house.scene.says("alice", "!bbb call @bob")
    await house.scene.told("bob")
    seen = records()
    sent = {one["ref"] for one in seen if one.get("action") == "letter_sent" and "ref" in one}

    assert the_one("command_done", seen) in sent
