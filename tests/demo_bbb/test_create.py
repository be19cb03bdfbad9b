"""create: what is checked, what makes a duplicate, how long a meeting lasts."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.clock import Clock
from bot.demo.bbb.refusals import bucket, first_of
from bot.demo.bbb.state import hashed
from tests.demo_bbb.caller import API, ROOM, Caller, address, said, sign

MINUTE = 60.0


async def exists(bbb: Caller, meeting_id: str = ROOM) -> bool:
    return said(await bbb.ask("getMeetingInfo", meetingID=meeting_id))[0] == "SUCCESS"


# --- parameters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "key"),
    [
        pytest.param({"name": "x"}, "validationError", id="name too short"),
        pytest.param({"name": "x" * 257}, "validationError", id="name too long"),
        pytest.param({"meetingID": ""}, "validationError", id="id empty"),
        pytest.param({"meetingID": "x"}, "validationError", id="id too short"),
        pytest.param({"meetingID": "x" * 257}, "validationError", id="id too long"),
        pytest.param({"meetingID": "a,b"}, "validationError", id="comma in the id"),
        pytest.param({"meetingID": " ab"}, "validationError", id="blank before the id"),
        pytest.param({"meetingID": "a\tb"}, "validationError", id="control character in the id"),
        pytest.param({"attendeePW": "x"}, "invalidPassword", id="password too short"),
        pytest.param({"moderatorPW": "x" * 65}, "invalidPassword", id="password too long"),
        pytest.param({"attendeePW": ""}, "invalidPassword", id="password empty"),
        pytest.param({"voiceBridge": "7x"}, "validationError", id="voice bridge no number"),
        pytest.param({"record": "yes"}, "validationError", id="record no boolean"),
        pytest.param({"isBreakout": "true"}, "parentMeetingIDMissing", id="breakout of nothing"),
        pytest.param(
            {"isBreakout": "true", "parentMeetingID": "gone"},
            "parentMeetingDoesNotExist",
            id="breakout of what is gone",
        ),
    ],
)
async def test_a_bad_parameter_is_refused(
    parameters: dict[str, str], key: str, bbb: Caller
) -> None:
    assert said(await bbb.create(**parameters)) == ("FAILED", key)
    assert bbb.simulated.state.meetings() == []


async def test_the_longest_name_and_id_are_taken(bbb: Caller) -> None:
    assert said(await bbb.create("x" * 256, name="n" * 256))[0] == "SUCCESS"


async def test_an_absent_id_is_another_complaint_than_an_empty_one(bbb: Caller) -> None:
    assert said(await bbb.ask("create", name="Team")) == ("FAILED", "missingParamMeetingID")


@pytest.mark.parametrize(
    ("sent", "recorded"),
    [("true", "true"), ("TRUE", "true"), ("false", "false"), ("1", "false"), ("0", "false")],
)
async def test_only_true_means_true_although_1_is_accepted(
    sent: str, recorded: str, bbb: Caller
) -> None:
    assert said(await bbb.create(record=sent))[0] == "SUCCESS"
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    assert info.findtext("recording") == recorded


async def test_meta_names_are_lower_cased_and_strange_ones_dropped(bbb: Caller) -> None:
    await bbb.create(
        **{
            "meta_endCallbackUrl": "https://bot.test/?t=1&u=<2>",
            "meta_bbb-origin": "bot",
            "meta_with_underscore": "x",
            "meta_9": "x",
            "meta_": "x",
            "unknown": "x",
        }
    )
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    assert {one.tag: one.text for one in info.findall("metadata/*")} == {
        "endcallbackurl": "https://bot.test/?t=1&u=<2>",
        "bbb-origin": "bot",
    }


async def test_values_that_make_no_sense_become_the_default(bbb: Caller) -> None:
    root = await bbb.create(duration="soon", maxParticipants="-1", guestPolicy="ASK_ME")
    assert said(root)[0] == "SUCCESS"
    plan = bbb.simulated.meeting(ROOM).plan
    assert (plan.duration_minutes, plan.max_participants) == (0, 0)
    assert plan.guest_policy == "ALWAYS_ACCEPT"


async def test_of_two_equal_names_the_first_value_counts(bbb: Caller) -> None:
    query = f"name=Team&name=Other&meetingID={ROOM}"
    await bbb.http.get(f"{API}/create?{query}&checksum={sign('create', query)}")
    assert bbb.simulated.meeting(ROOM).plan.name == "Team"


async def test_what_xml_forbids_does_not_break_an_answer(bbb: Caller) -> None:
    await bbb.create(meta_a="b\x01\uffffc")
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    assert info.findtext("metadata/a") == "bc"


async def test_a_name_may_hold_anything_that_xml_escapes(bbb: Caller) -> None:
    await bbb.create(name='<b>Équipe</b> & \x01"co"')
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    assert info.findtext("meetingName") == '<b>Équipe</b> & "co"'


# --- which violation -------------------------------------------------------------------------

IN_HASH_ORDER = {
    "checksumError": 1,
    "unsupportedContentType": 1,
    "missingParamFullName": 6,
    "meetingForciblyEnded": 7,
    "invalidPassword": 8,
    "invalidMeetingIdentifier": 10,
    "notFound": 10,
    "validationError": 14,
    "missingParamMeetingID": 15,
}


def test_violations_lie_in_the_buckets_of_javas_hash_map() -> None:
    assert {key: bucket(key) for key in IN_HASH_ORDER} == IN_HASH_ORDER


def test_the_first_in_hash_order_is_told_whatever_came_first() -> None:
    violations = {"missingParamMeetingID": "m", "validationError": "v", "invalidPassword": "p"}
    assert first_of(violations).key == "invalidPassword"


async def test_of_three_things_wrong_with_a_create_the_password_is_told(bbb: Caller) -> None:
    root = await bbb.ask("create", name="x", attendeePW="x")
    assert said(root) == ("FAILED", "invalidPassword")


# --- idempotency -----------------------------------------------------------------------------

PASSWORDS = {"attendeePW": "abc", "moderatorPW": "xyz"}


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        pytest.param({}, {}, "duplicateWarning", id="no passwords at all"),
        pytest.param(PASSWORDS, PASSWORDS, "duplicateWarning", id="the same passwords"),
        pytest.param(PASSWORDS, {}, "duplicateWarning", id="passwords only the first time"),
        pytest.param({}, PASSWORDS, "idNotUnique", id="passwords only the second time"),
        pytest.param(PASSWORDS, {"attendeePW": "abc"}, "idNotUnique", id="one of the two"),
        pytest.param(
            {"attendeePW": "abc"}, {"attendeePW": "abc"}, "idNotUnique", id="the same one twice"
        ),
        pytest.param(
            PASSWORDS, PASSWORDS | {"moderatorPW": "other"}, "idNotUnique", id="another password"
        ),
    ],
)
async def test_a_second_create_with(
    first: dict[str, str], second: dict[str, str], key: str, bbb: Caller
) -> None:
    assert said(await bbb.create(**first)) == ("SUCCESS", "")
    code = "FAILED" if key == "idNotUnique" else "SUCCESS"
    assert said(await bbb.create(**second)) == (code, key)


async def test_a_duplicate_changes_nothing_and_tells_what_is_there(bbb: Caller) -> None:
    first = await bbb.create(record="true", meta_a="1")
    bbb.simulated.join(ROOM, "Ana")
    bbb.simulated.forward(10)
    wanted = {"name": "Other", "meetingID": ROOM, "record": "false", "meta_a": "2"}
    again = await bbb.post("create", SLIDES, "application/xml", **wanted)
    for name in ("internalMeetingID", "createTime", "attendeePW", "moderatorPW", "voiceBridge"):
        assert again.findtext(name) == first.findtext(name)
    assert again.findtext("hasUserJoined") == "true"
    meeting = bbb.simulated.meeting(ROOM)
    assert (meeting.plan.name, meeting.plan.record) == ("Team", True)
    assert (dict(meeting.plan.metadata), meeting.documents) == ({"a": "1"}, [])


async def test_of_two_creates_at_once_one_makes_the_meeting(bbb: Caller) -> None:
    answers = await asyncio.gather(bbb.create(), bbb.create())
    assert sorted(said(root)[1] for root in answers) == ["", "duplicateWarning"]
    assert len(bbb.simulated.state.meetings()) == 1


async def test_a_voice_bridge_in_use_is_refused_in_the_listed_form(bbb: Caller) -> None:
    await bbb.create(voiceBridge="12345")
    root = await bbb.create("mx-other", voiceBridge="12345")
    assert said(root) == ("FAILED", "")
    assert root.findtext("errors/error/key") == "nonUniqueVoiceBridge"
    assert said(await bbb.create(voiceBridge="12345"))[1] == "duplicateWarning"


async def test_the_answer_holds_ids_and_times_of_this_run(bbb: Caller) -> None:
    root = await bbb.create()
    milliseconds = root.findtext("createTime", "")
    assert len(milliseconds) == 13
    assert root.findtext("internalMeetingID") == f"{hashed(ROOM)}-{milliseconds}"
    assert root.findtext("parentMeetingID") == "bbb-none"
    assert len(root.findtext("attendeePW", "")) == 8
    assert root.findtext("createDate", "").split()[4] == "UTC"


# --- the end of it ---------------------------------------------------------------------------


async def test_a_meeting_that_nobody_joins_vanishes_after_five_minutes(bbb: Caller) -> None:
    await bbb.create()
    bbb.simulated.forward(5 * MINUTE - 1)
    assert await exists(bbb)
    bbb.simulated.forward(1)
    assert not await exists(bbb)


async def test_a_meeting_vanishes_a_minute_after_the_last_one_left(bbb: Caller) -> None:
    await bbb.create()
    bbb.simulated.join(ROOM, "Ana")
    bbb.simulated.forward(60 * MINUTE)
    bbb.simulated.leave(ROOM, "Ana")
    bbb.simulated.forward(MINUTE - 1)
    assert await exists(bbb)
    bbb.simulated.forward(1)
    assert not await exists(bbb)


async def test_somebody_who_comes_back_keeps_it(bbb: Caller) -> None:
    await bbb.create()
    bbb.simulated.join(ROOM, "Ana")
    bbb.simulated.leave(ROOM, "Ana")
    bbb.simulated.forward(MINUTE / 2)
    bbb.simulated.join(ROOM, "Bo")
    bbb.simulated.forward(5 * MINUTE)
    assert await exists(bbb)


async def test_both_delays_can_be_chosen_and_zero_keeps_an_empty_meeting(bbb: Caller) -> None:
    await bbb.create(
        meetingExpireIfNoUserJoinedInMinutes="9", meetingExpireWhenLastUserLeftInMinutes="0"
    )
    bbb.simulated.forward(8 * MINUTE)
    bbb.simulated.join(ROOM, "Ana")
    bbb.simulated.leave(ROOM, "Ana")
    bbb.simulated.forward(60 * MINUTE)
    assert await exists(bbb)


async def test_a_duration_ends_it_with_people_inside(bbb: Caller) -> None:
    await bbb.create(duration="10")
    bbb.simulated.join(ROOM, "Ana")
    bbb.simulated.forward(10 * MINUTE - 1)
    assert await exists(bbb)
    bbb.simulated.forward(4)
    assert not await exists(bbb)


async def test_the_same_id_afterwards_is_a_new_session(bbb: Caller) -> None:
    first = await bbb.create()
    bbb.simulated.forward(6 * MINUTE)
    second = await bbb.create()
    assert said(second) == ("SUCCESS", "")
    assert first.findtext("createTime") != second.findtext("createTime")
    assert first.findtext("internalMeetingID") != second.findtext("internalMeetingID")


def test_a_fast_clock_brings_the_end_sooner() -> None:
    fast = Clock(speed=1_000_000)
    due, deadline = fast() + timedelta(minutes=5), time.monotonic() + 5
    while fast() < due:
        assert time.monotonic() < deadline


def test_a_clock_of_speed_zero_moves_by_hand_only() -> None:
    still = Clock(speed=0)
    start = still()
    assert still() == start
    still.forward(90)
    assert still() == start + timedelta(seconds=90)


def test_a_clock_that_belongs_to_somebody_else_is_not_moved() -> None:
    moment = datetime(2026, 11, 21, 12, tzinfo=UTC)
    simulated = SimulatedBBB("s", now=lambda: moment)
    assert simulated.state.now_ms() == 1_795_262_400_000
    with pytest.raises(ValueError):
        simulated.forward(1)


def test_a_clock_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 21, 12, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError):
        SimulatedBBB("s", now=lambda: naive).state.now_ms()


# --- prefix hazard and slides ------------------------------------------------------------------


async def test_a_short_hexadecimal_id_finds_somebody_elses_meeting(bbb: Caller) -> None:
    await bbb.create("mx-somebody-else")
    hazard = hashed("mx-somebody-else")[:4]
    info = await bbb.ask("getMeetingInfo", meetingID=hazard)
    assert info.findtext("meetingID") == "mx-somebody-else"
    assert said(await bbb.ask("getMeetingInfo", meetingID=f"mx-{hazard}"))[1] == "notFound"


SLIDES = b"""<modules><module name="presentation">
  <document url="https://a.test/a.pdf?x=1&amp;y=2"/>
  <document url="https://a.test/download" filename="named.pdf"/>
  <document url="https://a.test/no-extension"/>
  <document url="http://a.test/plain.pdf"/>
  <document name="inline.pdf">QUJD</document>
  <document name="inline">QUJD</document>
