"""Messages printed in a terminal, in the order they come."""

from rich.console import Console
from rich.text import Text

from bot.demo.speech import Heard, on_clock
from commands.i18n import Texts

_INDENT = "\n       "


class Scroll:
    """Prints what is heard, and notes beside it."""

    def __init__(self, console: Console, texts: Texts) -> None:
        self._console = console
        self._texts = texts

    def show(self, heard: Heard) -> None:
        """Print a message; an edited one is printed again."""
        edited = f" ({self._texts.plain('demo.edited')})" if heard.edit else ""
        line = Text.assemble(
            (f"{on_clock(heard.at)}  {printable(heard.room)}  ", "dim"),
            (printable(heard.author), "bold cyan" if heard.by_bot else "bold green"),
            (edited, "dim"),
            f": {printable(heard.text)}".replace("\n", _INDENT),
        )
        self._console.print(line, soft_wrap=True)

    def note(self, text: str, style: str = "dim") -> None:
        """Print a line that is not part of the chat."""
        self._console.print(Text(printable(text), style=style), soft_wrap=True)


def printable(text: str) -> str:
    """The text without characters that would move the cursor or colour the screen."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)
