"""Reading answers: every member of BBB's error family is one typed error, and values survive."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.bbb import parse
from bot.bbb.parse import Asked
from commands.errors import (
    Garbled,
    NoSuchMeeting,
    NotBBB,
    ServerBroken,
    ServerBusy,
    ServerRefused,
    ServerTrouble,
    ServerUnreachable,
    WrongSecret,
)
from commands.ports import Attendee, CreatedMeeting, MeetingInfo

INFO = Asked("one", "getMeetingInfo")
CREATE = Asked("one", "create")
SESSION = (
    "<internalMeetingID>640a-1531155809613</internalMeetingID>"
    "<createTime>1531155809613</createTime>"
)


def success(inside: str = "") -> bytes:
    return f"<response><returncode>SUCCESS</returncode>{inside}</response>".encode()


def failed(key: str, message: str = "") -> bytes:
    reason = f"<messageKey>{key}</messageKey><message>{message}</message>"
    return f"<response><returncode>FAILED</returncode>{reason}</response>".encode()


def info(body: bytes) -> MeetingInfo:
    return parse.meeting_info(parse.response(200, "text/xml", body, INFO), "mx-1", INFO)


# --- not BBB -----------------------------------------------------------------------------------

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>
<response><returncode>&b;</returncode></response>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<response><returncode>&a;</returncode></response>"""


@pytest.mark.parametrize(
    ("content_type", "body", "what"),
    [
        pytest.param("text/html", b"<html><body>Log in</body></html>", "html", id="a login page"),
        pytest.param("text/xml", b"\n<!DOCTYPE html><p>", "html", id="HTML that calls itself XML"),
        pytest.param(
            "text/xml", b'<?xml version="1.0"?><!DOCTYPE html><html/>', "html", id="XHTML"
        ),
        pytest.param("text/xml", b"", "empty", id="nothing"),
        pytest.param("text/xml", b" \r\n", "empty", id="only white space"),
        pytest.param("text/xml", success()[:-5], "truncated", id="cut short in a tag"),
        pytest.param("text/xml", success()[:25], "truncated", id="cut short in a text"),
        pytest.param("text/xml", b"<response><a><![CDATA[x", "truncated", id="cut short in CDATA"),
        pytest.param("text/xml", BOMB, "entities", id="entities within entities"),
        pytest.param("text/xml", OUTSIDE, "entities", id="an entity that reads a file"),
        pytest.param("text/plain", b"Unauthorized", "not XML", id="plain text"),
        pytest.param("application/json", b'{"a": 1}', "not XML", id="JSON"),
        pytest.param("text/xml", b"<response><a></b></response>", "not XML", id="broken XML"),
        pytest.param(
            "text/xml",
            b'<?xml version="1.0" encoding="nix"?><a/>',
            "unknown encoding",
            id="an encoding nobody knows",
        ),
        pytest.param(
            "text/xml",
            b"<feed><returncode>SUCCESS</returncode></feed>",
            "not a BBB",
            id="another root",
        ),
        pytest.param("text/xml", b"<response><a/></response>", "not a BBB", id="no returncode"),
    ],
)
def test_something_answered_that_is_not_bbb(content_type: str, body: bytes, what: str) -> None:
    with pytest.raises(NotBBB) as caught:
        parse.response(200, content_type, body, INFO)
    assert str(caught.value).startswith(f"one: getMeetingInfo: {what}")


@pytest.mark.parametrize(
    "body",
    [
        success("<a/>" * parse.MOST_ELEMENTS),
        success("<a>" * parse.DEEPEST + "</a>" * parse.DEEPEST),
        success("<a " + " ".join(f"a{n}='1'" for n in range(parse.SLICE)) + "/>"),
        success("<a>" + "x" * parse.SLICE + "</a>"),
    ],
    ids=["elements without end", "a well", "a tag without end", "a text without end"],
)
def test_what_would_take_long_to_read_is_not_read(body: bytes) -> None:
    with pytest.raises(Garbled, match="too large"):
        parse.response(200, "text/xml", body, INFO)


