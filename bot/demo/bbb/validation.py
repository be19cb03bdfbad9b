"""What BBB checks of a call's parameters before it does anything. Pure.

Each check gives violations (message by key); which of several is told is decided in `refusals`.
"""

import re
from collections.abc import Mapping

Parameters = Mapping[str, str]
Violations = dict[str, str]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
XML_TYPES = frozenset({"application/xml", "text/xml"})


def without_control(text: str) -> str:
    """A name as BBB keeps it."""
    return _CONTROL.sub("", text)


def meeting_id(parameters: Parameters) -> Violations:
    """The id's form; absent and empty are different complaints."""
    value = parameters.get("meetingID")
    if value is None:
        return {"missingParamMeetingID": "You must provide a meeting ID"}
    if not 2 <= len(value) <= 256:
        return {"validationError": "Meeting ID must be between 2 and 256 characters"}
    if "," in value:
        return {"validationError": "Meeting ID cannot contain ','"}
    if _CONTROL.search(value) or value != value.strip():
        return {"validationError": "Invalid meeting ID"}
    return {}


def create(parameters: Parameters) -> Violations:
    """Everything of create."""
    found: Violations = {}
    for name in ("isBreakout", "record"):
        if parameters.get(name, "true").lower() not in ("true", "false", "0", "1"):
            found["validationError"] = f"The value of {name} must be a boolean"
    if not re.fullmatch(r"[0-9]*", parameters.get("voiceBridge", "")):
        found["validationError"] = "Voice bridge must be a 5-digit integer value"
    if not 2 <= len(parameters.get("name", "")) <= 256:
        found["validationError"] = "Meeting name must be between 2 and 256 characters"
    for name in ("attendeePW", "moderatorPW"):
        if not 2 <= len(parameters.get(name, "absent")) <= 64:
            found["invalidPassword"] = "Invalid password"
    return found | meeting_id(parameters)


def join(parameters: Parameters) -> Violations:
    """What can be said of a join without knowing the meeting."""
    found: Violations = {}
    if not without_control(parameters.get("fullName", "")).strip():
        found["missingParamFullName"] = "You must provide your name"
    if not re.fullmatch(r"[0-9]*", parameters.get("createTime", "")):
        found["validationError"] = "The createTime must be a number"
    return found | meeting_id(parameters)


def chat_message(parameters: Parameters) -> Violations:
    """sendChatMessage."""
    found: Violations = {}
    if not 1 <= len(parameters.get("message", "")) <= 500:
        found["validationError"] = "Message must be between 1 and 500 characters"
    if len(parameters.get("userName", "")) > 255:
        found["validationError"] = "User name must be at most 255 characters"
    return found | meeting_id(parameters)


def content_type(value: str, accepted: frozenset[str], *, refuses_charset: bool) -> Violations:
    """A POST's Content-Type; asked only when there is a body."""
    kind, _, attributes = value.partition(";")
    has_charset = "charset" in attributes.lower()
    if kind.strip().lower() in accepted and not (has_charset and refuses_charset):
        return {}
    return {"unsupportedContentType": "POST request Content-Type is missing or unsupported"}
