"""The local chat in a terminal: lines in as somebody, messages out as they come."""

import os
from collections.abc import Callable
from enum import Enum, auto

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text

from bot.chat.console import LocalChat
from bot.demo import speech
from bot.demo.lines import lines_of
from bot.demo.scroll import Scroll
from bot.demo.speech import Heard, Hearing
from commands.errors import ChatRefused
from commands.i18n import texts

_FRESH_LINE = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))


class Keyboard:
    """What is typed, as somebody, somewhere; `/as`, `/room`, `/dm` and `/quit` are the window's."""

    def __init__(
        self,
        chat: LocalChat,
        *,
        person: str,
        channel: str,
        language: str,
        note: Callable[[str], None],
    ) -> None:
        self._chat = chat
        self._person = person
        self._home = self._channel = channel
        self._texts = texts(language)
        self._note = note

    @property
    def prompt(self) -> str:
        """Who would speak now, and where."""
        return f"{self._person} {speech.place(self._channel, self._chat, self._texts)}> "

    async def take(self, line: str) -> bool:
        """Do what a line says; False when it says to leave."""
        word, _, rest = line.strip().partition(" ")
        match word:
            case "/quit":
                return False
            case "/as":
                self._become(rest.strip().lstrip("@"))
            case "/room":
                self._enter(rest.strip() or self._home)
            case "/dm":
                self._channel = self._chat.direct_channel(self._person)
            case _:
                await self._say(line.strip())
        return True

    def _become(self, person: str) -> None:
        if person not in self._chat.people:
            people = ", ".join(self._chat.people)
            self._note(self._texts.plain("demo.as.unknown", name=person, people=people))
            return
        self._person, self._channel = person, self._home
        self._note(self._texts.plain("demo.as", name=self._chat.people[person]))

    def _enter(self, channel: str) -> None:
        there = {c.id for c in self._chat.channels.values() if self._person in c.members}
        if channel in there:
            self._channel = channel
            return
        shown = ", ".join(sorted(there))
        self._note(self._texts.plain("demo.room.unknown", channel=channel, channels=shown))

    async def _say(self, text: str) -> None:
        if not text:
            return
        try:
            await self._chat.says(self._person, self._channel, text)
        except ChatRefused:
            self._enter(self._channel)


class End(Enum):
    """Why nothing more is typed."""

    LEFT = auto()  # by /quit
    CLOSED = auto()  # the input is over


class Terminal:
    """Both directions. On a screen a prompt stands under what was said last."""

    def __init__(
        self, chat: LocalChat, *, person: str, channel: str, language: str, console: Console
    ) -> None:
        self._chat = chat
        self._console = console
        self._texts = texts(language)
        self._scroll = Scroll(console, self._texts)
        self._keyboard = Keyboard(
            chat, person=person, channel=channel, language=language, note=self._scroll.note
        )
        self._prompted = False

    def watch(self) -> Callable[[], None]:
        """Show what is said from now on; gives how to stop that."""
        return self._chat.listen(Hearing(self._chat, self._texts, self._show))

    async def read(self, fd: int) -> End:
        """Take lines from a file descriptor until there are no more, or one says to leave."""
        self._prompted = os.isatty(fd)
        self._prompt()
        try:
            async for line in lines_of(fd):
                if not await self._keyboard.take(line):
                    return End.LEFT
                self._prompt()
            return End.CLOSED
        finally:
            self._prompted = False

    def _show(self, heard: Heard) -> None:
        if self._prompted:
            self._console.control(_FRESH_LINE)
        self._scroll.show(heard)
        self._prompt()

    def _prompt(self) -> None:
        if self._prompted:
            self._console.print(Text(self._keyboard.prompt, style="dim"), end="")
