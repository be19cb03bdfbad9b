"""What people see of a message in the web chat: all of it, and never more than text."""

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from bot.chat.console import Posted
from bot.demo.webchat.rendering import message
from commands.i18n import texts
from commands.messages import Address, Code, Document, Mention, Node, Text
from storage.records import Person

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ENGLISH = texts("en")
HOSTILE = [
    pytest.param("<script>alert(1)</script>", id="a script"),
    pytest.param('"><img src=x onerror=alert(1)>', id="a quote that closes an attribute"),
    pytest.param("' autofocus onfocus='alert(1)", id="a single quote that closes an attribute"),
    pytest.param("</p></article><h1>Sign in", id="a tag that closes the message"),
    pytest.param("&lt;b&gt; &amp;", id="entities that were escaped before"),
]


class Seen(HTMLParser):
    """Elements and attributes in a piece of HTML, and the text around them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def bot_says(*nodes: Node, buttons: tuple[str, ...] = ()) -> Posted:
    document = Document((nodes,), buttons=buttons)
    return Posted("r1", "#team", "bbb-bot", document, "", AT, reactions=buttons)


def person_says(text: str) -> Posted:
    return Posted("r1", "#team", "alice", None, text, AT)


def seen(post: Posted, name: str = "Alice") -> Seen:
    return Seen(message(post, name=name, texts=ENGLISH))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(
    "post",
    [
        pytest.param(lambda text: (person_says(text), "Alice"), id="as what a person says"),
        pytest.param(lambda text: (person_says("hello"), text), id="as a person's name"),
        pytest.param(lambda text: (bot_says(Text(text)), "bbb-bot"), id="as a topic"),
        pytest.param(lambda text: (bot_says(Text(text, bold=True)), "bbb-bot"), id="in bold"),
        pytest.param(lambda text: (bot_says(Code(text)), "bbb-bot"), id="as code"),
        pytest.param(
            lambda text: (bot_says(Mention(Person("console", text), text)), "bbb-bot"),
            id="as a person mentioned",
        ),
        pytest.param(
            lambda text: (bot_says(Address("http://127.0.0.1/j/x", text)), "bbb-bot"),
            id="as the label of a link",
        ),
    ],
)
def test_what_people_choose_stays_text(post, hostile: str) -> None:
    hostile_post, hostile_name = post(hostile)
    harmless_post, harmless_name = post("x")
    found = seen(hostile_post, hostile_name)
    expected = seen(harmless_post, harmless_name)
    assert hostile in found.text
    assert found.tags == expected.tags
    assert found.attributes == expected.attributes


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_key_of_a_reaction_stays_text(hostile: str) -> None:
    found = seen(bot_says(Text("card"), buttons=(hostile,)))
    assert found.tags.count("button") == 1
    assert ("data-press", hostile) in found.attributes


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//elsewhere.example"])
def test_what_is_no_web_address_leads_nowhere(url: str) -> None:
    found = seen(bot_says(Address(url, "Join")))
    assert "a" not in found.tags
    assert "Join" in found.text


def test_a_link_opens_beside_the_chat_and_tells_nothing_of_where_it_stood() -> None:
    found = seen(bot_says(Address('http://127.0.0.1:1/j/a?b=1&c="2"', "")))
    assert ("href", 'http://127.0.0.1:1/j/a?b=1&c="2"') in found.attributes
    assert ("target", "_blank") in found.attributes
    assert ("rel", "noopener noreferrer") in found.attributes


def test_a_key_offered_is_a_button_and_one_put_there_is_only_seen() -> None:
    post = bot_says(Text("card"), buttons=("▶",))
    found = seen(replace(post, reactions=("▶", "✅", "✅")))
    assert found.tags.count("button") == 1
    assert found.text.count("✅") == 1


def test_an_edited_message_says_so() -> None:
    assert "edited" not in seen(bot_says(Text("card"))).text
    assert "edited" in seen(replace(bot_says(Text("card")), edited=1)).text