def test_a_meeting_of_a_thousand_people_is_read() -> None:
    fields = "".join(f"<field{n}>é</field{n}>" for n in range(9))
    people = f"<attendee><userID>p</userID><fullName>Ana é</fullName>{fields}</attendee>" * 1000
    session = "<internalMeetingID>a-1</internalMeetingID><createTime>1</createTime>"
    body = success(f"{session}<attendees>{people}</attendees>")
    assert len(body) > 3 * parse.SLICE
    root = parse.response(200, "text/xml", body, INFO)
    seen = parse.meeting_info(root, "mx-1", INFO)
    assert {person.name for person in seen.attendees} == {"Ana é"}
    assert seen.participants == 1000


@pytest.mark.parametrize(
    "body", [b"", b"not found", b"<html/>", success()], ids=["empty", "text", "HTML", "SUCCESS"]
)
def test_any_other_status_without_a_refusal_in_xml_is_not_bbb(body: bytes) -> None:
    with pytest.raises(NotBBB, match="HTTP 404"):
        parse.response(404, "text/plain", body, INFO)


# --- what the status decides -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, NotBBB),
        (307, NotBBB),
        (401, WrongSecret),
        (403, WrongSecret),
        (429, ServerBusy),
        (500, ServerBroken),
        (502, ServerBroken),
        (503, ServerUnreachable),
        (504, ServerBroken),
    ],
)
def test_a_status_decides(status: int, kind: type[ServerTrouble]) -> None:
    with pytest.raises(ServerTrouble) as caught:
        parse.refuse_by_status(status, {}, INFO)
    assert type(caught.value) is kind


@pytest.mark.parametrize("status", [200, 400, 404])
def test_other_statuses_leave_it_to_the_body(status: int) -> None:
    parse.refuse_by_status(status, {}, INFO)


