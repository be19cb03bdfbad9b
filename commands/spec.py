"""How a command is declared: its verb, what it needs, what it takes. Dispatch and help read it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from commands.messages import Arg, Message, Style, message
from commands.permissions import Right, Standing
from commands.world import World
from storage.records import Card, Command, Person


@dataclass(frozen=True, slots=True)
class Say:
    """One thing to say: in the channel as an answer, or to one person directly.

    `card` is the card it posts, instead of a message. `fallback` is said in the channel when the
    person cannot be written to.
    """

    message: Message | None = None
    to: Person | None = None
    card: Card | None = None
    fallback: Message | None = None


def say(key: str, **args: Arg) -> Say:
    """An answer in the channel: one phrase, a notice."""
    return Say(message(key, style=Style.NOTICE, **args))


@dataclass(frozen=True, slots=True)
class Request:
    """A command about to run, by somebody of this standing, to be answered in this language."""

    command: Command
    standing: Standing
    language: str

    @property
    def cause(self) -> str:
        return self.command.id

    @property
    def person(self) -> Person:
        return self.command.person


@dataclass(frozen=True, slots=True)
class Takes:
    """What may follow a verb.

    `title`: free words, or in quotes; `flags`: single words with a meaning.
    """

    title: bool = False
    names: int = 0
    people: bool = False
    options: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    text: bool = False


@dataclass(frozen=True, slots=True)
class Args:
    """What did follow. `title` may be ""; `names` are up to `Takes.names` pieces."""

    title: str = ""
    names: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()


Handler = Callable[[World, Request, Args], Awaitable[list[Say]]]


@dataclass(frozen=True, slots=True)
class Spec:
    """One command.

    `usage` is what to type, `aliases` its verbs in other languages; `direct` whether it has a
    meaning in a direct message.
    """

    verb: str
    usage: str
    right: Right
    takes: Takes
    handler: Handler
    aliases: tuple[str, ...] = ()
    direct: bool = True

    @property
    def help_key(self) -> str:
        return f"help.{self.verb}"


class Group:
    """The commands of one theme, in the order in which they are declared."""

    def __init__(self) -> None:
        self.specs: list[Spec] = []

    def command(
        self,
        verb: str,
        usage: str,
        *,
        right: Right = Right.MEMBER,
        takes: Takes | None = None,
        aliases: tuple[str, ...] = (),
        direct: bool = True,
    ) -> Callable[[Handler], Handler]:
        """Declare the function below as a command."""

        def declare(handler: Handler) -> Handler:
            self.specs.append(Spec(verb, usage, right, takes or Takes(), handler, aliases, direct))
            return handler

        return declare
