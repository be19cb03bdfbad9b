"""What a room or a meeting can be told: `record max:20 lobby:on mute …`. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from commands.errors import UserError
from commands.messages import Typed
from commands.ports import Policy

MODERATORS = ("admins", "everyone", "creator")
GUESTS = ("off", "lobby", "on")
RECORD = ("off", "on", "auto", "fixed")

_SPAN = re.compile(r"(?:(\d{1,3})\s*h(?:ours?)?)?\s*(?:(\d{1,4})\s*(?:m|min|minutes?)?)?", re.I)

_DIGITS = re.compile("[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Options:
    """None means: as the room, else as the configuration says.
    `minutes` is the longest a call may last.
    """

    record: str | None = None
    max_participants: int | None = None
    lobby: bool | None = None
    mute: bool | None = None
    moderators: str | None = None
    guests: str | None = None
    minutes: int | None = None

    def over(self, other: "Options") -> "Options":
        """These options, and the other's where these say nothing."""
        own = {key: value for key, value in asdict(self).items() if value is not None}
        return replace(other, **own)

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def default(cls, policy: Policy) -> "Options":
        """What the configuration says where neither room nor command does."""
        return cls(
            record=policy.record,
            max_participants=policy.max_participants,
            lobby=policy.lobby,
            moderators=policy.moderators,
            guests=policy.guests,
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Options":
        return cls(**value)


def span(text: str) -> timedelta | None:
    """A length as people type it (`90m`, `2h`, `1h30`, `45` for minutes); None if it is none."""
    match = _SPAN.fullmatch(text.strip())
    if match is None or not (match[1] or match[2]):
        return None
    return timedelta(hours=int(match[1] or 0), minutes=int(match[2] or 0)) or None


def read(options: Mapping[str, str], policy: Policy) -> Options:
    """Options as typed. Raises UserError naming the wrong one, its values and what is possible."""
    values = Options()
    for key, value in options.items():
        values = replace(values, **_READERS[key](key, value, policy))
    return values


def _record(_: str, value: str, __: Policy) -> dict[str, Any]:
    chosen = {"": "on", "yes": "on", "no": "off"}.get(value.casefold(), value.casefold())
    if chosen not in RECORD:
        raise _wrong("record", value, "record, record:auto, record:fixed, record:no")
    return {"record": chosen}


def _max(_: str, value: str, policy: Policy) -> dict[str, Any]:
    most = policy.limits.max_participants
    if not _DIGITS.fullmatch(value) or not 2 <= int(value) <= most:
        raise _wrong("max", value, f"max:2 … max:{most}")
    return {"max_participants": int(value)}


def _lobby(_: str, value: str, __: Policy) -> dict[str, Any]:
    return {"lobby": _switch("lobby", value)}


def _mute(_: str, value: str, __: Policy) -> dict[str, Any]:
    return {"mute": _switch("mute", value)}


def _switch(key: str, value: str) -> bool:
    chosen = {"": True, "on": True, "yes": True, "off": False, "no": False}.get(value.casefold())
    if chosen is None:
        raise _wrong(key, value, f"{key}:on, {key}:off")
    return chosen


def _one_of(values: tuple[str, ...]) -> Callable[[str, str, Policy], dict[str, Any]]:
    def read_one(key: str, value: str, _: Policy) -> dict[str, Any]:
        if value.casefold() not in values:
            raise _wrong(key, value, ", ".join(f"{key}:{one}" for one in values))
        return {key: value.casefold()}

    return read_one


def _for(_: str, value: str, policy: Policy) -> dict[str, Any]:
    length = span(value)
    if length is None:
        raise _wrong("for", value, "for 90m, for 2h, for 1h30")
    if length > policy.limits.max_duration:
        raise UserError("e.too_long", typed=value, most=policy.limits.max_duration)
    return {"minutes": int(length.total_seconds() // 60)}


def _wrong(key: str, value: str, possible: str) -> UserError:
    return UserError("e.option_value", option=f"{key}:{value}".rstrip(":"), possible=possible)


def is_value(key: str, word: str) -> bool:
    """Whether a word after an option without a value is its value (`--max 20`, `lobby off`)."""
    return _VALUES[key](word.casefold())


def looser(wanted: Options, base: Options) -> bool:
    """Whether these options let people in that the room or the configuration would hold back."""
    guests = GUESTS.index(wanted.guests or "off") > GUESTS.index(base.guests or "off")
    return guests or (wanted.lobby is False and bool(base.lobby))


def unknown(key: str, usage: str) -> UserError:
    return UserError("e.option", option=key, usage=Typed(usage))


_SWITCH = frozenset({"on", "off", "yes", "no"})

_VALUES: Mapping[str, Callable[[str], bool]] = {
    "record": (_SWITCH | {*RECORD}).__contains__,
    "max": str.isdigit,
    "lobby": _SWITCH.__contains__,
    "mute": _SWITCH.__contains__,
    "moderators": frozenset(MODERATORS).__contains__,
    "guests": frozenset(GUESTS).__contains__,
    "for": lambda word: span(word) is not None,
}

_READERS: Mapping[str, Callable[[str, str, Policy], dict[str, Any]]] = {
    "record": _record,
    "max": _max,
    "lobby": _lobby,
    "mute": _mute,
    "moderators": _one_of(MODERATORS),
    "guests": _one_of(GUESTS),
    "for": _for,
}

KEYS = frozenset(_READERS)

TYPED: Mapping[str, str] = {
    "record": "record, record:auto|fixed|no",
    "max": "max:20",
    "lobby": "lobby:on|off",
    "mute": "mute:on|off",
    "moderators": f"moderators:{'|'.join(MODERATORS)}",
    "guests": f"guests:{'|'.join(GUESTS)}",
    "for": "for 90m",
}
"""How each option is typed, for help."""