def test_a_body_packed_twice_is_not_unpacked() -> None:
    with pytest.raises(NotBBB, match="encoded twice"):
        parse.refuse_by_status(200, {"content-encoding": "gzip, gzip"}, INFO)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        pytest.param("7", timedelta(seconds=7), id="seconds"),
        pytest.param("99999999", timedelta(hours=1), id="longer than we ever wait"),
        pytest.param("Sat, 21 Nov 2026 10:00:30 GMT", timedelta(seconds=30), id="a date"),
        pytest.param("Sat, 21 Nov 2026 09:00:00 GMT", timedelta(), id="a date that has passed"),
        pytest.param("soon", None, id="a word"),
        pytest.param("-1", None, id="a negative number"),
        pytest.param("9" * 5000, None, id="a number without end"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_busy_says_how_long(status: int, value: str, wait: timedelta | None) -> None:
    headers = {"retry-after": value, "date": "Sat, 21 Nov 2026 10:00:00 GMT"}
    with pytest.raises(ServerBusy) as caught:
        parse.refuse_by_status(status, headers, INFO)
    assert caught.value.retry_after == wait


def test_a_date_to_wait_for_means_nothing_without_a_date_to_count_from() -> None:
    assert parse.retry_after({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT"}) is None


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "notFound",
        "meetingNotFound",
        "invalidMeetingIdentifier",
        "meetingForciblyEnded",
        "missingParamMeetingID",
        "missingParameterMeetingID",
        "validationError",
    ],
)
def test_all_of_these_mean_that_there_is_no_such_meeting(key: str) -> None:
    with pytest.raises(NoSuchMeeting) as caught:
        parse.response(200, "text/xml", failed(key), INFO)
    assert caught.value.message_key == key


def test_a_validation_error_of_create_is_not_about_a_meeting_that_is_gone() -> None:
    with pytest.raises(ServerRefused) as caught:
        parse.response(200, "text/xml", failed("validationError"), CREATE)
    assert type(caught.value) is ServerRefused


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        pytest.param(
            failed("checksumError", "Checksums do not match"),
            WrongSecret,
            "checksumError",
            id="the checksum is wrong",
        ),
        pytest.param(failed("idNotUnique"), ServerRefused, "idNotUnique", id="another key"),
        pytest.param(failed("", "No Node available."), ServerBusy, "no capacity", id="b3lb full"),
        pytest.param(
            failed("", "Meeting/Attendee limit reached."),
            ServerBusy,
            "no capacity",
            id="b3lb's limit",
        ),
        pytest.param(
            failed("serverUnavailable"), ServerBusy, "serverUnavailable", id="Scalelite is full"
        ),
        pytest.param(
            b"<response><returncode>FAILED</returncode></response>",
            ServerRefused,
            "refused without a reason",
            id="no key and no message",
        ),
        pytest.param(
            failed("https://bbb/?checksum=12"),
            ServerRefused,
            "refused without a reason",
            id="a key that is none is not repeated",
        ),
        pytest.param(
            b"<response><returncode>FAILED</returncode><errors><error><key>nonUniqueVoiceBridge"
            b"</key><message>m</message></error></errors></response>",
            ServerRefused,
            "nonUniqueVoiceBridge",
            id="the second form, with elements",
        ),
        pytest.param(
            b"<response><returncode>FAILED</returncode><errors>"
            b'<error key="nonUniqueVoiceBridge" message="m"/></errors></response>',
            ServerRefused,
            "nonUniqueVoiceBridge",
            id="the second form, with attributes",
        ),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal(status: int, body: bytes, kind: type[ServerTrouble], text: str) -> None:
    with pytest.raises(ServerTrouble) as caught:
        parse.response(status, "text/xml", body, CREATE)
    assert (type(caught.value), str(caught.value)) == (kind, f"one: create: {text}")


# --- values ----------------------------------------------------------------------------------


def created(inside: str) -> CreatedMeeting:
    root = parse.response(200, "text/xml", success(inside), CREATE)
    return parse.created_meeting(root, "mx-1", CREATE)


def test_a_new_meeting() -> None:
    inside = (
        f"<meetingID>X-scoped</meetingID>{SESSION}<messageKey/><hasUserJoined>false</hasUserJoined>"
    )
    assert created(inside) == CreatedMeeting(
        meeting_id="mx-1",
        internal_id="640a-1531155809613",
        create_time=1531155809613,
        duplicate=False,
        has_user_joined=False,
    )


def test_a_meeting_that_was_there() -> None:
    inside = "<messageKey>duplicateWarning</messageKey><hasUserJoined>true</hasUserJoined>"
    made = created(inside + SESSION)
    assert (made.duplicate, made.has_user_joined) == (True, True)


def test_success_without_anything_optional_is_enough() -> None:
    assert created(SESSION).duplicate is False


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<createTime>1</createTime>",
        "<internalMeetingID>a-1</internalMeetingID><createTime>Mon Jul 09</createTime>",
    ],
)
def test_success_without_the_session_is_no_success(inside: str) -> None:
    with pytest.raises(NotBBB, match="incomplete"):
        created(inside)


FULL = f"""<?xml version="1.0" encoding="UTF-8"?>
<response>
  <returncode> SUCCESS </returncode>
  <meetingName><![CDATA[ Tom & Jerry <b> ]]></meetingName>
  <meetingID>mx-1</meetingID>
  {SESSION}
  <createDate>Mon Jul 09 17:03:29 UTC 2018</createDate>
  <running>true</running>
  <hasUserJoined>true</hasUserJoined>
  <recording>true</recording>
  <hasBeenForciblyEnded>false</hasBeenForciblyEnded>
  <startTime>1531155809700</startTime>
  <endTime>0</endTime>
  <participantCount>2</participantCount>
  <moderatorCount>1</moderatorCount>
  <attendees>
    <attendee><userID>p1</userID><fullName>Ana &amp; Bo &#233;</fullName><role>MODERATOR</role>
      <customdata><fullName>not this</fullName></customdata></attendee>
    <attendee><userID>p2</userID><fullName/><role>VIEWER</role></attendee>
  </attendees>
  <metadata><running>false</running><attendee/><name>x</name></metadata>
  <somethingNew><attendees><attendee/></attendees></somethingNew>
</response>"""


