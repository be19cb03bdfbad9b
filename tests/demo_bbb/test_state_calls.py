"""What can be asked about meetings, their end, their chat; and recordings that are not there."""

from dataclasses import replace

import pytest

from tests.demo_bbb.caller import API, ROOM, Caller, address, said, xml

NEW_WORDS = "A meeting with that ID does not exist"
OLD_WORDS = (
    "We could not find a meeting with that meeting ID - perhaps the meeting is not yet running?"
)


# --- isMeetingRunning, getMeetingInfo, getMeetings ---------------------------------------------


async def test_running_means_that_somebody_is_inside(bbb: Caller) -> None:
    async def running() -> str | None:
        return (await bbb.ask("isMeetingRunning", meetingID=ROOM)).findtext("running")

    assert await running() == "false"
    await bbb.create()
    assert await running() == "false"
    bbb.simulated.join(ROOM, "Ana")
    assert await running() == "true"
    bbb.simulated.leave(ROOM, "Ana")
    assert await running() == "false"


async def test_running_fails_only_without_a_good_id(bbb: Caller) -> None:
    assert said(await bbb.ask("isMeetingRunning")) == ("FAILED", "missingParamMeetingID")
    assert said(await bbb.ask("isMeetingRunning", meetingID="")) == ("FAILED", "validationError")


async def test_info_knows_a_meeting_from_create_on(bbb: Caller) -> None:
    await bbb.create(maxParticipants="9", duration="45")
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    found = {child.tag: child.text for child in info}
    expected = {"running": "false", "hasUserJoined": "false", "endTime": "0", "maxUsers": "9"}
    expected |= {"duration": "45", "participantCount": "0", "hasBeenForciblyEnded": "false"}
    assert expected.items() <= found.items()
    assert 0 < int(found["startTime"] or 0) - int(found["createTime"] or 0) < 1000


async def test_info_counts_and_describes_who_is_inside(bbb: Caller) -> None:
    await bbb.create()
    bbb.simulated.join(ROOM, 'Bo <"&">', user_id="p-bo")
    bbb.simulated.join(ROOM, "Àna 🙂", "MODERATOR")
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    assert info.findtext("participantCount") == "2"
    assert info.findtext("moderatorCount") == "1"
    bo, ana = info.findall("attendees/attendee")
    names = ("userID", "fullName", "role", "isPresenter")
    assert [bo.findtext(name) for name in names] == ["p-bo", 'Bo <"&">', "VIEWER", "false"]
    assert [ana.findtext(name) for name in names][1:] == ["Àna 🙂", "MODERATOR", "true"]
    assert ana.findtext("userID", "").startswith("w_")


async def test_the_callback_address_leaks_through_info_and_list(bbb: Caller) -> None:
    """So nothing that must stay secret may be sent as metadata."""
    await bbb.create(meta_endCallbackUrl="https://bot.test/secret")
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    listed = await bbb.ask("getMeetings")
    assert info.findtext("metadata/endcallbackurl") == "https://bot.test/secret"
    assert listed.findtext("meetings/meeting/metadata/endcallbackurl") == "https://bot.test/secret"


@pytest.mark.parametrize("call", ["getMeetingInfo", "end"])
async def test_an_unknown_meeting_is_told_in_each_versions_words(
    call: str, bbb: Caller, old_bbb: Caller
) -> None:
    for caller, words in ((bbb, NEW_WORDS), (old_bbb, OLD_WORDS)):
        root = await caller.ask(call, meetingID=ROOM)
        assert said(root) == ("FAILED", "notFound")
        assert root.findtext("message") == words


async def test_no_meetings_are_a_success_with_a_key(bbb: Caller) -> None:
    root = await bbb.ask("getMeetings")
    assert said(root) == ("SUCCESS", "noMeetings")
    assert root.find("meetings") is not None


# --- end -----------------------------------------------------------------------------------------


async def test_the_end_comes_a_little_after_it_was_asked_for(bbb: Caller) -> None:
    await bbb.create()
    bbb.simulated.join(ROOM, "Ana")
    assert said(await bbb.ask("end", meetingID=ROOM)) == ("SUCCESS", "sentEndMeetingRequest")
    bbb.simulated.forward(0.4)
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    assert (info.findtext("running"), info.findtext("hasBeenForciblyEnded")) == ("true", "false")
    assert said(await bbb.ask("end", meetingID=ROOM))[0] == "SUCCESS"
    bbb.simulated.forward(0.1)
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    assert (info.findtext("running"), info.findtext("hasBeenForciblyEnded")) == ("false", "true")
    bbb.simulated.forward(1.4)
    assert said(await bbb.ask("getMeetingInfo", meetingID=ROOM))[0] == "SUCCESS"
    bbb.simulated.forward(0.1)
    assert said(await bbb.ask("end", meetingID=ROOM)) == ("FAILED", "notFound")
    assert said(await bbb.ask("getMeetingInfo", meetingID=ROOM)) == ("FAILED", "notFound")


async def test_a_create_just_after_the_end_finds_the_dying_meeting_or_makes_a_new_one(
    bbb: Caller,
) -> None:
    first = await bbb.create()
    await bbb.ask("end", meetingID=ROOM)
    assert said(await bbb.create())[1] == "duplicateWarning"
    bbb.simulated.forward(0.5)
    second = await bbb.create()
    assert said(second) == ("SUCCESS", "")
    assert second.findtext("createTime") != first.findtext("createTime")
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    assert info.findtext("createTime") == second.findtext("createTime")
    bbb.simulated.forward(10)
    assert said(await bbb.ask("getMeetingInfo", meetingID=ROOM))[0] == "SUCCESS"


