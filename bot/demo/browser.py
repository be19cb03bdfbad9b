"""A browser as small as the tour needs: pages, cookies, forms whose buttons are pressed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

SECONDS = 10.0
"""How long one page may take."""


@dataclass(slots=True)
class Form:
    """A form as it stands on the page; `fields` are those sent when nothing is changed."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What came back at last, after redirects; `text` is its `main` without the heading."""

    address: str
    status: int
    title: str
    text: str
    forms: tuple[Form, ...]


class Unanswered(Exception):
    """Nobody answered; the text is the host and port, never the whole address."""


class Browser:
    """Use as `async with`. Each person has their own: cookies are who they are."""

    def __init__(self, language: str) -> None:
        self._http = httpx.AsyncClient(
            headers={"Accept": "text/html", "Accept-Language": language},
            timeout=SECONDS,
            follow_redirects=True,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def open(self, address: str) -> Page:
        """Follow a link. Raises Unanswered."""
        return await self._fetch("GET", address, {}, {})

    async def press(self, page: Page, button: str | None = None) -> Page:
        """Press the first form's button, or the one with these words.

        Raises Unanswered, and LookupError when the page has no such button.
        """
        form = _with_button(page, button)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.address))
        address = urljoin(page.address, form.action)
        return await self._fetch(form.method, address, form.fields, {"Origin": origin})

    async def _fetch(
        self, method: str, address: str, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> Page:
        data = fields if method == "POST" else None
        params = fields if method == "GET" and fields else None
        try:
            answer = await self._http.request(
                method, address, data=data, params=params, headers=headers
            )
        except httpx.HTTPError:
            pass
        else:
            return _page(answer)
        raise Unanswered(urlsplit(address).netloc)  # outside: httpx's error knows the address


def _with_button(page: Page, button: str | None) -> Form:
    for form in page.forms:
        if form.buttons and button in (None, *form.buttons):
            return form
    raise LookupError(f"no button {button or ''} on this page")


def _page(answer: httpx.Response) -> Page:
    reader = _Reader()
    reader.feed(answer.text)
    return Page(
        address=str(answer.url),
        status=answer.status_code,
        title=" ".join("".join(reader.title).split()),
        text=" ".join("".join(reader.text).split()),
        forms=tuple(reader.forms),
    )


class _Reader(HTMLParser):
    """Title, text and forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.title: list[str] = []
        self.text: list[str] = []
        self.forms: list[Form] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _HOLDERS:
            self._inside.append(tag)
        if tag == "form":
            method = given.get("method", "get").upper()
            self.forms.append(Form(method, given.get("action", "")))
        elif tag == "input" and self._in("form"):
            self._field(given)
        elif tag == "button" and self._in("form"):
            self.forms[-1].buttons.append("")
        if tag in _BLOCKS:
            self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._in("title"):
            self.title.append(data)
        if self._in("main") and not self._in("h1"):
            self.text.append(data)
        if self._in("button") and self._in("form"):
            self.forms[-1].buttons[-1] = " ".join(f"{self.forms[-1].buttons[-1]}{data}".split())

    def _in(self, tag: str) -> bool:
        return tag in self._inside

    def _field(self, given: Mapping[str, str]) -> None:
        ticked = given.get("type") not in ("checkbox", "radio") or "checked" in given
        if given.get("name") and ticked:
            self.forms[-1].fields[given["name"]] = given.get("value", "on")


_HOLDERS = frozenset({"title", "main", "h1", "form", "button"})
_BLOCKS = frozenset({"p", "h1", "h2", "h3", "li", "div", "button", "summary", "label", "dd", "dt"})
