"""What a command has to say, as letters for the outbox: to whom, in which thread, under which id.

The ids follow from the command, so that saying it again says nothing new.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from commands.messages import Message, to_json
from commands.services import cards
from commands.spec import Say
from storage.records import Command, Kind, Letter, Person, Priority


def letters_of(command: Command, said: Sequence[Say], *, now: datetime) -> list[Letter]:
    """One letter for each thing to say, in order."""
    return [_letter(command, number, one, now) for number, one in enumerate(said)]


def _letter(command: Command, number: int, one: Say, now: datetime) -> Letter:
    if one.card is not None:
        letter = cards.letter_of(one.card, letter_id=f"{one.card.id}/post")
        return replace(letter, reply_to=command.origin, priority=Priority.ANSWER)
    letter = Letter(
        id=_letter_id(command, number),
        platform=command.channel.platform,
        content=to_json(one.message or Message(())),
        created_at=now,
        priority=Priority.ANSWER,
    )
    if command.kind not in (Kind.WELCOME, Kind.GONE):
        asked = command.target or command.origin
        thread = None if command.direct else command.thread or asked
        letter = replace(letter, reply_to=asked, thread=thread)
    if one.to is not None:
        return _to_person(letter, command, one, one.to)
    return replace(letter, channel=command.channel.id)


def _letter_id(command: Command, number: int) -> str:
    """A hello is said once in a channel, however often the bot comes back."""
    if command.kind is Kind.WELCOME:
        said = f"moved:{command.target}" if command.target else "hello"
        return f"{said}:{command.channel.platform}:{command.channel.id}"
    return f"{command.id}/{number}"


def _to_person(letter: Letter, command: Command, one: Say, person: Person) -> Letter:
    fallback = to_json(one.fallback) if one.fallback and not command.direct else None
    return replace(
        letter,
        person=person.id,
        fallback=fallback,
        fallback_channel=command.channel.id if fallback else None,
    )