async def test_a_join_while_it_ends_by_force_is_refused(bbb: Caller) -> None:
    await bbb.create()
    await bbb.ask("end", meetingID=ROOM)
    bbb.simulated.forward(0.5)
    wanted = {"fullName": "Bo", "meetingID": ROOM, "role": "VIEWER"}
    answer = await bbb.http.get(address("join", wanted))
    assert "meetingForciblyEnded" in answer.headers["location"]


# --- chat ----------------------------------------------------------------------------------------


async def test_a_message_needs_somebody_who_hears_it(bbb: Caller) -> None:
    wanted = {"meetingID": ROOM, "message": "<Hello> & bye"}
    assert said(await bbb.ask("sendChatMessage", **wanted)) == ("FAILED", "meetingNotFound")
    await bbb.create()
    assert said(await bbb.ask("sendChatMessage", **wanted)) == ("FAILED", "meetingNotFound")
    bbb.simulated.join(ROOM, "Ana")
    assert said(await bbb.ask("sendChatMessage", **wanted)) == ("SUCCESS", "")
    await bbb.ask("sendChatMessage", **wanted, userName="Bot")
    heard = [(line.author, line.text) for line in bbb.simulated.messages_in(ROOM)]
    assert heard == [("System", "<Hello> & bye"), ("Bot", "<Hello> & bye")]


@pytest.mark.parametrize(
    "wrong",
    [{"message": ""}, {"message": "x" * 501}, {"userName": "x" * 256}],
    ids=["empty message", "long message", "long name"],
)
async def test_a_message_has_its_limits(wrong: dict[str, str], bbb: Caller) -> None:
    await bbb.create()
    bbb.simulated.join(ROOM, "Ana")
    wanted = {"meetingID": ROOM, "message": "x" * 500, "userName": "x" * 255}
    assert said(await bbb.ask("sendChatMessage", **wanted))[0] == "SUCCESS"
    refused = await bbb.ask("sendChatMessage", **(wanted | wrong))
    assert said(refused) == ("FAILED", "validationError")


async def test_old_servers_do_not_know_the_call(old_bbb: Caller) -> None:
    answer = await old_bbb.get("sendChatMessage", meetingID=ROOM, message="Hello")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


# --- root, recordings, unknown ---------------------------------------------------------------


@pytest.mark.parametrize("path", [API, f"{API}/"])
async def test_the_root_needs_no_checksum_and_also_speaks_json(path: str, bbb: Caller) -> None:
    assert xml(await bbb.http.get(path)).findtext("version") == "2.0"
    answer = await bbb.http.get(path, headers={"Content-Type": "application/json"})
    assert answer.json()["response"]["apiVersion"] == "2.0"
    assert answer.json()["response"]["graphqlWebsocketUrl"] == "ws://bbb.test/graphql"


async def test_the_version_may_be_kept_secret(bbb: Caller) -> None:
    rules = bbb.simulated.state.rules
    assert xml(await bbb.http.get(API)).findtext("bbbVersion") == "3.0.37"
    bbb.simulated.state.rules = replace(rules, reveals_version=False)
    assert xml(await bbb.http.get(API)).findtext("bbbVersion") == ""


@pytest.mark.parametrize(
    ("call", "parameters", "key", "message"),
    [
        ("publishRecordings", {}, "missingParamRecordID", "You must specify a recordID."),
        (
            "publishRecordings",
            {"recordID": "a"},
            "missingParamPublish",
            "You must specify a publish value true or false.",
        ),
        ("deleteRecordings", {}, "missingParamRecordID", "You must specify a recordID."),
        ("deleteRecordings", {"recordID": "a"}, "notFound", "We could not find recordings"),
        ("updateRecordings", {"recordID": "a"}, "notFound", "We could not find recordings"),
    ],
)
async def test_recordings_that_are_not_there(
    call: str, parameters: dict[str, str], key: str, message: str, bbb: Caller
) -> None:
    root = await bbb.ask(call, **parameters)
    assert said(root) == ("FAILED", key)
    assert root.findtext("message") == message


async def test_having_no_recordings_is_a_success(bbb: Caller) -> None:
    root = await bbb.ask("getRecordings", meetingID=ROOM)
    assert said(root) == ("SUCCESS", "noRecordings")


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ({"recordID": "a"}, "noRecordings"),
        ({}, "paramError"),
    ],
)
async def test_text_tracks_fail_in_json(query: dict[str, str], key: str, bbb: Caller) -> None:
    answer = await bbb.get("getRecordingTextTracks", **query)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["response"]["messageKey"] == key
    unsigned = await bbb.http.get(f"{API}/getRecordingTextTracks?recordID=a")
    assert unsigned.json()["response"]["messageKey"] == "checksumError"


@pytest.mark.parametrize("call", ["nothing", "hooks/create", "hooks/list", "create/", "getJoinUrl"])
async def test_a_call_that_is_not_there_is_an_html_404(call: str, bbb: Caller) -> None:
    answer = await bbb.get(call)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_recording_calls_take_no_post(bbb: Caller) -> None:
    assert (await bbb.http.post(address("getRecordings", {}))).status_code == 405
