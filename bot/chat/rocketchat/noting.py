"""What is received, noted on its way: where a message stands need not be asked to answer it."""

from collections.abc import Callable, Sequence

from bot.chat.base import Intake
from storage.records import Channel, Command, Person


class Noting:
    """An `Intake`: the one behind it, and `note(message id, room id)` before each command."""

    def __init__(self, intake: Intake, note: Callable[[str, str], None]) -> None:
        self._intake = intake
        self._note = note

    async def accept(
        self, platform: str, position: str | None, commands: Sequence[Command]
    ) -> None:
        """The server puts a reply, and what a reaction stands on, into one room with it."""
        for command in commands:
            for ref in filter(None, (command.origin, command.thread, command.target)):
                self._note(ref, command.channel.id)
        await self._intake.accept(platform, position, commands)

    async def position(self, platform: str) -> str | None:
        return await self._intake.position(platform)

    async def person_arrived(self, person: Person) -> None:
        await self._intake.person_arrived(person)

    async def unreadable(self, channel: Channel, ref: str) -> None:
        await self._intake.unreadable(channel, ref)
