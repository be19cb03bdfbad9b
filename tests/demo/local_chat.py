"""A local chat with Alice and Bob in #team, and nobody behind it."""

from datetime import UTC, datetime

from bot.chat.console import LocalChat
from commands.messages import Document, Node, Text
from commands.ports import Outgoing

TEAM = "#team"
AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def local_chat() -> LocalChat:
    chat = LocalChat(clock=lambda: AT, prefixes=["!bbb"])
    chat.add_person("alice", "Alice Martin")
    chat.add_person("bob", "Bob Keller")
    chat.add_channel(TEAM, TEAM, ["alice", "bob"], admins=["alice"])
    return chat


def from_bot(
    text: str, *more: Node, channel: str = TEAM, buttons: tuple[str, ...] = ()
) -> Outgoing:
    document = Document(((Text(text), *more),), buttons=buttons)
    return Outgoing(id=f"{channel}/{text}", channel=channel, document=document)
