"""The call join: into the client with a session, or away with the reason in the address."""

import json
import re
import secrets
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from bot.demo.bbb import answers, validation
from bot.demo.bbb.asked import Asked
from bot.demo.bbb.meeting import Attendee, Meeting, Presence, Wish
from bot.demo.bbb.parameters import custom_data
from bot.demo.bbb.refusals import Refusal, first_of, refuse_first
from bot.demo.bbb.state import State

COOKIE = "JSESSIONID"
_COOKIE = re.compile(r"[0-9a-f]{32}")
_GUEST_STATUS = {Presence.WAITING: "WAIT", Presence.EXPECTED: "ALLOW"}
_JAVA_URI_KEEPS = "[]:,;/?@&=+$_-!.~'()*"
"""java.net.URI quotes braces, quotes and blanks, and leaves these."""

WRONG_ROLE = Refusal("Params required", "You must provide a valid role or the right password.")


def join(state: State, asked: Asked) -> Response:
    """302 into the client with a cookie; with redirect=false the same in XML."""
    try:
        meeting = _validated(state, asked)
    except Refusal as refusal:  # before the meeting is looked at, redirect=false does not count
        return away(refusal, _way_out(asked))
    moderator = _is_moderator(meeting, asked)
    if moderator is None:
        return answers.failure(WRONG_ROLE)
    try:
        _refuse_old_link(meeting, asked)
        cookie = asked.cookie if _COOKIE.fullmatch(asked.cookie) else secrets.token_hex(16)
        attendee = state.register(meeting, _wish(asked, moderator=moderator), cookie=cookie)
    except Refusal as refusal:
        return away(refusal, _way_out(asked)) if _redirects(asked) else answers.failure(refusal)
    return _into_the_client(meeting, attendee, asked)


def _validated(state: State, asked: Asked) -> Meeting:
    """The meeting. Raises the one violation that BBB tells.

    The check "has it been ended by force?" says no of a meeting that does not exist, and comes
    first in hash order: so a meeting that simply expired is told as meetingForciblyEnded.
    """
    violations = validation.join(asked.parameters)
    bad_id = validation.meeting_id(asked.parameters)
    meeting = None if bad_id else state.find(asked.get("meetingID"))
    if meeting is not None and not meeting.forcibly_ended:
        refuse_first(violations)
        return meeting
    if not bad_id:
        gone = state.rules.vanished_join if meeting is None else "meetingForciblyEnded"
        violations[gone] = "You can not join a meeting that has already been forcibly ended"
    raise first_of(violations)


def _is_moderator(meeting: Meeting, asked: Asked) -> bool | None:
    """By role, else by password; None when neither is any good."""
    by_role = {"MODERATOR": True, "VIEWER": False}
    by_password = {meeting.attendee_password: False, meeting.moderator_password: True}
    password = by_password.get(asked.get("password"))
    return by_role.get(asked.get("role").upper(), password)


def _refuse_old_link(meeting: Meeting, asked: Asked) -> None:
    created = asked.get("createTime")
    if created and int(created) != meeting.created_ms:
        text = "The createTime parameter submitted mismatches with the current meeting."
        raise Refusal("mismatchCreateTimeParam", text)


def _wish(asked: Asked, *, moderator: bool) -> Wish:
    return Wish(
        name=validation.without_control(asked.get("fullName")).strip(),
        moderator=moderator,
        user_id=asked.get("userID"),
        guest=asked.get("guest").lower() == "true",
        authenticated=asked.get("auth", "true").lower() == "true",
        logout_url=asked.get("logoutURL"),
        custom_data=custom_data(asked.parameters),
    )


def _redirects(asked: Asked) -> bool:
    return asked.get("redirect", "true").lower() != "false"


def _into_the_client(meeting: Meeting, attendee: Attendee, asked: Asked) -> Response:
    url = f"{asked.base}/html5client/?sessionToken={attendee.session_token}"
    status = _GUEST_STATUS[attendee.presence]
    response = (
        RedirectResponse(url, 302)
        if _redirects(asked)
        else answers.joined(meeting, attendee, status=status, url=url)
    )
    response.set_cookie(COOKIE, attendee.cookie, httponly=True, samesite="lax")
    return response


# --- away --------------------------------------------------------------------------------------


def away(refusal: Refusal, url: str) -> Response:
    """A redirect that carries the reason, quoted as Java does it."""
    reason = json.dumps([{"key": refusal.key, "message": refusal.message}], separators=(",", ":"))
    joint = "&" if "?" in url else "?"
    location = f"{url}{joint}errors={quote(reason, safe=_JAVA_URI_KEEPS)}"
    return Response(status_code=302, headers={"Location": location})


def _way_out(asked: Asked) -> str:
    return asked.get("errorRedirectUrl") or asked.get("logoutURL") or f"{asked.base}/"
