"""All commands there are, found by verb."""

from collections.abc import Sequence
from difflib import get_close_matches

from commands.handlers import admin, calls, meetings, people, rooms
from commands.handlers.guidance import Help
from commands.permissions import Right
from commands.spec import Spec


class Table:
    """Commands by verb and alias."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        self.specs = tuple(specs)
        self._by_verb = {verb: spec for spec in specs for verb in (spec.verb, *spec.aliases)}

    def find(self, verb: str) -> Spec | None:
        return self._by_verb.get(verb)

    def nearest(self, verb: str) -> Spec | None:
        """The command a mistyped verb most likely means, or None; none that few may use."""
        known = [
            word
            for word, spec in self._by_verb.items()
            if word and spec.right is not Right.BOT_ADMIN
        ]
        longer = [word for word in known if len(verb) > 1 and word.startswith(verb)]
        close = longer or get_close_matches(verb, known, n=1, cutoff=0.6)
        return self._by_verb[close[0]] if close else None


_OWN = tuple(
    spec for theme in (meetings, rooms, calls, people, admin) for spec in theme.group.specs
)

COMMANDS = Table([*_OWN, Help(_OWN).spec])
"""Every command; `help` lists them in this order."""
