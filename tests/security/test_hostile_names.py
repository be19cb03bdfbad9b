"""Hostile names in every place a name goes: chat, page, BBB, log, the demo's web chat.

Each is shown as characters and means nothing. HTML is read by Lexbor, a parser of browsers' rules.
"""

from __future__ import annotations

import json
import logging
import random
import re
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

import httpx
import pytest
from defusedxml.ElementTree import fromstring
from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.bbb.parameters import create_parameters, join_parameters, message_parameters
from bot.bbb.sign import query
from bot.chat.console import BOT, Posted
from bot.chat.matrix.rendering import content_of, edited
from bot.demo.webchat.rendering import message as webchat_message
from bot.logs import JsonFormatter, Redaction, TextFormatter
from bot.web.limits import Limits
from commands.cleaning import LONGEST_NAME, clean
from commands.i18n import LANGUAGES, Renderer, texts
from commands.messages import (
    Address,
    Code,
    Document,
    LinkTo,
    Mention,
    Message,
    Phrase,
    Text,
    Typed,
    Who,
)
from commands.ports import MeetingPlan, Membership, Policy, Rights, Seat
from commands.visits import Refused
from storage.records import LinkKind, Person
from tests.conftest import Proof
from tests.security.company import ANA, TEAM, company
from tests.security.hostile_names import KEPT, ROWS, names
from tests.web.world import GUEST, PERSONAL, PUBLIC, VIEWS, Browser, World

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LINK = "https://calls.example.org/j/0123456789abcdefghijkl"
ALLOWED = {"a": ["href"], "strong": [], "code": [], "br": []}
XML_CHARACTERS = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls of both kinds, line ends, what turns text round, half characters."""


@pytest.fixture
def hostile(proof: Proof) -> list[str]:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    found = list(names(seed, proof.amount(5_000, long=100_000)))
    proof.measured(seed=seed, names=len(found))
    return found


promise = pytest.mark.promise


# --- the name itself -----------------------------------------------------------------------------


@promise("Hostile names: cleaned, they are one line of visible characters.")
def test_cleaned(hostile: list[str]) -> None:
    for name in hostile:
        shown = clean(name)
        assert len(shown) <= LONGEST_NAME
        assert not UNSEEN.search(shown), ascii(name)
        assert XML_CHARACTERS.fullmatch(shown), ascii(name)
        hidden = {char for char in shown if unicodedata.category(char) == "Cf"}
        assert hidden <= {"\u200d"}, ascii(name)


@pytest.mark.parametrize("name", KEPT)
def test_what_is_a_name_stays(name: str) -> None:
    assert clean(name) == name


# --- Matrix --------------------------------------------------------------------------------------


def said_with(name: str) -> list[Message]:
    """Messages that carry a name: a card, a list, an answer with something to type."""
    who, link = Who(ANA, name), LinkTo(LinkKind.ROOM, "room-1", 1)
    card = (Phrase("card.open", {"topic": name, "who": who}), Phrase("card.join", {"link": link}))
    rooms = Phrase("rooms.line", {"room": name, "link": link})
    taken = Phrase("e.room_exists", {"room": name, "join": Typed(f'join "{name}"')})
    inside = Phrase("who.inside", {"topic": name, "n": 2, "names": (name, name)})
    return [Message(card), Message((rooms, taken)), Message((inside,))]


@promise("Hostile names: Matrix HTML holds allowed tags only, and nobody is pinged.")
def test_in_matrix(hostile: list[str]) -> None:
    renderers = [
        Renderer(language=language, zone="UTC", prefix="!bbb", links=lambda goal: LINK)
        for language in LANGUAGES
    ]
    for number, name in enumerate(hostile):
        renderer = renderers[number % len(renderers)]
        shown = clean(name)
        for message in said_with(shown):
            content = content_of(renderer.document(message))
            assert read_matrix(content["formatted_body"]).count(shown) >= 1, ascii(name)
            assert shown in content["body"]
            check_content(content)
            check_content(edited(renderer.document(message), "$card"))


@promise("Hostile names: even uncleaned they are no markup in Matrix.")
def test_uncleaned_in_matrix(hostile: list[str]) -> None:
    """Should a name ever come by unwashed: it is only ugly."""
    for name in hostile:
        person = Person("matrix", f"@{name}:here.example")
        nodes = (
            Text(name, bold=True),
            Code(name),
            Mention(person, name),
            Address(LINK + name, name),
        )
        content = content_of(Document((nodes, (Text(name),))))
        read_matrix(content["formatted_body"])
        check_content(content)


def check_content(content: dict[str, object]) -> None:
    """It can be sent, and means nobody."""
    json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    assert content["m.mentions"] == {}
    assert content.get("m.new_content", {"m.mentions": {}})["m.mentions"] == {}  # type: ignore[index]


def read_matrix(html: str) -> str:
    """The text of a formatted body. Raises AssertionError for a tag or attribute not allowed."""
    body = LexborHTMLParser(html).body
    assert body is not None
    for node in body.traverse(include_text=False):
        if node is body or node.tag == "body":
            continue
        assert node.tag in ALLOWED, node.html
        assert sorted(node.attributes) == ALLOWED[str(node.tag)], node.html
        href = node.attributes.get("href")
        assert href is None or href.startswith(("https://calls.example.org/", "https://matrix.to/"))
    return body.text()


# --- pages ---------------------------------------------------------------------------------------


def skeleton(html: str) -> list[tuple[str | None, tuple[str, ...]]]:
    """Every element of a page with its attributes' names, in order."""
    root = LexborHTMLParser(html).root
    assert isinstance(root, LexborNode)
    return [
        (node.tag, tuple(sorted(node.attributes))) for node in root.traverse(include_text=False)
    ]


