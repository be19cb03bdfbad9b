"""Plans and seats in BBB's own parameters, short enough for every server on the way. Pure."""

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import accumulate
from urllib.parse import quote

from bot.bbb.sign import Parameters, query
from commands.cleaning import clean
from commands.ports import MeetingPlan, Seat

LONGEST_ADDRESS = 1800
"""Characters of a whole address. The tightest balancer breaks at 2048, after adding its own."""

LONGEST_NAME = 256
"""Of a meeting or a person, as BBB counts: in UTF-16 units. The shortest is 2."""

LONGEST_MESSAGE = 500

_NAME_ROOM = 768
"""Characters a name may take in an address: 64 shown ones, be they all emoji."""

_TAG_NAME = re.compile(r"[a-z][a-z0-9-]*")
_CUT_TAG = re.compile(r"<[^<>]*$")


def create_parameters(plan: MeetingPlan, tags: Mapping[str, str], *, room: int) -> Parameters:
    """The parameters of `create`, in `room` characters; no passwords, so that it can be repeated.

    What does not fit goes in this order: the welcome text's end, the last tags, the way back.
    Raises ValueError for a tag name that BBB would drop or write differently.
    """
    parameters = _within(_essential(plan), "logoutURL", plan.logout_url, room)
    for name, value in {**tags, **plan.meta}.items():
        parameters = _within(parameters, f"meta_{_tag(name)}", clean(value, LONGEST_NAME), room)
    left = room - len(query({**parameters, "welcome": ""}))
    welcome = shortened(clean(plan.welcome, LONGEST_ADDRESS), left)
    return _within(parameters, "welcome", welcome, room)


def join_parameters(seat: Seat) -> Parameters:
    """The parameters of `join`: bound to this session, never a password.

    Raises ValueError for a name that shows nothing.
    """
    # BBB's client has had trouble with colons; of some names nothing else would be left.
    name = _name(seat.name.replace(":", " ")) or _name(seat.name.replace(":", "."))
    if not name:
        raise ValueError("a seat needs a name")
    return {
        "fullName": name,
        "meetingID": seat.meeting_id,
        "role": "MODERATOR" if seat.moderator else "VIEWER",
        "createTime": str(seat.create_time),
        "userID": seat.user_id,
        **({"guest": "true"} if seat.guest else {}),
    }


def message_parameters(meeting_id: str, text: str, *, room: int) -> Parameters:
    """The parameters of `sendChatMessage`; a long text is cut. Raises ValueError for none."""
    left = room - len(query({"meetingID": meeting_id, "message": ""}))
    message = shortened(clean(text, LONGEST_MESSAGE), left)
    if not message:
        raise ValueError("a message needs a text")
    return {"meetingID": meeting_id, "message": shortened(message, LONGEST_MESSAGE, _utf16_units)}


def shortened(text: str, longest: int, measure: Callable[[str], int] | None = None) -> str:
    """The text, or its beginning and "…", measuring `longest` at most; "" when nothing does.

    Measured in characters of an address where not said otherwise. Cuts between words where there
    are any, and never inside a character's percent-escapes or an HTML tag.
    """
    measure = measure or _encoded_length
    if measure(text) <= longest:
        return text
    ends = list(accumulate(map(measure, text), initial=measure("…")))
    start = text[: max(bisect_right(ends, longest) - 1, 0)]
    without_cut_tag = _CUT_TAG.sub("", start)
    whole_words = without_cut_tag.rpartition(" ")[0].rstrip() or without_cut_tag
    return whole_words and f"{whole_words}…"


def _essential(plan: MeetingPlan) -> Parameters:
    """What a meeting cannot do without. Booleans are words: BBB takes `1` for false."""
    return {
        "meetingID": plan.meeting_id,
        "name": _meeting_name(plan.name),
        "record": _word(plan.record),
        "autoStartRecording": _word(plan.auto_start_recording),
        "allowStartStopRecording": _word(plan.allow_start_stop_recording),
        "muteOnStart": _word(plan.mute_on_start),
        "guestPolicy": "ASK_MODERATOR" if plan.lobby else "ALWAYS_ACCEPT",
        **({"maxParticipants": str(plan.max_participants)} if plan.max_participants else {}),
        **({"duration": _minutes(plan.duration)} if plan.duration else {}),
        **({"lockSettingsDisablePrivateChat": "true"} if plan.disable_private_chat else {}),
    }


def _within(parameters: Parameters, key: str, value: str, room: int) -> Parameters:
    """The parameters and one more, if it says something and fits."""
    more = {**parameters, key: value}
    return more if value and len(query(more)) <= room else parameters


def _meeting_name(text: str) -> str:
    name = _name(text)
    return name if len(name) > 1 else f"BigBlueButton {name}".rstrip()


def _name(text: str) -> str:
    in_address = shortened(clean(text, LONGEST_NAME), _NAME_ROOM)
    return shortened(in_address, LONGEST_NAME, _utf16_units)


def _tag(name: str) -> str:
    if not _TAG_NAME.fullmatch(name):
        raise ValueError(f"BBB drops or rewrites the tag {name!r}")
    return name


def _word(value: bool) -> str:
    return "true" if value else "false"


def _minutes(length: timedelta) -> str:
    """Whole minutes, rounded up: 0 would be unlimited."""
    return str(-(-length // timedelta(minutes=1)))


def _encoded_length(text: str) -> int:
    return len(quote(text, safe=""))


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
