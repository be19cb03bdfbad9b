"""The XML and JSON that BBB answers with: every element of every call, in one place."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, tostring

from starlette.responses import JSONResponse, Response

from bot.demo.bbb.meeting import Attendee, Meeting
from bot.demo.bbb.refusals import Refusal
from bot.demo.bbb.rules import Rules

START_LATER_MS = 39
"""startTime is a little after createTime."""
_FORBIDDEN_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

Content = str | int | bool | Iterable[Element]


def node(tag: str, content: Content = "") -> Element:
    """An element with text (truth as `true`, `false`) or with children."""
    element = Element(tag)
    if isinstance(content, bool):
        element.text = str(content).lower()
    elif isinstance(content, str | int):
        element.text = _FORBIDDEN_IN_XML.sub("", str(content))
    else:
        element.extend(content)
    return element


# --- envelopes ---------------------------------------------------------------------------------


def respond(root: Element) -> Response:
    """HTTP 200 as BBB sends it, whatever the answer says: no XML declaration, not to be cached."""
    return Response(
        tostring(root, encoding="unicode").encode(),
        media_type="text/xml",
        headers={"Cache-Control": "no-cache"},
    )


def success(*children: Element) -> Response:
    """SUCCESS and what belongs to it."""
    return respond(node("response", [node("returncode", "SUCCESS"), *children]))


def failure(refusal: Refusal) -> Response:
    """FAILED, in one of two forms; a refusal without a key leaves the element out."""
    reason = [node("messageKey", refusal.key)] if refusal.key else []
    reason += [node("message", refusal.message)]
    if refusal.listed:
        named = [node("key", refusal.key), node("message", refusal.message)]
        reason = [node("errors", [node("error", named)])]
    return respond(node("response", [node("returncode", "FAILED"), *reason]))


def json_failure(refusal: Refusal) -> Response:
    """FAILED as the text track calls say it."""
    said = {"returncode": "FAILED", "messageKey": refusal.key, "message": refusal.message}
    return JSONResponse({"response": said})


# --- the API's root ------------------------------------------------------------------------------


def root(rules: Rules, *, base: str, as_json: bool) -> Response:
    """What needs no checksum: that a BBB is here."""
    fields = {
        "returncode": "SUCCESS",
        "version": "2.0",
        "apiVersion": "2.0",
        "bbbVersion": rules.bbb_version if rules.reveals_version else "",
    }
    if rules.tells_of_graphql:
        fields |= {
            "graphqlWebsocketUrl": f"{re.sub('^http', 'ws', base)}/graphql",
            "graphqlApiUrl": f"{base}/api/rest",
            "html5PluginSdkVersion": "0.0.95",
        }
    if as_json:
        return JSONResponse({"response": fields})
    return respond(node("response", [node(name, value) for name, value in fields.items()]))


# --- meetings ----------------------------------------------------------------------------------


def created(meeting: Meeting, *, duplicate: bool) -> Response:
    """create, new or found."""
    text = "This conference was already in existence and may currently be in progress."
    parent = meeting.plan.breakout.parent_id if meeting.plan.breakout else "bbb-none"
    return success(
        node("meetingID", meeting.meeting_id),
        node("internalMeetingID", meeting.internal_id),
        node("parentMeetingID", parent),
        node("attendeePW", meeting.attendee_password),
        node("moderatorPW", meeting.moderator_password),
        node("createTime", meeting.created_ms),
        node("voiceBridge", meeting.voice_bridge),
        node("dialNumber", meeting.plan.dial_number),
        node("createDate", java_date(meeting.created_ms)),
        node("hasUserJoined", meeting.was_joined),
        node("duration", meeting.plan.duration_minutes),
        node("hasBeenForciblyEnded", meeting.forcibly_ended),
        node("messageKey", "duplicateWarning" if duplicate else ""),
        node("message", text if duplicate else ""),
    )


def running(value: bool) -> Response:
    """isMeetingRunning."""
    return success(node("running", value))


def info(meeting: Meeting) -> Response:
    """getMeetingInfo."""
    return success(*_description(meeting))


def meetings(found: Iterable[Meeting]) -> Response:
    """getMeetings."""
    listed = [node("meeting", _description(one)) for one in found]
    if listed:
        return success(node("meetings", listed))
    text = "no meetings were found on this server"
    return success(node("meetings"), node("messageKey", "noMeetings"), node("message", text))


def end_asked() -> Response:
    """end."""
    text = (
        "A request to end the meeting was sent.  Please wait a few seconds, and then use the "
        "getMeetingInfo or isMeetingRunning API calls to verify that it was ended"
    )
    return success(node("messageKey", "sentEndMeetingRequest"), node("message", text))


def document_taken() -> Response:
    """insertDocument; says nothing about the download."""
    return success(node("message", "Presentation is being uploaded"))


def chat_sent() -> Response:
    """sendChatMessage."""
    return success(node("messageKey"), node("message"))


def _description(meeting: Meeting) -> list[Element]:
    plan, inside = meeting.plan, meeting.inside
    presenter = next((one for one in inside if one.moderator), None)
    return [
        node("meetingName", plan.name),
        node("meetingID", plan.meeting_id),
        node("internalMeetingID", meeting.internal_id),
        node("createTime", meeting.created_ms),
        node("createDate", java_date(meeting.created_ms)),
        node("voiceBridge", meeting.voice_bridge),
        node("dialNumber", plan.dial_number),
        node("attendeePW", meeting.attendee_password),
        node("moderatorPW", meeting.moderator_password),
        node("running", bool(inside)),
        node("duration", plan.duration_minutes),
        node("hasUserJoined", meeting.was_joined),
        node("recording", plan.record),
        node("hasBeenForciblyEnded", meeting.forcibly_ended),
        node("startTime", meeting.created_ms + START_LATER_MS),
        node("endTime", 0),
        node("participantCount", len(inside)),
        node("listenerCount", 0),
        node("voiceParticipantCount", 0),
        node("videoCount", 0),
        node("maxUsers", plan.max_participants),
        node("moderatorCount", sum(one.moderator for one in inside)),
        node("attendees", [_attendee(one, presents=one is presenter) for one in inside]),
        node("metadata", _by_name(plan.metadata)),
        *_breakout(meeting),
    ]


def _attendee(attendee: Attendee, *, presents: bool) -> Element:
    fields: dict[str, Content] = {
        "userID": attendee.user_id,
        "fullName": attendee.name,
        "role": attendee.role,
        "isPresenter": presents,
        "isListeningOnly": False,
        "hasJoinedVoice": False,
        "hasVideo": False,
        "clientType": "HTML5",
        "customdata": _by_name(attendee.wish.custom_data),
    }
    return node("attendee", [node(name, value) for name, value in fields.items()])


def _breakout(meeting: Meeting) -> list[Element]:
    own = meeting.plan.breakout
    if own:
        return [
            node("isBreakout", True),
            node("parentMeetingID", own.parent_id),
            node("sequence", own.sequence),
            node("freeJoin", own.free_join),
        ]
    rooms = [node("breakout", internal_id) for internal_id in meeting.breakouts]
    return [node("isBreakout", False), *([node("breakoutRooms", rooms)] if rooms else [])]


def _by_name(values: Mapping[str, str]) -> list[Element]:
    return [node(name, value) for name, value in values.items()]


def java_date(milliseconds: int) -> str:
    """A java.util.Date in words, in the server's zone: made to be looked at, not to be parsed."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day} {month} {moment:%d %H:%M:%S} UTC {moment:%Y}"


# --- join and recordings -------------------------------------------------------------------------


def joined(meeting: Meeting, attendee: Attendee, *, status: str, url: str) -> Response:
    """join with redirect=false. `status` is ALLOW, WAIT or DENY."""
    return success(
        node("messageKey", "successfullyJoined"),
        node("message", "You have joined successfully."),
        node("meeting_id", meeting.internal_id),
        node("user_id", attendee.internal_id),
        node("auth_token", attendee.internal_id.removeprefix("w_")),
        node("session_token", attendee.session_token),
        node("guestStatus", status),
        node("url", url),
    )


def no_recordings() -> Response:
    """getRecordings: SUCCESS, with a key that says there are none."""
    text = "There are no recordings for the meeting(s)."
    return success(node("recordings"), node("messageKey", "noRecordings"), node("message", text))
