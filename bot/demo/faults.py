"""What the tour can be made to fail at: faults that stand around the real parts, never in them."""

from enum import StrEnum

from bot.chat.console import LocalChat
from commands.errors import DirectRefused
from commands.services.joining import Joining
from commands.visits import View
from storage.records import Person


class Fault(StrEnum):
    BBB_DOWN = "bbb-down"  # nobody listens where the video server should be
    WRONG_SECRET = "wrong-secret"  # noqa: S105  # the bot signs with another secret than the server's
    CHAT_REFUSES = "chat-refuses"  # the chat takes no direct message of the bot
    JOIN_PAGE_500 = "join-page-500"  # a bug behind the join page
    LOST_REPLY = "lost-reply"  # the server creates meetings, and each time its answer is lost


class RefusingChat(LocalChat):
    """A chat whose people take no direct messages from the bot."""

    async def open_dm(self, person: Person) -> str:
        raise DirectRefused("takes no direct messages")


class BrokenJoining(Joining):
    """A join service that fails at every look."""

    async def look(self, token: str, cookie: str | None) -> View:
        raise RuntimeError("broken on purpose")
