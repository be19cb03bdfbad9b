"""Signing: the documented vector, the bytes that are sent, and addresses that stay short."""

import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.bbb.parameters import (
    LONGEST_ADDRESS,
    create_parameters,
    join_parameters,
    message_parameters,
    shortened,
)
from bot.bbb.sign import Algorithm, checksum, checksum_length, query, signed_query
from commands.ports import MeetingPlan, Seat

SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
DOCUMENTED = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444"
ROOM = LONGEST_ADDRESS - 150
ALGORITHMS: list[Algorithm] = ["sha1", "sha256", "sha384", "sha512"]


def test_the_documented_vector() -> None:
    assert checksum("create", DOCUMENTED, SECRET, "sha1") == (
        "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17"
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_is_as_long_as_its_algorithm_says(algorithm: Algorithm) -> None:
    made = checksum("create", DOCUMENTED, SECRET, algorithm)
    assert len(made) == checksum_length(algorithm)
    assert made == hashlib.new(algorithm, f"create{DOCUMENTED}{SECRET}".encode()).hexdigest()


def test_a_call_without_parameters_is_signed_too() -> None:
    expected = hashlib.sha256(f"getMeetings{SECRET}".encode()).hexdigest()
    assert signed_query("getMeetings", {}, SECRET, "sha256") == f"checksum={expected}"


def test_everything_unusual_is_percent_encoded() -> None:
    assert query({"name": "a b/é+|[]{}'~"}) == "name=a%20b%2F%C3%A9%2B%7C%5B%5D%7B%7D%27~"


@given(
    wanted=st.dictionaries(st.text(min_size=1), st.text(min_size=1), min_size=1),
    secret=st.text(min_size=1),
    algorithm=st.sampled_from(ALGORITHMS),
)
def test_a_server_that_hashes_the_raw_bytes_agrees(
    wanted: dict[str, str], secret: str, algorithm: Algorithm
) -> None:
    raw = signed_query("join", wanted, secret, algorithm).encode("ascii")
    signed, given_checksum = raw.rsplit(b"&checksum=", 1)
    by_length = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}[len(given_checksum)]
    theirs = hashlib.new(by_length, b"join" + signed + secret.encode()).hexdigest()

    assert given_checksum.decode() == theirs
    decoded = parse_qs(signed.decode("ascii"), strict_parsing=True, errors="strict")
    assert decoded == {name: [value] for name, value in wanted.items()}


# --- parameters --------------------------------------------------------------------------------


def test_a_plan_in_full() -> None:
    plan = MeetingPlan(
        "mx-1",
        "Stand-up",
        record=True,
        auto_start_recording=True,
        allow_start_stop_recording=False,
        max_participants=20,
        duration=timedelta(minutes=90),
        lobby=True,
        mute_on_start=True,
        welcome="Hello",
        logout_url="https://chat.example.org/#/room/1",
        disable_private_chat=True,
        meta={"bbb-context-name": "Team"},
    )
    assert create_parameters(plan, {"bbb-origin": "bbb-bot"}, room=ROOM) == {
        "meetingID": "mx-1",
        "name": "Stand-up",
        "record": "true",
        "autoStartRecording": "true",
        "allowStartStopRecording": "false",
        "muteOnStart": "true",
        "guestPolicy": "ASK_MODERATOR",
        "maxParticipants": "20",
        "duration": "90",
        "lockSettingsDisablePrivateChat": "true",
        "logoutURL": "https://chat.example.org/#/room/1",
        "meta_bbb-origin": "bbb-bot",
        "meta_bbb-context-name": "Team",
        "welcome": "Hello",
    }


def test_a_plain_plan_says_what_it_does_not_want_and_nothing_of_passwords() -> None:
    assert create_parameters(MeetingPlan("mx-1", "Team"), {}, room=ROOM) == {
        "meetingID": "mx-1",
        "name": "Team",
        "record": "false",
        "autoStartRecording": "false",
        "allowStartStopRecording": "true",
        "muteOnStart": "false",
        "guestPolicy": "ALWAYS_ACCEPT",
    }


def test_a_duration_is_rounded_up_as_0_would_be_unlimited() -> None:
    plan = MeetingPlan("mx-1", "Team", duration=timedelta(seconds=20))
    assert create_parameters(plan, {}, room=ROOM)["duration"] == "1"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        pytest.param("A", "BigBlueButton A", id="one character is too short for BBB"),
        pytest.param("", "BigBlueButton", id="no name at all"),
        pytest.param("a\x0bb\x00\nc\ud800", "a b c", id="control characters and lone surrogates"),
        pytest.param("x" * 300, "x" * 255 + "…", id="longer than BBB takes"),
        pytest.param(
            "x" * 200 + "😀" * 40, "x" * 200 + "😀" * 27 + "…", id="longer as BBB counts emoji"
        ),
    ],
)
def test_a_meeting_name_is_made_fit(name: str, sent: str) -> None:
    assert create_parameters(MeetingPlan("mx-1", name), {}, room=ROOM)["name"] == sent


