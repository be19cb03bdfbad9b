"""What the bot says, before it has words: keys and arguments; and after: a small tree of text.

A `Message` is what services and the outbox hold. `commands.i18n` turns it into a `Document` in one
language, with links made at that moment; each chat adapter renders the document in its own grammar.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from storage.records import LinkKind, Person


@dataclass(frozen=True, slots=True)
class Who:
    """A person named in a text; `name` is the display name, cleaned."""

    person: Person
    name: str


@dataclass(frozen=True, slots=True)
class LinkTo:
    """A link that gets its address only when the message is rendered."""

    kind: LinkKind
    room: str
    generation: int
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Typed:
    """Something to type, without the prefix: `Typed("end sure")` is shown as `!bbb end sure`."""

    line: str


@dataclass(frozen=True, slots=True)
class TextKey:
    """A text inside a text: another key of the catalogue, in the same language."""

    key: str
    args: Mapping[str, "Arg"] = field(default_factory=dict)


Arg = str | int | datetime | timedelta | Who | LinkTo | Typed | TextKey | tuple["Arg", ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One text of the catalogue with its arguments; one or more lines."""

    key: str
    args: Mapping[str, Arg] = field(default_factory=dict)


class Style(StrEnum):
    TEXT = "text"  # people wait for it: it may notify
    NOTICE = "notice"  # an answer: it notifies nobody


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said; `buttons` are reaction keys to offer under it (`▶`)."""

    phrases: tuple[Phrase, ...]
    style: Style = Style.NOTICE
    pings: tuple[Person, ...] = ()
    buttons: tuple[str, ...] = ()
    language: str | None = None


def message(key: str, *, style: Style = Style.NOTICE, **args: Arg) -> Message:
    """A message of one phrase."""
    return Message((Phrase(key, args),), style=style)


# --- as JSON, for the outbox ---------------------------------------------------------------------


def to_json(value: Message) -> dict[str, Any]:
    """A message as plain JSON values; `from_json` gives an equal one back."""
    return {
        "phrases": [[p.key, _args_out(p.args)] for p in value.phrases],
        "style": value.style.value,
        "pings": [[p.platform, p.id] for p in value.pings],
        "buttons": list(value.buttons),
        "language": value.language,
    }


def from_json(value: Mapping[str, Any]) -> Message:
    """The message that `to_json` wrote. Raises KeyError or ValueError on anything else."""
    try:
        return Message(
            phrases=tuple(Phrase(key, _args_in(args)) for key, args in value["phrases"]),
            style=Style(value["style"]),
            pings=tuple(Person(*pair) for pair in value["pings"]),
            buttons=tuple(value["buttons"]),
            language=value["language"],
        )
    except (TypeError, AttributeError) as error:
        raise ValueError("not a message") from error


def _args_out(args: Mapping[str, Arg]) -> dict[str, Any]:
    return {name: _out(arg) for name, arg in args.items()}


def _args_in(args: Mapping[str, Any]) -> dict[str, Arg]:
    return {name: _in(arg) for name, arg in args.items()}


def _out(arg: Arg) -> Any:
    match arg:
        case str() | int():
            return arg
        case datetime():
            return {"at": arg.isoformat()}
        case timedelta():
            return {"s": arg.total_seconds()}
        case Who(person, name):
            return {"who": [person.platform, person.id, name]}
        case LinkTo(kind, room, generation, person):
            goal = [person.platform, person.id] if person else None
            return {"link": [kind.value, room, generation, goal]}
        case Typed(line):
            return {"type": line}
        case TextKey(key, args):
            return {"text": [key, _args_out(args)]}
        case tuple():
            return [_out(item) for item in arg]


def _in(value: Any) -> Arg:
    match value:
        case str() | int():
            return value
        case {"at": str(when)}:
            return datetime.fromisoformat(when)
        case {"s": int() | float() as seconds}:
            return timedelta(seconds=seconds)
        case {"who": [platform, person, name]}:
            return Who(Person(platform, person), name)
        case {"link": [kind, room, generation, goal]}:
            return LinkTo(LinkKind(kind), room, generation, Person(*goal) if goal else None)
        case {"type": str(line)}:
            return Typed(line)
        case {"text": [key, args]}:
            return TextKey(key, _args_in(args))
        case list():
            return tuple(_in(item) for item in value)
    raise ValueError("not an argument of a message")


# --- with words --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """Plain characters; whatever they are, they are shown as they are."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Something to type or to copy."""

    text: str


@dataclass(frozen=True, slots=True)
class Address:
    """A link of ours, fully made; `label` is its name where a chat can hide the address."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person by name; who is really pinged stands in `Document.pings`."""

    person: Person
    name: str


Node = Text | Code | Address | Mention
Line = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A message in words, line by line; `language` is that of the words."""

    lines: tuple[Line, ...]
    style: Style = Style.NOTICE
    pings: tuple[Person, ...] = ()
    buttons: tuple[str, ...] = ()
    language: str = "en"


def plain(document: Document) -> str:
    """The complete message as plain text: every chat's fallback. Addresses stand in full."""
    return "\n".join("".join(_plain(node) for node in line) for line in document.lines)


def _plain(node: Node) -> str:
    match node:
        case Text(text):
            return text
        case Code(text):
            return f"`{text}`"
        case Address(url, label):
            return f"{label}: {url}" if label else url
        case Mention(_, name):
            return name
