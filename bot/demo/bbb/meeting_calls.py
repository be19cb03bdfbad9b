"""The calls about meetings: create, the state calls, end, slides, chat."""

from starlette.responses import HTMLResponse, Response

from bot.demo.bbb import answers, validation
from bot.demo.bbb.asked import Asked, known_meeting
from bot.demo.bbb.meeting import GUEST_POLICIES, Breakout, Plan
from bot.demo.bbb.parameters import as_java_boolean, metadata, whole_number
from bot.demo.bbb.refusals import Refusal, refuse_first
from bot.demo.bbb.slides import BadSlides, documents
from bot.demo.bbb.state import State

INTERNAL_ERROR = HTMLResponse("<html><body><h1>Internal Server Error</h1></body></html>", 500)
"""What bbb-web's container says when a request's XML cannot be read."""


def create(state: State, asked: Asked) -> Response:
    """Have a meeting. Slides come after it, so bad ones leave a meeting behind an error 500."""
    refuse_first(validation.create(asked.parameters))
    meeting, duplicate = state.create(plan_of(asked))
    if not duplicate:
        try:
            state.insert(meeting, documents(asked.body))
        except BadSlides:
            return INTERNAL_ERROR
    return answers.created(meeting, duplicate=duplicate)


def plan_of(asked: Asked) -> Plan:
    """The parameters of create, unknown ones ignored. Raises Refusal: parentMeetingIDMissing."""
    given, defaults = asked.parameters, Plan("", "")
    policy = asked.get("guestPolicy")
    return Plan(
        meeting_id=given["meetingID"],
        name=validation.without_control(given["name"]),
        attendee_password=given.get("attendeePW"),
        moderator_password=given.get("moderatorPW"),
        voice_bridge=given.get("voiceBridge") or None,
        dial_number=given.get("dialNumber") or defaults.dial_number,
        max_participants=whole_number(given.get("maxParticipants"), 0),
        duration_minutes=whole_number(given.get("duration"), 0),
        record=as_java_boolean(given.get("record")),
        guest_policy=policy if policy in GUEST_POLICIES else defaults.guest_policy,
        logout_url=asked.get("logoutURL"),
        disabled_features=frozenset(asked.get("disabledFeatures").split(",")),
        unjoined_minutes=whole_number(
            given.get("meetingExpireIfNoUserJoinedInMinutes"), defaults.unjoined_minutes
        ),
        empty_minutes=whole_number(
            given.get("meetingExpireWhenLastUserLeftInMinutes"), defaults.empty_minutes
        ),
        metadata=metadata(given),
        breakout=_breakout_of(asked),
    )


def _breakout_of(asked: Asked) -> Breakout | None:
    if not as_java_boolean(asked.get("isBreakout")):
        return None
    parent = asked.get("parentMeetingID")
    if not parent:
        raise Refusal("parentMeetingIDMissing", "No parent meeting ID was provided")
    sequence = whole_number(asked.get("sequence"), 0)
    return Breakout(parent, sequence, as_java_boolean(asked.get("freeJoin")))


def is_running(state: State, asked: Asked) -> Response:
    """Whether somebody is inside; a meeting that nobody knows is not an error."""
    refuse_first(validation.meeting_id(asked.parameters))
    meeting = state.find(asked.get("meetingID"))
    return answers.running(meeting is not None and bool(meeting.inside))


def info(state: State, asked: Asked) -> Response:
    """Everything about one meeting."""
    refuse_first(validation.meeting_id(asked.parameters))
    return answers.info(known_meeting(state, asked))


def list_all(state: State, asked: Asked) -> Response:
    """Everything about every meeting."""
    return answers.meetings(state.meetings())


def end(state: State, asked: Asked) -> Response:
    """Ask for the end; the meeting is still there when this answers."""
    refuse_first(validation.meeting_id(asked.parameters))
    state.end(known_meeting(state, asked))
    return answers.end_asked()


def insert_document(state: State, asked: Asked) -> Response:
    """Show slides later; nothing but a missing meeting is told to the caller."""
    refuse_first(validation.meeting_id(asked.parameters))
    meeting_id = asked.get("meetingID")
    meeting = state.find(meeting_id)
    if meeting is None:
        raise Refusal("", f"Meeting with id [{meeting_id}] not found.")
    if "presentation" in meeting.plan.disabled_features:
        raise Refusal("", "Presentation feature is disabled, ignoring.")
    try:
        state.insert(meeting, documents(asked.body))
    except BadSlides:
        return INTERNAL_ERROR
    return answers.document_taken() if asked.body.strip() else Response()


def send_chat_message(state: State, asked: Asked) -> Response:
    """Say something in a meeting where somebody is to hear it."""
    refuse_first(validation.chat_message(asked.parameters))
    meeting = state.find(asked.get("meetingID"))
    if meeting is None or not meeting.inside:
        raise Refusal("meetingNotFound", "Meeting not found")
    state.say(meeting, author=asked.get("userName") or "System", text=asked.get("message"))
    return answers.chat_sent()
