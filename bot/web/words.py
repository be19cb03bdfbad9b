"""Texts of the catalogue as HTML or as plain characters; arguments never become markup."""

from markupsafe import Markup, escape

from commands.i18n import Renderer
from commands.messages import Address, Arg, Code, Document, LinkTo, Mention, Message, Node, Phrase


class Words:
    """One language. `prefix` is what a command begins with, `!bbb`; times are told in `zone`."""

    def __init__(self, language: str, prefix: str, zone: str) -> None:
        self.language = language
        self._renderer = Renderer(language=language, zone=zone, prefix=prefix, links=_no_link)

    def html(self, key: str, **args: Arg) -> Markup:
        """A text with its bold and code parts as elements. Raises KeyError for an unknown key."""
        lines = self._document(key, args).lines
        return Markup("<br>").join(Markup("").join(map(_html, line)) for line in lines)

    def text(self, key: str, **args: Arg) -> str:
        """A text without any marks, for titles and attributes; whoever prints it escapes it."""
        return " ".join("".join(map(_text, line)) for line in self._document(key, args).lines)

    def _document(self, key: str, args: dict[str, Arg]) -> Document:
        return self._renderer.document(Message((Phrase(key, args),)))


def _html(node: Node) -> Markup:
    text = escape(_text(node))
    if isinstance(node, Code):
        return Markup("<code>{}</code>").format(text)
    if getattr(node, "bold", False):
        return Markup("<strong><bdi>{}</bdi></strong>").format(text)
    return text


def _text(node: Node) -> str:
    match node:
        case Mention(_, name):
            return name
        case Address(url):
            return url
    return node.text


def _no_link(_: LinkTo) -> str:
    raise ValueError("a text of a page holds no link of the chat")