def test_everything_of_a_meeting() -> None:
    assert info(FULL.encode()) == MeetingInfo(
        meeting_id="mx-1",
        internal_id="640a-1531155809613",
        create_time=1531155809613,
        name="Tom & Jerry <b>",
        running=True,
        has_user_joined=True,
        forcibly_ended=False,
        recording=True,
        participants=2,
        moderators=1,
        attendees=(Attendee("p1", "Ana & Bo é", True), Attendee("p2", "", False)),
        started_at=datetime(2018, 7, 9, 17, 3, 29, 700000, tzinfo=UTC),
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_attendees_are_counted_where_the_server_does_not_say(count: int) -> None:
    one = "<attendee><userID>p</userID><fullName>A</fullName><role>moderator</role></attendee>"
    seen = info(success(f"{SESSION}<attendees>{one * count}</attendees>"))
    assert (seen.participants, seen.moderators, len(seen.attendees)) == (count, count, count)


def test_a_meeting_of_which_hardly_anything_is_said() -> None:
    seen = info(success(SESSION))
    assert (seen.running, seen.participants, seen.attendees) == (False, 0, ())
    assert seen.started_at is None


@pytest.mark.parametrize("start", ["0", "-5", "x", "9" * 18, "9" * 5000, ""])
def test_a_start_that_no_calendar_holds_is_none(start: str) -> None:
    assert info(success(f"{SESSION}<startTime>{start}</startTime>")).started_at is None


@pytest.mark.parametrize(
    ("inside", "name"),
    [
        pytest.param(b"A\x0bB\x00", "AB", id="control characters"),
        pytest.param(b"A&#11;B&#x1F;", "AB", id="control characters as references"),
        pytest.param(b"A&#9;B&#x7f;C", "A\tB\x7fC", id="references that XML allows"),
        pytest.param(b"A\xff\xfeB", "A\ufffd\ufffdB", id="bytes that are not UTF-8"),
        pytest.param(b"A\xef\xbf\xbfB", "AB", id="a noncharacter"),
    ],
)
def test_one_odd_name_does_not_hide_the_meeting(inside: bytes, name: str) -> None:
    body = success(SESSION + "<meetingName>NAME</meetingName>").replace(b"NAME", inside)
    assert info(body).name == name


@given(
    name=st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"))
)
def test_any_name_comes_through(name: str) -> None:
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert info(success(f"{SESSION}<meetingName>{escaped}</meetingName>")).name == name.strip()


@given(body=st.binary() | st.binary().map(lambda junk: b"<response>" + junk))
def test_garbage_is_always_one_typed_error(body: bytes) -> None:
    with pytest.raises(NotBBB):
        parse.response(200, "text/xml", body, INFO)


def test_the_version_is_told_where_it_is_revealed() -> None:
    root = parse.response(200, "text/xml", success("<version>2.0</version><bbbVersion/>"), INFO)
    assert parse.version(root) == parse.Version(api="2.0", bbb="")
    root = parse.response(200, "text/xml", success("<bbbVersion>3.0.19</bbbVersion>"), INFO)
    assert parse.version(root) == parse.Version(api="", bbb="3.0.19")


def test_two_hundred_attendees_are_read_well_within_50_ms() -> None:
    one = "<attendee><userID>p</userID><fullName>Ana</fullName><role>VIEWER</role>" + (
        "<isPresenter>false</isPresenter><hasVideo>false</hasVideo><clientType>HTML5</clientType>"
        "<customdata/></attendee>"
    )
    body = success(f"{SESSION}<attendees>{one * 200}</attendees>")

    def seconds() -> float:
        start = time.perf_counter()
        assert len(info(body).attendees) == 200
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.05
