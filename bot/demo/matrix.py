"""`bbb-bot demo --chat matrix`: the same on a Synapse that is started for it, on this machine."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rich.console import Console

from bot.chat.matrix.adapter import MatrixAdapter
from bot.demo.leaving import leave_on_signals
from bot.demo.matrix_client import MatrixPerson
from bot.demo.matrix_company import MatrixCompany
from bot.demo.ports import free_ports
from bot.demo.scroll import Scroll
from bot.demo.stage import Studio, temporary_directory
from bot.demo.synapse import Account, Synapse, SynapseFailed, SynapseMissing
from bot.demo.tour import Tour
from commands.i18n import Texts

NAMES = {"alice": "Alice Martin", "bob": "Bob Keller", "bbb-bot": "bbb-bot"}
PASSWORD = "demo"  # noqa: S105  (it is shown)
ROOM = "team"
ENTER_SECONDS = 30.0
TOUR_SPEED = 5.0
"""Not more: the homeserver's clock is real, and the bot leaves commands undone that look old."""


@dataclass(frozen=True, slots=True)
class MatrixStage:
    """Where it plays: people by their local part, the room that all are in."""

    homeserver: str
    people: Mapping[str, MatrixPerson]
    bot: str
    room: str


async def play(console: Console, words: Texts, *, tour: bool, port: int) -> int:
    """Until Ctrl-C, or the tour to its end; give the exit code, 1 when Synapse cannot be had."""
    scroll = Scroll(console, words)
    scroll.note(words.plain("demo.matrix.starting"))
    left = None if tour else leave_on_signals()
    try:
        async with staged(words.language, port=port, tour=tour) as stage:
            if left is None:
                return await _tour(stage, words, scroll)
            _greet(stage, words, scroll)
            await left.wait()
    except SynapseMissing as error:
        scroll.note(words.plain("demo.matrix.missing", command=error.command), "bold red")
        return 1
    except SynapseFailed as error:
        scroll.note(words.plain("demo.matrix.failed", why=str(error)), "bold red")
        return 1
    scroll.note(words.plain("demo.next"), "bold")
    return 0


@asynccontextmanager
async def staged(language: str, *, port: int, tour: bool) -> AsyncIterator[MatrixStage]:
    """Synapse, BBB, the bot and its pages. Raises SynapseMissing, SynapseFailed, NoFreePort.

    In a tour direct messages are not encrypted: its people are too simple to read others.
    """
    async with AsyncExitStack() as stack:
        directory = temporary_directory(stack)
        synapse = await stack.enter_async_context(Synapse(directory / "synapse"))
        accounts = {name: await synapse.register(name, password=PASSWORD) for name in NAMES}
        speed = TOUR_SPEED if tour else 1.0
        studio = Studio(language=language, speed=speed, fault=None, stack=stack)
        pages, video = free_ports(port, 2)
        adapter = _adapter(synapse.url, accounts["bbb-bot"], directory, encryption=not tour)
        await studio.open(adapter, directory=directory / "data", pages=pages, video=video)
        people = {
            name: await stack.enter_async_context(MatrixPerson(synapse.url, account))
            for name, account in accounts.items()
        }
        await _introduce(people)
        bot = people.pop("bbb-bot").user_id
        yield MatrixStage(synapse.url, people, bot, await _common_room(people, bot))


def _adapter(url: str, account: Account, directory: Path, *, encryption: bool) -> MatrixAdapter:
    return MatrixAdapter(
        homeserver=url,
        user_id=account.user_id,
        device_id=account.device_id,
        access_token=account.access_token,
        store_dir=directory / "matrix",
        identity_file=directory / "cross-signing.json",
        pickle_key=secrets.token_hex(32),
        prefixes=("!bbb",),
        encryption=encryption,
    )


async def _introduce(people: Mapping[str, MatrixPerson]) -> None:
    """Give everybody a name to be shown by."""
    for name, person in people.items():
        path = f"/profile/{quote(person.user_id)}/displayname"
        await person.ask("PUT", path, {"displayname": NAMES[name]})


async def _common_room(people: Mapping[str, MatrixPerson], bot: str) -> str:
    """A room of Alice's with everybody in it; the bot accepts by itself. Raises SynapseFailed."""
    alice, bob = people["alice"], people["bob"]
    room = await alice.create_room(invite=[bob.user_id, bot], name=ROOM)
    await bob.join(room)
    try:
        async with asyncio.timeout(ENTER_SECONDS):
            since = None
            while bot not in await _members(alice, room):
                since = (await alice.sync(since, wait_ms=1_000))["next_batch"]
    except TimeoutError:
        raise SynapseFailed("the bot did not come into the room") from None
    return room


async def _members(person: MatrixPerson, room: str) -> Mapping[str, object]:
    answer = await person.ask("GET", f"/rooms/{quote(room)}/joined_members")
    joined: Mapping[str, object] = answer["joined"]
    return joined


async def _tour(stage: MatrixStage, words: Texts, scroll: Scroll) -> int:
    scroll.note(words.plain("demo.tour.begin.matrix"), "bold")
    company = MatrixCompany(stage.people, NAMES, room=stage.room, bot=stage.bot, texts=words)
    async with company, Tour(company, texts=words, scroll=scroll) as tour:
        return 0 if await tour.play() else 1


def _greet(stage: MatrixStage, words: Texts, scroll: Scroll) -> None:
    scroll.note(words.plain("demo.matrix.open"), "bold")
    scroll.note(words.plain("demo.matrix.homeserver", url=stage.homeserver))
    for name in stage.people:
        scroll.note(words.plain("demo.matrix.account", name=name, password=PASSWORD))
    scroll.note(words.plain("demo.matrix.room", room=ROOM))
