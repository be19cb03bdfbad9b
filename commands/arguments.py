"""The pieces of a typed line as one command takes them; what is left over is refused. Pure."""

from collections import deque
from collections.abc import Iterable

from commands.errors import UserError
from commands.grammar import Kind, Parsed, Piece
from commands.messages import Typed
from commands.options import is_value, unknown
from commands.spec import Args, Spec

_SWITCHES = frozenset({"record", "mute", "lobby"})
"""Options that are also said by their bare word."""


def arguments(parsed: Parsed, spec: Spec) -> Args:
    """What this command gets. Raises UserError that names what does not belong there."""
    if spec.takes.text:
        return Args(title=parsed.rest)
    reader = _Reader(spec, parsed.pieces)
    reader.read()
    return reader.args()


class _Reader:
    def __init__(self, spec: Spec, pieces: Iterable[Piece]) -> None:
        self._spec = spec
        self._pieces = deque(pieces)
        self._free: list[str] = []
        self._titles: list[str] = []
        self._in_order: list[str] = []
        self._people: list[str] = []
        self._options: dict[str, str] = {}
        self._flags: set[str] = set()

    def read(self) -> None:
        while self._pieces:
            piece = self._pieces.popleft()
            match piece.kind:
                case Kind.TITLE:
                    self._titles.append(piece.text)
                    self._in_order.append(piece.text)
                case Kind.OPTION:
                    self._option(piece.key, piece.text)
                case Kind.PERSON if self._spec.takes.people:
                    self._people.append(piece.text)
                case _:
                    self._word(piece.text)

    def _word(self, text: str) -> None:
        word = text.casefold()
        takes = self._spec.takes
        if word in takes.flags:
            self._flags.add(word)
        elif word == "for" and "for" in takes.options and self._value_follows(word):
            self._options[word] = self._pieces.popleft().text
        elif word in _SWITCHES & takes.options:
            self._options[word] = self._value_after(word)
        else:
            self._free.append(text)
            self._in_order.append(text)

    def _value_after(self, key: str) -> str:
        """The next piece where it is a value of this option, else nothing."""
        return self._pieces.popleft().text if self._value_follows(key) else ""

    def _value_follows(self, key: str) -> bool:
        following = self._pieces[0] if self._pieces else None
        return (
            following is not None and following.kind is Kind.WORD and is_value(key, following.text)
        )

    def _option(self, key: str, value: str) -> None:
        if key in self._spec.takes.flags and not value:
            self._flags.add(key)
        elif key in self._spec.takes.options:
            self._options[key] = value or self._value_after(key)
        else:
            raise unknown(key, self._spec.usage)

    def args(self) -> Args:
        names, title, left = self._names(), "", self._free + self._titles
        if self._spec.takes.names:
            left = left if len(names) > self._spec.takes.names else []
        elif self._spec.takes.title:
            title = " ".join(self._titles or self._free)
            left = self._titles[1:] or (self._free if self._titles else [])
        if left:
            raise UserError("e.leftover", word=left[0], usage=Typed(self._spec.usage))
        return Args(title, names, tuple(self._people), self._options, frozenset(self._flags))

    def _names(self) -> tuple[str, ...]:
        """One name may be several words without quotation marks; of two each is one piece."""
        if self._spec.takes.names == 1 and not self._titles:
            return (" ".join(self._free),) if self._free else ()
        return tuple(self._in_order) if self._spec.takes.names else ()