async def check_pages(page: Callable[[str], Awaitable[str]], names: Sequence[str]) -> None:
    """A page has the same elements and attributes, whatever somebody is called."""
    expected = skeleton(await page("Ana"))
    for name in names:
        html = await page(name)
        assert skeleton(html) == expected, ascii(name)


@pytest.fixture
def house() -> World:
    """A gateway with limits that never bite."""
    return World(limits=Limits(10**9, 10**9, 10**9))


@promise("Hostile names: the join page gets no element and no attribute from them.")
async def test_on_the_join_page(hostile: list[str], house: World) -> None:
    browser = Browser(house.app())

    async def page(name: str) -> str:
        shown = clean(name) or "x"
        house.joining.show(PERSONAL, topic=shown, channel=shown, name=shown, others=(shown,))
        answer = await browser.open(PERSONAL)
        assert answer.status_code == HTTPStatus.OK
        assert shown in LexborHTMLParser(answer.text).css_first("h1").text()
        return answer.text

    await check_pages(page, hostile)


async def test_what_a_guest_typed_comes_back_as_a_value(house: World) -> None:
    """In the form that is shown again it stands as typed, uncleaned."""
    browser = Browser(house.app())
    house.joining.refusal = Refused("pages.refused.name", VIEWS[GUEST], field="name")

    async def page(name: str) -> str:
        typed = name.encode("utf-8", "replace").decode()
        answer = await browser.open_and_press(GUEST, name=typed)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        return answer.text

    await check_pages(page, [name for name in ROWS if len(name) < 1_000])


@promise("Hostile names: the demo's web chat gets no element and no attribute from them.")
async def test_in_the_web_chat(hostile: list[str]) -> None:
    """There names are shown uncleaned."""

    async def page(name: str) -> str:
        safe = name.encode("utf-8", "replace").decode()
        line = (Text(safe), Code(safe), Mention(ANA, safe), Address(LINK, safe))
        document = Document((line,), buttons=("▶",))
        bot = Posted("r", "#team", BOT, document, "", NOW)
        person = Posted("r", "#team", safe, None, safe, NOW)
        english = texts("en")
        return webchat_message(bot, name=BOT, texts=english) + webchat_message(
            person, name=safe, texts=english
        )

    await check_pages(page, hostile)


# --- BigBlueButton -------------------------------------------------------------------------------