</module><module name="other"><document name="no.pdf"/></module></modules>"""


async def test_slides_without_extension_or_https_are_dropped_silently(bbb: Caller) -> None:
    wanted = {"name": "Team", "meetingID": ROOM}
    assert said(await bbb.post("create", SLIDES, "application/xml", **wanted))[0] == "SUCCESS"
    names = [one.name for one in bbb.simulated.meeting(ROOM).documents]
    assert names == ["a.pdf", "named.pdf", "inline.pdf"]
    body = SLIDES.replace(b"a.pdf", b"b.pdf")
    await bbb.post("insertDocument", body, "application/xml", meetingID=ROOM)
    assert [one.name for one in bbb.simulated.meeting(ROOM).documents][3:] == [
        "b.pdf",
        "named.pdf",
        "inline.pdf",
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<modules>", id="cut"),
        pytest.param(b"<!DOCTYPE modules><modules/>", id="with a DTD"),
        pytest.param(
            b"<!DOCTYPE m [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><m>&e;</m>", id="with an entity"
        ),
    ],
)
async def test_bad_slides_are_an_error_after_the_meeting_was_made(body: bytes, bbb: Caller) -> None:
    url = address("create", {"name": "Team", "meetingID": ROOM})
    headers = {"Content-Type": "application/xml"}
    answer: httpx.Response = await bbb.http.post(url, content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert bbb.simulated.meeting(ROOM).documents == []


async def test_an_inserted_document_is_refused_in_words_only(bbb: Caller) -> None:
    kind = "application/xml"
    unknown = await bbb.post("insertDocument", SLIDES, kind, meetingID=ROOM)
    assert unknown.findtext("message") == f"Meeting with id [{ROOM}] not found."
    await bbb.create(disabledFeatures="chat,presentation")
    disabled = await bbb.post("insertDocument", SLIDES, kind, meetingID=ROOM)
    assert said(disabled) == ("FAILED", "")
    assert disabled.findtext("message") == "Presentation feature is disabled, ignoring."


async def test_an_inserted_document_without_a_body_gets_no_answer_to_speak_of(bbb: Caller) -> None:
    await bbb.create()
    assert (await bbb.get("insertDocument", meetingID=ROOM)).content == b""
