"""What nio is shown of a sync answer, and what it need not see at all."""

import pytest

from bot.chat.matrix.lean import lean, restored, says_nothing
from bot.chat.shapes import Json

TALK = {"type": "m.room.message", "event_id": "$talk"}
SEALED = {"type": "m.room.encrypted", "event_id": "$sealed"}
JOIN = {"type": "m.room.member", "state_key": "@ada:x", "event_id": "$join"}


def answer(*timeline: Json, state: tuple[Json, ...] = (), **more: Json) -> Json:
    info = {"timeline": {"events": list(timeline)}, "state": {"events": list(state)}}
    return {"next_batch": "s2", "rooms": {"join": {"!room": info}}, **more}


def test_only_state_and_what_is_encrypted_is_left() -> None:
    left = lean(answer(TALK, JOIN, SEALED))
    assert left["rooms"]["join"]["!room"]["timeline"]["events"] == [JOIN, SEALED]


def test_the_answer_itself_stays_whole() -> None:
    whole = answer(TALK, JOIN)
    lean(whole)
    assert whole == answer(TALK, JOIN)


@pytest.mark.parametrize("given", [answer(TALK), answer(), {"next_batch": "s2"}])
def test_idle_talk_says_nothing(given: Json) -> None:
    assert says_nothing(lean(given))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(answer(JOIN), id="state in the timeline"),
        pytest.param(answer(TALK, state=(JOIN,)), id="state"),
        pytest.param(answer(SEALED), id="encrypted"),
        pytest.param(answer(TALK, to_device={"events": [{"type": "m.room_key"}]}), id="a key"),
        pytest.param(answer(TALK, device_lists={"changed": ["@ada:x"]}), id="a new device"),
        pytest.param(answer(TALK, device_lists={"left": ["@ada:x"]}), id="nobody shared"),
        pytest.param({"rooms": {"invite": {"!room": {}}}}, id="an invitation"),
        pytest.param({"rooms": {"join": {"!room": {"timeline": []}}}}, id="a wrong shape"),
    ],
)
def test_what_nio_must_see_says_something(given: Json) -> None:
    assert not says_nothing(lean(given))


def test_what_was_decrypted_takes_its_place() -> None:
    clear = {**TALK, "event_id": "$sealed"}
    assert restored([TALK, SEALED, JOIN], [JOIN, clear]) == [TALK, clear, JOIN]
