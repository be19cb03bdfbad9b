"""Asks in a terminal or along a pipe; in a terminal, secrets are typed without being shown."""

import select
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

_QUIET = 0.3
"""Seconds without a key after which a pasted text is over."""
_ECHO_AT = 3
"""Where `termios.tcgetattr` keeps the local modes."""


class NoMoreAnswers(Exception):
    """The input ended before the last question."""


class Terminal:
    """One conversation, a line at a time."""

    def __init__(self, answers: TextIO | None = None, words: TextIO | None = None) -> None:
        """Standard input and output, where nothing else is given."""
        self._answers = answers or sys.stdin
        self._words = words or sys.stdout

    def say(self, text: str = "") -> None:
        self._words.write(f"{text}\n")
        self._words.flush()

    def ask(self, prompt: str, *, hidden: bool = False) -> str:
        """One line, trimmed; `hidden` is not shown while it is typed. Raises NoMoreAnswers."""
        if not hidden:
            return self._line(prompt)
        with self._without_echo():
            return self._line(prompt)

    def ask_for_paste(self, prompt: str, lacking: Callable[[str], str]) -> str:
        """Lines until `lacking(text)`, the next prompt, is empty; what comes with them is dropped.

        Nothing of it is shown. Raises NoMoreAnswers.
        """
        text = ""
        with self._without_echo():
            while prompt:
                text += f"{self._line(prompt)}\n"
                prompt = lacking(text)
                while prompt and self._more_is_coming():
                    text += f"{self._line('')}\n"
                    prompt = lacking(text)
        return text

    def _line(self, prompt: str) -> str:
        self._words.write(prompt)
        self._words.flush()
        line = self._answers.readline()
        if not line:
            raise NoMoreAnswers
        return line.strip()

    def _more_is_coming(self) -> bool:
        """Whether another line of a paste follows; along a pipe nobody waits for a prompt."""
        if not self._answers.isatty():
            return True
        return bool(select.select([self._answers], [], [], _QUIET)[0])

    @contextmanager
    def _without_echo(self) -> Iterator[None]:
        if not self._answers.isatty():
            yield
            return
        modes = termios.tcgetattr(self._answers)
        silent = [*modes]
        silent[_ECHO_AT] = modes[_ECHO_AT] & ~termios.ECHO
        termios.tcsetattr(self._answers, termios.TCSADRAIN, silent)
        try:
            yield
            # the rest of a paste holds the secret once more
            while self._more_is_coming() and self._answers.readline():
                pass
        finally:
            termios.tcsetattr(self._answers, termios.TCSAFLUSH, modes)
            self.say()
