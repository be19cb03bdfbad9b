"""`bbb-bot demo`: everything on this machine, in a browser and in the terminal, or as a tour."""

import asyncio
import os
import sys

from rich.console import Console

from bot.demo.faults import Fault
from bot.demo.leaving import leave_on_signals
from bot.demo.ports import NoFreePort
from bot.demo.quiet import log_in_single_lines
from bot.demo.scroll import Scroll
from bot.demo.speech import LocalCompany
from bot.demo.stage import TEAM, Stage
from bot.demo.terminal import End, Terminal
from bot.demo.tour import ALICE, Tour
from commands.i18n import LANGUAGES, Texts, texts

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130
CHATS = ("local", "matrix")
TOUR_SPEED = 10.0
"""In the tour time runs faster: in real time a card is edited at most every 15 s."""


def main(*, tour: bool, fault: str | None, chat: str, port: int, language: str) -> int:
    """Play the demo until it is left, or the tour to its end; give the exit code.

    0 well, 1 the tour failed or nothing could start, 2 wrong usage, 130 a tour was interrupted.
    """
    words = texts(language)
    if refusal := _refusal(words, tour=tour, fault=fault, chat=chat, language=language):
        Scroll(Console(stderr=True, highlight=False), words).note(refusal, "")
        return WRONG_USAGE
    log_in_single_lines()
    console = Console(highlight=False)
    try:
        return asyncio.run(_play(console, words, tour=tour, fault=fault, chat=chat, port=port))
    except NoFreePort:
        Scroll(console, words).note(words.plain("demo.no-port", port=port), "bold red")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _refusal(
    words: Texts, *, tour: bool, fault: str | None, chat: str, language: str
) -> str | None:
    """What is wrong with the options, or None."""
    faults = tuple(Fault)
    if language not in LANGUAGES:
        return _no_such(words, "language", language, LANGUAGES)
    if chat not in CHATS:
        return _no_such(words, "chat", chat, CHATS)
    if fault is not None and fault not in faults:
        return _no_such(words, "fault", fault, faults)
    if fault is not None and (not tour or chat != "local"):
        return words.plain("demo.fault-needs-tour", fault=fault)
    return None


def _no_such(words: Texts, what: str, typed: str, possible: tuple[str, ...]) -> str:
    return words.plain(f"demo.unknown-{what}", typed=typed, possible=", ".join(possible))


async def _play(
    console: Console, words: Texts, *, tour: bool, fault: str | None, chat: str, port: int
) -> int:
    if chat == "matrix":
        from bot.demo.matrix import play

        return await play(console, words, tour=tour, port=port)
    if tour:
        return await _tour(console, words, fault=Fault(fault) if fault else None, port=port)
    await _open(console, words, port=port)
    return 0


async def _tour(console: Console, words: Texts, *, fault: Fault | None, port: int) -> int:
    scroll = Scroll(console, words)
    stage = Stage(language=words.language, port=port, speed=TOUR_SPEED, fault=fault)
    async with stage:
        scroll.note(words.plain("demo.tour.begin"), "bold")
        company = LocalCompany(stage.chat, room=TEAM, texts=words)
        async with Tour(company, texts=words, scroll=scroll) as tour:
            return 0 if await tour.play() else FAILED


async def _open(console: Console, words: Texts, *, port: int) -> None:
    """Web chat and terminal, until somebody leaves by /quit, Ctrl-C or SIGTERM."""
    scroll = Scroll(console, words)
    left = leave_on_signals()
    async with Stage(language=words.language, port=port) as stage:
        terminal = Terminal(
            stage.chat, person=ALICE, channel=TEAM, language=words.language, console=console
        )
        _greet(stage, words, scroll)
        terminal.watch()  # to the very end: the bot finishes what it has begun
        await _until_left(terminal, left)
    scroll.note(words.plain("demo.next"), "bold")


def _greet(stage: Stage, words: Texts, scroll: Scroll) -> None:
    name = stage.chat.people[ALICE]
    scroll.note(words.plain("demo.start.chat", url=f"{stage.web}/"), "bold")
    scroll.note(words.plain("demo.start.video", url=stage.switches), "bold")
    scroll.note(words.plain("demo.start.type"))
    scroll.note(words.plain("demo.start.switch", name=name, channel=TEAM))


async def _until_left(terminal: Terminal, left: asyncio.Event) -> None:
    typing = asyncio.create_task(_type(terminal, left))
    await left.wait()
    typing.cancel()
    await asyncio.gather(typing, return_exceptions=True)


async def _type(terminal: Terminal, left: asyncio.Event) -> None:
    """Read what is typed. A pipe that ends leaves the web chat standing; Ctrl-D does not."""
    if sys.stdin is None or sys.stdin.closed:
        return
    keyboard = sys.stdin.fileno()
    if await terminal.read(keyboard) is End.LEFT or os.isatty(keyboard):
        left.set()
