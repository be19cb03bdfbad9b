"""The table of calls, and what happens around each: method, checksum, content type, refusals."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.demo.bbb import answers, join_call, meeting_calls, recording_calls, validation
from bot.demo.bbb.asked import Asked
from bot.demo.bbb.checksum import Verdict, verify
from bot.demo.bbb.parameters import first_values, pairs
from bot.demo.bbb.refusals import Refusal
from bot.demo.bbb.state import State
from bot.demo.bbb.validation import FORM_TYPES, XML_TYPES

_MEETING_WORDS = {
    Verdict.MISSING: "You must provide the checksum",
    Verdict.WRONG: "Checksums do not match",
}
_RECORDING_WORDS = dict.fromkeys(
    (Verdict.MISSING, Verdict.WRONG), "You did not pass the checksum security check"
)


def _failed(refusal: Refusal, base: str) -> Response:
    return answers.failure(refusal)


def _failed_in_json(refusal: Refusal, base: str) -> Response:
    return answers.json_failure(refusal)


def _sent_away(refusal: Refusal, base: str) -> Response:
    """Home, never to an address that nobody signed."""
    return join_call.away(refusal, f"{base}/")


@dataclass(frozen=True, slots=True)
class Call:
    """How one call is made and answered. `refused` words what is wrong before it is looked at."""

    answer: Callable[[State, Asked], Response]
    refused: Callable[[Refusal, str], Response] = _failed
    takes_post: bool = True
    content_types: frozenset[str] = FORM_TYPES
    about_recordings: bool = False


def _recording(answer: Callable[[State, Asked], Response], *, takes_post: bool = False) -> Call:
    return Call(answer, takes_post=takes_post, about_recordings=True)


_TEXT_TRACKS = Call(recording_calls.text_tracks, refused=_failed_in_json, about_recordings=True)

CALLS = {
    "create": Call(meeting_calls.create, content_types=FORM_TYPES | XML_TYPES),
    "join": Call(join_call.join, refused=_sent_away),
    "isMeetingRunning": Call(meeting_calls.is_running),
    "getMeetingInfo": Call(meeting_calls.info),
    "getMeetings": Call(meeting_calls.list_all),
    "end": Call(meeting_calls.end),
    "insertDocument": Call(meeting_calls.insert_document, content_types=XML_TYPES),
    "sendChatMessage": Call(meeting_calls.send_chat_message, takes_post=False),
    "getRecordings": _recording(recording_calls.get_recordings),
    "publishRecordings": _recording(recording_calls.publish),
    "deleteRecordings": _recording(recording_calls.delete_or_update),
    "updateRecordings": _recording(recording_calls.delete_or_update, takes_post=True),
    "getRecordingTextTracks": _TEXT_TRACKS,
    "putRecordingTextTrack": _TEXT_TRACKS,
}


async def answer(state: State, request: Request, name: str, *, base: str) -> Response:
    """Answer one API request. Every refusal is HTTP 200, only strange requests get HTML errors."""
    call = CALLS.get(name)
    if call is None or (name == "sendChatMessage" and not state.rules.has_chat_call):
        return html_error(404)
    if request.method == "POST" and not _takes_post(state, name, call):
        return html_error(405)
    form = await _form(request)
    query = request.scope["query_string"]
    verdict = verify(name, query, form, secret=state.secret, rules=state.rules)
    body = await request.body()
    try:
        _refuse_unsigned(call, verdict)
        _refuse_content_type(state, call, request, body)
    except Refusal as refusal:
        return call.refused(refusal, base)
    asked = Asked(
        call=name,
        parameters=first_values([*pairs(query), *form.items()]),
        body=b"" if form else body,
        base=base,
        cookie=request.cookies.get(join_call.COOKIE, ""),
    )
    try:
        return call.answer(state, asked)
    except Refusal as refusal:
        return answers.failure(refusal)


def html_error(status: int) -> Response:
    """An error page of the web server, as from something that is no BBB."""
    words = HTTPStatus(status).phrase
    return HTMLResponse(
        f"<html><head><title>{status} {words}</title></head>"
        f"<body><h1>{status} {words}</h1></body></html>",
        status,
    )


def _takes_post(state: State, name: str, call: Call) -> bool:
    return call.takes_post and not (name == "join" and state.rules.joins_by_get_only)


async def _form(request: Request) -> dict[str, str]:
    """The text fields of a form body; starlette keeps the body for a second reading."""
    await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in FORM_TYPES:
        return {}
    async with request.form() as form:
        fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return first_values(fields)


def _refuse_unsigned(call: Call, verdict: Verdict) -> None:
    words = _RECORDING_WORDS if call.about_recordings else _MEETING_WORDS
    if verdict is not Verdict.RIGHT:
        raise Refusal("checksumError", words[verdict])


def _refuse_content_type(state: State, call: Call, request: Request, body: bytes) -> None:
    if request.method != "POST" or not body:
        return
    value = request.headers.get("content-type", "")
    wrong = validation.content_type(
        value, call.content_types, refuses_charset=state.rules.refuses_charset
    )
    for key, message in wrong.items():
        raise Refusal(key, message)
