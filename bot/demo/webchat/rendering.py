"""Messages of the local chat as HTML. Pure; whatever people are called or say stays text."""

from html import escape

from bot.chat.console import Posted
from bot.demo.speech import marks, on_clock
from commands.i18n import Texts
from commands.messages import Address, Code, Document, Line, Mention, Node, Text


def message(post: Posted, *, name: str, texts: Texts) -> str:
    """One message as an `article`; `name` is the author's, uncleaned."""
    kind = "person" if post.document is None else "bot"
    said = body(post.document) if post.document else f"<p>{escape(post.text)}</p>"
    return (
        f'<article class="message {kind}" data-ref="{escape(post.ref)}"'
        f' data-author="{escape(post.author)}">'
        f'<header><b class="author">{escape(name)}</b> {_time(post)}{_edited(post, texts)}</header>'
        f'<div class="said">{said}</div>{_reactions(post, texts)}</article>'
    )


def body(document: Document) -> str:
    """The lines of a document as paragraphs."""
    return "".join(f"<p>{_line(line)}</p>" for line in document.lines)


def _line(line: Line) -> str:
    return "".join(_node(node) for node in line)


def _node(node: Node) -> str:
    match node:
        case Text(text, bold=True):
            return f"<strong>{escape(text)}</strong>"
        case Text(text):
            return escape(text)
        case Code(text):
            return f"<code>{escape(text)}</code>"
        case Address(url, label):
            return _link(url, label)
        case Mention(_, name):
            return f'<span class="mention">{escape(name)}</span>'


def _link(url: str, label: str) -> str:
    """Opens beside the chat. What is not a web address is shown and leads nowhere."""
    shown = escape(label or url)
    if not url.startswith(("https://", "http://")):
        return shown
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{shown}</a>'


def _time(post: Posted) -> str:
    return f'<time datetime="{post.at.isoformat()}">{on_clock(post.at)}</time>'


def _edited(post: Posted, texts: Texts) -> str:
    return f' <i class="edited">{escape(texts.plain("demo.edited"))}</i>' if post.edited else ""


def _reactions(post: Posted, texts: Texts) -> str:
    """Keys offered under a message are buttons; those the bot put there are only seen."""
    offered = post.document.buttons if post.document else ()
    parts = [_button(post, key, texts) for key in offered]
    parts += [f'<span class="mark">{escape(key)}</span>' for key in marks(post)]
    return f'<div class="reactions">{"".join(parts)}</div>' if parts else ""


def _button(post: Posted, key: str, texts: Texts) -> str:
    label = escape(texts.plain("demo.react", reaction=key))
    return (
        f'<button type="button" data-press="{escape(key)}" data-on="{escape(post.ref)}"'
        f' aria-label="{label}" title="{label}">{escape(key)}</button>'
    )
