"""help: what the asker may type here, and how one command is typed."""

from collections.abc import Sequence

from commands.errors import UserError
from commands.messages import Message, Phrase, TextKey, Typed
from commands.options import TYPED
from commands.permissions import Right, may
from commands.spec import Args, Request, Say, Spec, Takes


class Help:
    """Help is made of the commands' own declarations, so it cannot lag behind them."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        self._specs = specs
        # Who may do what is asked of the chat only where there is something to hide.
        hides = any(spec.right is Right.ADMIN for spec in specs)
        right = Right.MEMBER if hides else Right.ANYONE
        self.spec = Spec(
            "help", "help [VERB]", right, Takes(names=1), self.run, ("aide", "hilfe", "?")
        )

    async def run(self, world: object, request: Request, args: Args) -> list[Say]:
        if args.names:
            return [self._one(request, args.names[0])]
        lines = [Phrase("help.head")]
        for spec in self._specs:
            if may(spec.right, request.standing) and (spec.direct or not request.command.direct):
                lines.append(_line(spec))
        lines.append(Phrase("help.more", {"one": Typed("help start")}))
        return [Say(Message(tuple(lines)))]

    def _one(self, request: Request, verb: str) -> Say:
        word = verb.casefold()
        found = next((s for s in [*self._specs, self.spec] if word in (s.verb, *s.aliases)), None)
        if found is None or not may(found.right, request.standing):
            raise UserError("e.unknown", verb=verb, help=Typed("help"))
        lines = [_line(found)]
        if found.takes.options:
            typed = ", ".join(TYPED[key] for key in sorted(found.takes.options))
            lines.append(Phrase("help.options", {"options": typed}))
        if names := ", ".join(alias for alias in found.aliases if alias):
            lines.append(Phrase("help.aliases", {"aliases": names}))
        return Say(Message(tuple(lines)))


def _line(spec: Spec) -> Phrase:
    return Phrase("help.line", {"usage": Typed(spec.usage), "what": TextKey(spec.help_key)})
