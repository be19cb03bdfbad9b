"""What the gateway needs of the core: `commands.services.joining.Joining` is one."""

from typing import Protocol

from commands.visits import Outcome, Press, View


class Joining(Protocol):
    async def look(self, token: str, cookie: str | None) -> View:
        """What a link shows (GET, HEAD). Never writes, never calls BBB."""

    async def press(self, press: Press) -> Outcome:
        """The button (POST): asks the chat, creates the meeting, signs the way in."""

    async def ready(self, press: Press) -> bool:
        """Whether `press` would now be answered by something else than `Wait`. Reads only."""
