"""Words: gettext catalogues, and a message turned into a document in one language.

Catalogues are `locales/LANGUAGE/LC_MESSAGES/DOMAIN.po`, read as they are: a text is found by
its key (`msgid`), plural forms by the argument `n`. Inside a text `**bold**`, `` `code` ``
and `{argument}` have a meaning; an argument never has: it becomes nodes of the tree, so no
name can forge markup.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit

from commands.messages import (
    Address,
    Arg,
    Code,
    Document,
    Line,
    LinkTo,
    Mention,
    Message,
    Node,
    Phrase,
    Text,
    TextKey,
    Typed,
    Who,
)

LANGUAGES = ("en", "fr", "de")
DOMAINS = ("chat", "pages", "demo")

# Babel's "en" is US English with 9:30 AM; ours is 24 hours.
_LOCALES = {"en": "en_GB", "fr": "fr", "de": "de"}

_MINUTE = 60  # seconds
_HOUR, _DAY = 60, 24 * 60  # minutes

_MARKS = re.compile(r"\*\*(?P<bold>.+?)\*\*|`(?P<code>.+?)`|\{(?P<arg>[a-z_]+)\}")

LinkMaker = Callable[[LinkTo], str]
"""Makes the address of a link at the moment a message is rendered."""


class Texts:
    """The texts of one language. Raises KeyError for a key that no catalogue has."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = _LOCALES[language]
        self._catalogues = [_catalogue(language, domain) for domain in DOMAINS]

    def template(self, key: str, n: int | None = None) -> str:
        """The text of a key with its placeholders, in the plural form of `n`."""
        for catalogue in self._catalogues:
            counted = key if n is None else catalogue.ngettext(key, key, n)
            found = counted if counted != key else catalogue.gettext(key)
            if found != key:
                return found
        raise KeyError(key)

    def plain(self, key: str, **args: str | int) -> str:
        """A text for a page or a terminal: no tree, arguments as they are. The caller escapes."""
        count = args.get("n")
        template = self.template(key, count if isinstance(count, int) else None)
        return re.sub(r"\{([a-z_]+)\}", lambda match: str(args[match[1]]), template)


@cache
def texts(language: str) -> Texts:
    """The texts of a language, read once; an unknown language gives English."""
    return Texts(language if language in LANGUAGES else "en")


@cache
def _catalogue(language: str, domain: str) -> GNUTranslations:
    source = files("commands") / "locales" / language / "LC_MESSAGES" / f"{domain}.po"
    compiled = BytesIO()
    if not source.is_file():
        return GNUTranslations()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


class Renderer:
    """Turns messages into documents, in one language and zone, for one prefix."""

    def __init__(self, *, language: str, zone: str, prefix: str, links: LinkMaker) -> None:
        self._texts = texts(language)
        self._zone = ZoneInfo(zone)
        self._prefix = prefix
        self._links = links

    def document(self, message: Message) -> Document:
        """The message in words. Raises KeyError for an unknown key or a missing argument."""
        lines = tuple(line for phrase in message.phrases for line in self._lines(phrase))
        language = self._texts.language
        return Document(lines, message.style, message.pings, message.buttons, language)

    def _lines(self, phrase: Phrase) -> list[Line]:
        count = phrase.args.get("n")
        template = self._texts.template(phrase.key, count if isinstance(count, int) else None)
        return [self._line(text, phrase.args) for text in template.split("\n")]

    def _line(self, template: str, args: Mapping[str, Arg], *, bold: bool = False) -> Line:
        nodes: list[Node] = []
        end = 0
        for match in _MARKS.finditer(template):
            if match.start() > end:
                nodes.append(Text(template[end : match.start()], bold))
            nodes += self._marked(match, args, bold)
            end = match.end()
        if end < len(template):
            nodes.append(Text(template[end:], bold))
        return tuple(nodes)

    def _marked(self, match: re.Match[str], args: Mapping[str, Arg], bold: bool) -> list[Node]:
        if (inside := match["bold"]) is not None:
            return list(self._line(inside, args, bold=True))
        if (code := match["code"]) is not None:
            return [Code(code.replace("{prefix}", self._prefix))]
        if match["arg"] == "prefix":
            return [Text(self._prefix, bold)]
        return self._nodes(args[match["arg"]], bold)

    def _nodes(self, arg: Arg, bold: bool) -> list[Node]:
        match arg:
            case str():
                return [Text(arg, bold)]
            case int():
                return [Text(str(arg), bold)]
            case datetime():
                return [Text(self.moment(arg), bold)]
            case timedelta():
                return [Text(self.length(arg), bold)]
            case Who(person, name):
                return [Mention(person, name)]
            case LinkTo():
                return [Address(self._links(arg), "")]
            case Typed(line):
                return [Code(f"{self._prefix} {line}".strip())]
            case TextKey(key, args):
                lines = self._lines(Phrase(key, args))
                return [node for line in lines for node in line]
            case tuple():
                return self._listed(arg, bold)

    def _listed(self, items: tuple[Arg, ...], bold: bool) -> list[Node]:
        """Joined as the language lists things: `Ana, Bo and Cy`."""
        pattern = format_list([f"\0{i}\0" for i in range(len(items))], locale=self._texts.locale)
        nodes: list[Node] = []
        for i, part in enumerate(pattern.split("\0")):
            if i % 2:
                nodes += self._nodes(items[int(part)], bold)
            elif part:
                nodes.append(Text(part, bold))
        return nodes

    def moment(self, when: datetime) -> str:
        """`Tue 24 Nov, 09:30 (Europe/Paris)`."""
        local = when.astimezone(self._zone)
        day = format_skeleton("MMMEd", local, locale=self._texts.locale)
        clock = format_time(local, "HH:mm", locale=self._texts.locale)
        return f"{day}, {clock} ({self._zone.key})"

    def length(self, span: timedelta) -> str:
        """`40 seconds`, `42 minutes`, `1 hour 30 minutes`, `3 days 1 hour`: minutes from one on."""
        seconds = round(span.total_seconds())
        if seconds < _MINUTE:
            return self._counted(seconds, "second")
        minutes = round(seconds / _MINUTE)
        days, minutes = divmod(minutes, _DAY) if minutes > 2 * _DAY else (0, minutes)
        parts = ((days, "day"), (minutes // _HOUR, "hour"), (minutes % _HOUR, "minute"))
        return " ".join(self._counted(number, unit) for number, unit in parts if number)

    def _counted(self, number: int, unit: str) -> str:
        return format_unit(number, f"duration-{unit}", locale=self._texts.locale)
