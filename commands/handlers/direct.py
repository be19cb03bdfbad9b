"""Answers that belong to one person: the secret by direct message, a word in the channel."""

from commands.messages import Message, Phrase, Style, Typed, message
from commands.spec import Request, Say, say
from storage.records import Person


def direct(
    person: Person, *phrases: Phrase, language: str | None = None, blocked: str = "direct.blocked"
) -> Say:
    """Something for one person alone. Should they not be reachable, the channel hears how to be."""
    return Say(
        Message(phrases, style=Style.TEXT, language=language),
        to=person,
        fallback=message(blocked, write=Typed("join")),
    )


def by_direct_message(request: Request, *phrases: Phrase) -> list[Say]:
    """To the asker alone; a channel is told that it was sent, a direct channel needs no word."""
    told = direct(request.person, *phrases, language=request.language, blocked="direct.blocked_you")
    return [told] if request.command.direct else [told, say("direct.sent")]
