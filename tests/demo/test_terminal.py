"""The local chat in a terminal: who speaks where, and what is printed of it."""

import io
import os
import pty
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bot.chat.console import LocalChat
from bot.demo.lines import lines_of
from bot.demo.terminal import End, Terminal
from tests.demo.local_chat import TEAM, from_bot


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def terminal(chat: LocalChat, printed: io.StringIO) -> Iterator[Terminal]:
    console = Console(file=printed, width=40)
    terminal = Terminal(chat, person="alice", channel=TEAM, language="en", console=console)
    stop_watching = terminal.watch()
    yield terminal
    stop_watching()


async def typed(terminal: Terminal, *lines: str) -> End:
    """Let somebody type these lines into a pipe that is then closed."""
    reading, writing = os.pipe()
    os.write(writing, "".join(f"{line}\n" for line in lines).encode())
    os.close(writing)
    try:
        return await terminal.read(reading)
    finally:
        os.close(reading)


def said(chat: LocalChat) -> list[tuple[str, str, str]]:
    return [(post.author, post.channel, post.text) for post in chat.posts.values()]


async def test_a_line_is_said_by_alice_in_the_channel(chat: LocalChat, terminal: Terminal) -> None:
    await typed(terminal, "!bbb", "", "  ")
    assert said(chat) == [("alice", TEAM, "!bbb")]


async def test_as_dm_and_room_change_who_speaks_where(chat: LocalChat, terminal: Terminal) -> None:
    await typed(terminal, "/as bob", "one", "/dm", "two", "/room #team", "three", "/as @alice", "4")
    assert said(chat) == [
        ("bob", TEAM, "one"),
        ("bob", "dm:bob", "two"),
        ("bob", TEAM, "three"),
        ("alice", TEAM, "4"),
    ]


async def test_the_prefix_with_a_slash_is_said_and_not_taken_for_a_word_of_the_terminal(
    chat: LocalChat, terminal: Terminal
) -> None:
    await typed(terminal, "/bbb start")
    assert said(chat) == [("alice", TEAM, "/bbb start")]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/as eve", "Nobody here is called “eve”. There are: alice, bob"),
        ("/room #ops", "You are in no channel “#ops”. There are: #team"),
    ],
)
async def test_what_is_not_there_is_named_with_what_is(
    chat: LocalChat, terminal: Terminal, printed: io.StringIO, line: str, answer: str
) -> None:
    await typed(terminal, line, "hello")
    assert answer in printed.getvalue()
    assert said(chat) == [("alice", TEAM, "hello")]


async def test_quit_leaves_and_what_follows_is_not_said(
    chat: LocalChat, terminal: Terminal
) -> None:
    assert await typed(terminal, "one", "/quit", "two") is End.LEFT
    assert said(chat) == [("alice", TEAM, "one")]


async def test_the_end_of_the_input_is_no_wish_to_leave(terminal: Terminal) -> None:
    assert await typed(terminal, "one") is End.CLOSED


async def test_messages_and_their_edits_are_printed_once_each_with_author_and_place(
    chat: LocalChat, terminal: Terminal, printed: io.StringIO
) -> None:
    await chat.says("bob", TEAM, "hello")
    ref = await chat.send(from_bot("nobody is inside"))
    await chat.edit(ref, from_bot("one is inside"))
    await chat.react(TEAM, ref, "✅")
    await chat.send(from_bot("for you alone", channel=chat.direct_channel("bob")))
    lines = [line.partition("  ")[2] for line in printed.getvalue().splitlines()]
    assert lines == [
        "#team  Bob Keller: hello",
        "#team  bbb-bot: nobody is inside",
        "#team  bbb-bot (edited): one is inside",
        "Bob Keller, direct  bbb-bot: for you alone",
    ]


async def test_nobody_can_colour_the_screen_or_forge_markup(
    chat: LocalChat, terminal: Terminal, printed: io.StringIO
) -> None:
    chat.people["bob"] = "\x1b[31mBob[bold]"
    await chat.says("bob", TEAM, "\x1b]0;title\x07 [red]hello[/red]\r")
    assert "\x1b" not in printed.getvalue() and "\r" not in printed.getvalue()
    assert "Bob[bold]" in printed.getvalue() and "[red]hello[/red]" in printed.getvalue()


async def test_on_a_screen_a_prompt_says_who_would_speak_where(
    chat: LocalChat, terminal: Terminal, printed: io.StringIO
) -> None:
    keyboard, screen = pty.openpty()
    try:
        os.write(keyboard, b"/as bob\n/dm\n/quit\n")
        assert await terminal.read(screen) is End.LEFT
    finally:
        os.close(keyboard)
        os.close(screen)
    assert "alice #team> " in printed.getvalue()
    assert "bob #team> " in printed.getvalue()
    assert "bob Bob Keller, direct> " in printed.getvalue()


async def test_lines_of_a_plain_file_are_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "typed"
    file.write_bytes("one\ntwo – ü\nlast".encode())
    with file.open() as typed_before:
        assert [line async for line in lines_of(typed_before.fileno())] == [
            "one",
            "two – ü",
            "last",
        ]


async def test_a_letter_that_arrives_in_two_pieces_stays_whole() -> None:
    reading, writing = os.pipe()
    lines = lines_of(reading)
    os.write(writing, "ü\nx".encode() + "é".encode()[:1])
    assert await anext(lines) == "ü"
    os.write(writing, "é".encode()[1:] + b"\n")
    assert await anext(lines) == "xé"
    os.close(writing)
    assert [line async for line in lines] == []
    os.close(reading)
