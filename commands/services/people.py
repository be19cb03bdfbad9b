"""What a person or a channel set for themselves, and what is kept of a person until `forget-me`."""

from dataclasses import replace

from commands.errors import UserError
from commands.i18n import LANGUAGES
from commands.world import World
from storage.records import Channel, Person, PersonRow

LANGUAGE_NAMES = {"en": "English", "fr": "français", "de": "Deutsch"}
_TYPED = {name.casefold(): code for code, name in LANGUAGE_NAMES.items()} | {
    code: code for code in LANGUAGES
}


def language(typed: str) -> str:
    """The code of a language as typed (`fr`, `français`). Raises UserError."""
    code = _TYPED.get(typed.casefold())
    if code is None:
        raise UserError("e.language", typed=typed or "?", possible=", ".join(LANGUAGES))
    return code


async def set_channel_language(world: World, channel: Channel, code: str) -> None:
    await world.store.set_channel(channel, "language", code)


async def set_own_language(world: World, person: Person, code: str) -> None:
    row = await world.store.person(person) or PersonRow(person)
    await world.store.put_person(replace(row, language=code))


async def forget(world: World, person: Person) -> None:
    """Take away what is kept of a person: links, browsers, pseudonym, language."""
    await world.store.forget_person(person, at=world.clock())