@pytest.mark.parametrize("tag", ["endCallbackUrl", "bbb_origin", "1st", ""])
def test_a_tag_that_bbb_would_drop_or_rewrite_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="tag"):
        create_parameters(MeetingPlan("mx-1", "Team", meta={tag: "x"}), {}, room=ROOM)


def test_the_end_of_the_welcome_goes_first_then_the_last_tag_then_the_way_back() -> None:
    plan = MeetingPlan(
        "mx-1",
        "Team",
        welcome="word " * 99,
        logout_url="https://a.example/" + "x" * 40,
        meta={"first": "1" * 50, "last": "2" * 50},
    )
    whole = len(query(create_parameters(plan, {}, room=9999)))

    def left_with(room: int) -> set[str]:
        optional = {"welcome", "meta_first", "meta_last", "logoutURL"}
        return optional & create_parameters(plan, {}, room=room).keys()

    tags_only = len(query(create_parameters(MeetingPlan("mx-1", "Team"), {}, room=0)))
    assert create_parameters(plan, {}, room=whole - 1)["welcome"].endswith("word…")
    assert left_with(tags_only + 210) == {"meta_first", "meta_last", "logoutURL"}
    assert left_with(tags_only + 150) == {"meta_first", "logoutURL"}
    assert left_with(tags_only + 80) == {"logoutURL"}
    assert left_with(tags_only) == set()


def test_a_seat() -> None:
    seat = Seat("mx-1", "Ana", moderator=False, create_time=1531155809613, user_id="p1", guest=True)
    assert join_parameters(seat) == {
        "fullName": "Ana",
        "meetingID": "mx-1",
        "role": "VIEWER",
        "createTime": "1531155809613",
        "userID": "p1",
        "guest": "true",
    }


def test_a_moderator_is_no_guest_and_a_colon_becomes_a_space() -> None:
    seat = Seat("mx-1", "Dr: Ana\x0b", moderator=True, create_time=1, user_id="p1")
    wanted = join_parameters(seat)
    assert (wanted["fullName"], wanted["role"]) == ("Dr Ana", "MODERATOR")
    assert "guest" not in wanted


def test_a_seat_whose_name_shows_nothing_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="name"):
        join_parameters(Seat("mx-1", "\u200b \x00", moderator=True, create_time=1, user_id="p"))


def test_a_message_without_text_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="text"):
        message_parameters("mx-1", "\n", room=ROOM)


texts = st.text(max_size=400) | st.text("😀👩‍👩‍👧漢é <>%&", max_size=400)


def test_a_message_is_cut_as_bbb_counts_emoji() -> None:
    sent = message_parameters("mx-1", "x" * 450 + "😀" * 50, room=ROOM)["message"]
    assert sent == "x" * 450 + "😀" * 24 + "…"


@given(name=texts, welcome=texts, logout=texts, tag=texts)
def test_no_create_is_longer_than_its_room_nor_cut_inside_a_character(
    name: str, welcome: str, logout: str, tag: str
) -> None:
    plan = MeetingPlan(
        "mx-" + "x" * 22,
        name,
        welcome=welcome,
        logout_url=logout,
        max_participants=500,
        duration=timedelta(hours=5),
        disable_private_chat=True,
        meta={"bbb-context-name": tag},
    )
    wanted = create_parameters(plan, {}, room=ROOM)
    assert len(query(wanted)) <= ROOM
    assert unquote(query(wanted), errors="strict")
    assert 2 <= len(wanted["name"].encode("utf-16-le")) // 2 <= 256


@given(name=texts.map(lambda text: f"x{text}"), text=texts.map(lambda text: f"x{text}"))
def test_no_join_and_no_message_is_longer_than_its_room(name: str, text: str) -> None:
    seat = Seat("mx-" + "x" * 22, name, moderator=True, create_time=10**12, user_id="x" * 32)
    message = message_parameters("mx-" + "x" * 22, text, room=ROOM)
    assert len(query(join_parameters(seat))) <= ROOM
    assert len(query(message)) <= ROOM
    assert 1 <= len(message["message"].encode("utf-16-le")) // 2 <= 500


@pytest.mark.parametrize(
    ("text", "longest", "short"),
    [
        pytest.param("one two", 9, "one two", id="encoded it just fits"),
        pytest.param("one two three four", 21, "one two…", id="between words"),
        pytest.param("ééééé", 22, "éé…", id="not inside a character's escapes"),
        pytest.param('hi <a href="x y">z</a>', 30, "hi…", id="not inside a tag"),
        pytest.param("averylongword!", 12, "ave…", id="a word that is too long"),
        pytest.param("one two", 8, "", id="not even the ellipsis"),
    ],
)
def test_a_text_is_cut(text: str, longest: int, short: str) -> None:
    assert shortened(text, longest) == short
