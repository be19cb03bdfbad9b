"""What could not be delivered: shown to the bot's admins, sent again or forgotten."""

from commands.cleaning import clean
from commands.errors import UserError
from commands.messages import Arg, Phrase, TextKey, Typed, Who, from_json
from commands.world import World
from storage.records import Channel, DeadLetter, Person, Priority

SHOWN = 20


async def listed(world: World) -> list[Phrase]:
    """The letters given up, the last one first: what, where to, why, when; never what they say."""
    waiting, dead = await world.store.letter_counts()
    lines = [Phrase("outbox.dead", {"n": dead}) if dead else Phrase("outbox.none")]
    lines += [await _line(world, each) for each in await world.store.dead_letters(limit=SHOWN)]
    if dead > SHOWN:
        lines.append(Phrase("outbox.more", {"n": dead - SHOWN}))
    if dead:
        lines.append(
            Phrase(
                "outbox.how",
                {"retry": Typed("admin outbox retry N"), "drop": Typed("admin outbox drop N")},
            )
        )
    if waiting:
        lines.append(Phrase("outbox.waiting", {"n": waiting}))
    if commands := await world.store.dead_commands():
        lines.append(Phrase("outbox.commands", {"n": commands}))
    return lines


async def retry(world: World, typed: str, cause: str) -> list[int]:
    """Send letters given up again; gives their numbers. Raises UserError when there are none."""
    return _found(await world.store.retry_letters(numbers(typed), cause=cause), typed)


async def drop(world: World, typed: str, cause: str) -> list[int]:
    """Forget letters given up; gives their numbers. Raises UserError when there are none."""
    at = world.clock()
    return _found(await world.store.drop_letters(numbers(typed), at=at, cause=cause), typed)


def numbers(typed: str) -> list[int] | None:
    """The number meant by `17` or `#17`; None for `all`. Raises UserError."""
    word = typed.casefold().removeprefix("#")
    if word == "all":
        return None
    if not (word.isascii() and word.isdigit() and len(word) < 16):
        raise UserError("e.dead_number", typed=clean(typed), list=Typed("admin outbox"))
    return [int(word)]


def _found(settled: list[int], typed: str) -> list[int]:
    if not settled:
        raise UserError("e.no_dead_letter", typed=clean(typed), list=Typed("admin outbox"))
    return settled


async def _line(world: World, letter: DeadLetter) -> Phrase:
    return Phrase(
        "outbox.line",
        {
            "number": letter.number,
            "what": _what(letter),
            "where": await _where(world, letter),
            "why": TextKey(f"dead.{letter.reason}", {"detail": letter.error or "–"}),
            "at": letter.dead_at,
        },
    )


def _what(letter: DeadLetter) -> TextKey:
    """Which kind of message it is, and the key of its first text."""
    if letter.card:
        kind = "card"
    elif letter.person:
        kind = "direct"
    else:
        kind = "answer" if letter.priority == Priority.ANSWER else "notice"
    return TextKey(f"what.{kind}", {"text": _first_key(letter)})


def _first_key(letter: DeadLetter) -> str:
    try:
        return next((phrase.key for phrase in from_json(letter.content).phrases), "?")
    except (KeyError, ValueError):
        return "?"


async def _where(world: World, letter: DeadLetter) -> Arg:
    if letter.person is not None:
        person = Person(letter.platform, letter.person)
        return Who(person, await world.name_of(person) or person.id)
    return await world.place_of(Channel(letter.platform, letter.channel or ""))
