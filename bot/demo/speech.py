"""What the demo's windows show alike of a message, whatever chat it comes from. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.chat.console import BOT, LocalChat, Posted
from commands.i18n import Texts
from commands.messages import plain


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it shows now, in a room by its name; `direct` is the person who alone reads it.

    `edit` says that it stood there before with other words.
    """

    ref: str
    at: datetime
    room: str
    author: str
    text: str
    by_bot: bool
    direct: str | None = None
    edit: bool = False


Listener = Callable[[Heard], None]


class Company(Protocol):
    """People in one room of a chat with the bot, each with a direct chat with it."""

    def name(self, person: str) -> str:
        """What a person (`alice`, `bob`) is called."""

    async def says(self, person: str, text: str) -> None:
        """A person says something in the room."""

    def listen(self, heard: Listener) -> Callable[[], None]:
        """Call `heard` for every message, also edited ones; gives how to stop that."""


class LocalCompany:
    """The people of a local chat."""

    def __init__(self, chat: LocalChat, *, room: str, texts: Texts) -> None:
        self._chat = chat
        self._room = room
        self._texts = texts

    def name(self, person: str) -> str:
        return self._chat.people[person]

    async def says(self, person: str, text: str) -> None:
        await self._chat.says(person, self._room, text)

    def listen(self, heard: Listener) -> Callable[[], None]:
        return self._chat.listen(Hearing(self._chat, self._texts, heard))


class Hearing:
    """Messages of a local chat turned into what is heard; a new reaction alone is not heard."""

    def __init__(self, chat: LocalChat, texts: Texts, heard: Listener) -> None:
        self._chat = chat
        self._texts = texts
        self._heard = heard
        self._last: dict[str, str] = {}

    def __call__(self, post: Posted) -> None:
        text = words(post)
        if self._last.get(post.ref) != text:
            edit = post.ref in self._last
            self._last[post.ref] = text
            self._heard(self._as_heard(post, text, edit=edit))

    def _as_heard(self, post: Posted, text: str, *, edit: bool) -> Heard:
        channel = self._chat.channels[post.channel]
        return Heard(
            ref=post.ref,
            at=post.at,
            room=place(post.channel, self._chat, self._texts),
            author=author(post, self._chat),
            text=text,
            by_bot=post.author == BOT,
            direct=next(iter(channel.members)) if channel.direct else None,
            edit=edit,
        )


def on_clock(moment: datetime) -> str:
    """The time of day on this machine's clock: `09:30`."""
    return f"{moment.astimezone():%H:%M}"


def marks(post: Posted) -> tuple[str, ...]:
    """Reactions that stand under a message without being buttons, each once."""
    offered = post.document.buttons if post.document else ()
    return tuple(dict.fromkeys(key for key in post.reactions if key not in offered))


def words(post: Posted) -> str:
    """All a message says, as plain text; one or more lines."""
    return plain(post.document) if post.document else post.text


def author(post: Posted, chat: LocalChat) -> str:
    """Who speaks, by name."""
    return chat.people.get(post.author, post.author)


def place(channel_id: str, chat: LocalChat, texts: Texts) -> str:
    """What a channel is called: `#team`, or `Alice Martin, direct`."""
    channel = chat.channels[channel_id]
    if not channel.direct:
        return channel.name
    person = next(iter(channel.members))
    return texts.plain("demo.private", name=chat.people[person])