@promise("Hostile names: what BBB gets of them fits into its XML.")
def test_for_bbb(hostile: list[str]) -> None:
    """A BBB server writes names into the XML of all later answers: one bad one blinds us."""
    for start in range(0, len(hostile), 500):
        root = Element("response")
        for name in hostile[start : start + 500]:
            for key, value in sent_to_bbb(name).items():
                assert XML_CHARACTERS.fullmatch(value), ascii(name)
                SubElement(root, key.replace("meta_", "")).text = value
        fromstring(tostring(root))


def sent_to_bbb(name: str) -> dict[str, str]:
    """All that a name can get into, as BBB reads it from the address."""
    shown = clean(name) or "Ana"
    plan = MeetingPlan("mx-1", shown, welcome=name, meta={"channel": name})
    created = create_parameters(plan, {}, room=1500)
    joined = join_parameters(Seat("mx-1", shown, False, 1, "p-1"))
    told = message_parameters("mx-1", f"{shown}: {shown}", room=1500)
    assert len(joined["fullName"].encode("utf-16-le")) // 2 <= 256
    assert ":" not in joined["fullName"]
    sent: dict[str, str] = {}
    for parameters in (created, joined, told):
        read = dict(parse_qsl(query(parameters), keep_blank_values=True, errors="strict"))
        assert read == dict(parameters), ascii(name)
        sent |= read
    return sent


async def test_at_the_simulated_server(tmp_path: Path) -> None:
    """Meetings so called, people so called in them; its answers are read, with all names."""
    async with company(tmp_path / "data", Policy(public_url=PUBLIC)) as team:
        servers = team.world.servers
        for number in range(0, len(ROWS), 20):
            called = [clean(row) or "Ana" for row in ROWS[number : number + 20]]
            plan = MeetingPlan(f"mx-{number}", called[0])
            made = await servers.create("one", plan)
            async with httpx.AsyncClient(transport=team.line, follow_redirects=True) as browser:
                for place, name in enumerate(called):
                    seat = Seat(plan.meeting_id, name, True, made.create_time, f"p-{place}")
                    url = servers.join_url("one", seat)
                    assert urlsplit(url).hostname == "bbb.example"
                    (await browser.get(url)).raise_for_status()
            info = await servers.info("one", plan.meeting_id)
            assert info is not None
            joined = {join_parameters(Seat("m", name, True, 1, "p"))["fullName"] for name in called}
            assert {attendee.name for attendee in info.attendees} == joined


# --- the log -------------------------------------------------------------------------------------


@promise("Hostile names: a line of the log stays one line, without controls.")
@pytest.mark.parametrize("form", [TextFormatter, JsonFormatter])
def test_in_the_log(hostile: list[str], form: type[TextFormatter] | type[JsonFormatter]) -> None:
    formatter = form(Redaction([]))
    for name in hostile:
        record = logging.LogRecord("bot", logging.INFO, "x.py", 1, "joined as %s", (name,), None)
        record.action, record.name_shown = "joined", name
        line = formatter.format(record)
        assert not UNSEEN.search(line), ascii(name)
        line.encode()
        if form is JsonFormatter:
            read = json.loads(line)["message"]
            assert both_halves(read) == both_halves(f"joined as {name}")


def both_halves(text: str) -> bytes:
    """JSON makes one character of two halves that stand side by side."""
    return text.encode("utf-16-le", "surrogatepass")


async def test_in_a_channel_of_that_name(tmp_path: Path) -> None:
    """The channel is called so, and so is who types: all the way through the core."""
    policy = Policy(public_url=PUBLIC)
    for number, name in enumerate(ROWS):
        if number % 7:
            continue
        async with company(tmp_path / f"data-{number}", policy) as team:
            team.chat.topic, team.chat.names = name, {ANA: name}
            team.chat.rights[ANA, TEAM] = Rights(Membership.JOINED, admin=True)
            for line in ("start", "my", "rooms", "status", "who"):
                letters = await team.types(line, ANA)
                assert letters, (line, ascii(name))
                keys = [phrase[0] for letter in letters for phrase in letter.content["phrases"]]
                assert not {"e.bug", "e.bbb"} & set(keys), (line, ascii(name))
