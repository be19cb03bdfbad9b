"""Documents as Rocket.Chat messages: the text, the link button, the size."""

import pytest

from bot.chat.rocketchat.emoji import KEYS, SHORTNAMES
from bot.chat.rocketchat.escaping import JOINER, bare, coded, escaped
from bot.chat.rocketchat.rendering import body_of, edited_of
from commands.handlers.buttons import BUTTONS
from commands.messages import Address, Code, Document, Line, Mention, Node, Style, Text
from storage.records import Person

URL = "https://calls.example.org/j/0123456789abcdefghijkl"
ANA = Person("rocketchat", "u1")
NAMES = {"u1": "ana"}


def text_of(*nodes: Node, pings: tuple[Person, ...] = ()) -> str:
    return body_of(Document((nodes,), pings=pings), NAMES, max_size=5000).msg


def card(topic: str = "Monday") -> Document:
    lines: tuple[Line, ...] = (
        (Text("📹 "), Text(topic, bold=True), Text(" – call opened by "), Mention(ANA, "Ana")),
        (Text("Join: "), Address(URL, ""), Text(" – or press ▶.")),
    )
    return Document(lines, Style.TEXT, buttons=("▶",))


# --- nodes ---------------------------------------------------------------------------------------


def test_bold() -> None:
    parts = (Text("The call "), Text("Mon", bold=True), Text("day", bold=True), Text(" ended"))
    assert text_of(*parts) == "The call *Monday* ended"


def test_bold_holds_no_backslash() -> None:
    assert text_of(Text("of *Mo*", bold=True)) == "of \\*Mo\\*"
    assert text_of(Text("v2.0", bold=True)) == f"*v2.{JOINER}0*"


@pytest.mark.parametrize("text", ["", " "])
def test_nothing_is_not_bold(text: str) -> None:
    assert text_of(Text(text, bold=True)) == text


def test_an_address_stands_alone() -> None:
    assert text_of(Text("("), Address(URL, ""), Text(")")).split(" ")[1] == URL
    assert text_of(Text("Join: "), Address(URL, ""), Text(" now")).endswith(f": {URL} now")
    assert text_of(Address(URL, "Door")) == f"Door: {URL}"


def test_what_is_no_web_address_is_text() -> None:
    assert text_of(Address("javascript:x", "")) == escaped("javascript:x")


def test_somebody_is_only_named() -> None:
    assert text_of(Mention(ANA, "Ana"), Text(", look")) == "Ana, look"


def test_somebody_is_called() -> None:
    assert text_of(Text("("), Mention(ANA, "Ana"), Text(". Look"), pings=(ANA,)) == (
        f"( @ana{JOINER}. Look"
    )


@pytest.mark.parametrize("username", ["", "an a", "ana__", "ana.", "all\u200b", "@all", "a:b"])
def test_a_username_that_cannot_be_called(username: str) -> None:
    document = Document(((Mention(ANA, "Ana"),),), pings=(ANA,))
    assert body_of(document, {"u1": username}, max_size=5000).msg == "Ana"


def test_an_edit_calls_nobody() -> None:
    document = Document(((Mention(ANA, "Ana"),),), pings=(ANA,))
    assert edited_of(document, max_size=5000).msg == "Ana"


def test_code() -> None:
    assert text_of(Code('!bbb join "Monday"')) == '`!bbb join "Monday"`'
    assert coded("a`b") == "`a`\\``b`"
    assert coded("invite @user") == f"`invite {JOINER}@user`"


def test_what_was_copied_from_us() -> None:
    assert bare(escaped("US$ 5 (a:b)")) == "US$ 5 (a:b)"


# --- cards ---------------------------------------------------------------------------------------


def test_the_card_of_a_call_has_a_button() -> None:
    assert body_of(card(), {}, max_size=5000).attachments == (
        {
            "title": "Monday",
            "title_link": URL,
            "actions": [{"type": "button", "text": "Join", "url": URL}],
        },
    )


def test_an_edit_has_no_attachments() -> None:
    assert edited_of(card(), max_size=5000).attachments == ()
    assert edited_of(card(), max_size=5000).msg == body_of(card(), {}, max_size=5000).msg


def test_half_a_character_can_be_stored() -> None:
    body = body_of(card("\ud83d"), {}, max_size=5000)
    assert body.attachments[0]["title"] == "\ufffd"
    body.msg.encode()


def test_a_list_of_links_has_no_button() -> None:
    line: Line = (Address(URL, ""),)
    assert body_of(Document((line, line), Style.TEXT), {}, max_size=5000).attachments == ()
    assert body_of(Document((line,)), {}, max_size=5000).attachments == ()


# --- size ----------------------------------------------------------------------------------------


def test_what_is_too_long_ends_with_a_whole_line_and_says_so() -> None:
    document = Document(tuple((Text(f"line {number} 📹"),) for number in range(100)))
    message = body_of(document, {}, max_size=120).msg
    *kept, last = message.split("\n")
    assert kept == [f"line {number} 📹" for number in range(len(kept))]
    assert last.startswith(f"… {100 - len(kept)} lines did not fit")
    assert 105 < len(message.encode("utf-16-le")) // 2 <= 120


def test_what_just_fits_stays_whole() -> None:
    document = Document(((Text("📹" * 10),),))
    assert body_of(document, {}, max_size=20).msg == "📹" * 10
    assert body_of(document, {}, max_size=19).msg.startswith("… 1 line did not fit")


# --- reactions -----------------------------------------------------------------------------------


def test_every_button_has_a_shortname() -> None:
    assert BUTTONS.keys() <= SHORTNAMES.keys()
    assert {KEYS[shortname]: shortname for shortname in KEYS} == dict(SHORTNAMES)
