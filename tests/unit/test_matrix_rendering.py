"""Documents as Matrix content: complete plain text, HTML of allowed tags only, mentions always."""

from __future__ import annotations

import html
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.matrix.rendering import content_of, edited, relation
from commands.messages import Address, Code, Document, Mention, Node, Style, Text
from storage.records import Person

ALLOWED = {"a": {"href"}, "strong": set(), "code": set(), "br": set()}
ADA = Person("matrix", "@ada:example.org")
URL = "https://calls.example.org/j/Ab3"


class Reading(HTMLParser):
    """The text of some HTML, and proof that nothing but allowed tags is in it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        assert {name for name, _ in attrs} == ALLOWED[tag]
        self.links += [value or "" for _, value in attrs]
        if tag == "br":
            self.text += "\n"
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration")

    def handle_pi(self, data: str) -> None:
        raise AssertionError("an instruction")


def read(formatted: str) -> Reading:
    reading = Reading()
    reading.feed(formatted)
    reading.close()
    assert reading.open == []
    return reading


hostile = st.one_of(
    st.text(st.characters(exclude_characters="\r\n\0")),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=x>',
            "</a><h1>",
            "&lt;b&gt;",
            "<!--",
            "@room",
            "javascript:alert(1)",
            "<mx-reply>",
        ]
    ),
)
nodes: st.SearchStrategy[Node] = st.one_of(
    st.builds(Text, hostile, bold=st.booleans()),
    st.builds(Code, hostile),
    st.builds(Address, st.one_of(st.just(URL), st.just(URL + "\"><b>'x="), hostile), hostile),
    st.builds(Mention, st.builds(Person, st.sampled_from(["matrix", "console"]), hostile), hostile),
)
documents = st.builds(
    lambda lines: Document(tuple(map(tuple, lines))),
    st.lists(st.lists(nodes, max_size=4), max_size=4),
)


def shown(node: Node) -> str:
    match node:
        case Address(url, label) if url.startswith(("http://", "https://")):
            return label or url
        case Address(url, label):
            return f"{label}: {url}" if label else url
        case Mention(_, name):
            return name
        case Text(text) | Code(text):
            return text


@given(documents)
def test_whatever_a_name_holds_only_allowed_tags_come_out_and_the_text_stays(
    document: Document,
) -> None:
    reading = read(content_of(document)["formatted_body"])

    expected = "\n".join("".join(map(shown, line)) for line in document.lines)
    assert reading.text == "".join(
        c if not 0xD800 <= ord(c) < 0xE000 else "\ufffd" for c in expected
    )
    assert all(link.startswith(("https://", "http://")) for link in reading.links)


@given(documents)
def test_the_content_can_always_be_sent(document: Document) -> None:
    json.dumps(content_of(document), ensure_ascii=False).encode()


def test_a_lone_surrogate_is_replaced() -> None:
    content = content_of(Document(((Text("a\ud800b"),),)))

    assert content["body"] == content["formatted_body"] == "a\ufffdb"


def test_the_plain_text_holds_the_whole_address() -> None:
    document = Document(((Text("📹 "), Text("Team", bold=True)), (Address(URL, "Join"),)))

    content = content_of(document)

    assert content["body"] == f"📹 Team\nJoin: {URL}"
    assert content["formatted_body"] == f'📹 <strong>Team</strong><br><a href="{URL}">Join</a>'
    assert content["format"] == "org.matrix.custom.html"


def test_a_named_person_is_a_pill_and_one_of_another_chat_is_text() -> None:
    document = Document(((Mention(ADA, "Ada"), Mention(Person("rocketchat", "u1"), "Bo")),))

    formatted = content_of(document)["formatted_body"]

    assert formatted == '<a href="https://matrix.to/#/@ada:example.org">Ada</a>Bo'


def test_a_person_id_that_would_break_out_is_quoted() -> None:
    document = Document(((Mention(Person("matrix", '@a"><b>/../?x#y:z'), "A"),),))

    reading = read(content_of(document)["formatted_body"])

    assert reading.links == ["https://matrix.to/#/@a%22%3E%3Cb%3E%2F..%2F%3Fx%23y:z"]


@pytest.mark.parametrize(("style", "msgtype"), [(Style.TEXT, "m.text"), (Style.NOTICE, "m.notice")])
def test_only_what_people_wait_for_may_notify(style: Style, msgtype: str) -> None:
    assert content_of(Document((), style=style))["msgtype"] == msgtype


def test_mentions_stand_there_always_and_name_who_is_meant() -> None:
    other = Person("rocketchat", "u1")

    assert content_of(Document(()))["m.mentions"] == {}
    assert content_of(Document((), pings=(other,)))["m.mentions"] == {}
    assert content_of(Document((), pings=(ADA, other)))["m.mentions"] == {"user_ids": [ADA.id]}


def test_an_edit_keeps_the_type_and_pings_nobody() -> None:
    document = Document(((Text("<3 in the call>"),),), style=Style.TEXT, pings=(ADA,))

    content = edited(document, "$card")

    new = content["m.new_content"]
    assert content["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$card"}
    assert (content["msgtype"], new["msgtype"]) == ("m.text", "m.text")
    assert content["m.mentions"] == new["m.mentions"] == {}
    assert (content["body"], new["body"]) == ("* <3 in the call>", "<3 in the call>")
    assert new["formatted_body"] == html.escape("<3 in the call>")


def test_what_ties_a_message_to_others() -> None:
    assert relation(None, None) == {}
    assert relation("$q", None) == {"m.relates_to": {"m.in_reply_to": {"event_id": "$q"}}}
    assert relation("$q", "$root")["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$root",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$q"},
    }
    assert relation(None, "$root")["m.relates_to"]["m.in_reply_to"] == {"event_id": "$root"}
