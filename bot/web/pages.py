"""Templates to answers, in the visitor's language."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from bot.web.cookies import Cookies
from bot.web.languages import NAMES, best_language
from bot.web.site import Site
from bot.web.words import Words
from commands.i18n import LANGUAGES


class Pages:
    """`prefix` begins commands; `language` counts where neither visitor nor channel has one;
    `zone` is that of the times shown.
    """

    def __init__(
        self, site: Site, cookies: Cookies, *, prefix: str, language: str, zone: str
    ) -> None:
        self._site = site
        self._cookies = cookies
        self._language = language
        self._words = {name: Words(name, prefix, zone) for name in LANGUAGES}
        self._templates = Environment(
            loader=PackageLoader("bot.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def words(self, request: Request, otherwise: str | None = None) -> Words:
        """The words of the language chosen or asked for, else of `otherwise`, the channel's."""
        language = best_language(
            chosen=_asked(request) or self._cookies.language(request),
            accepted=request.headers.get("accept-language", ""),
            otherwise=otherwise or self._language,
        )
        return self._words[language]

    def html(self, words: Words, template: str, **values: object) -> str:
        """A template filled in; every value is escaped."""
        return self._templates.get_template(f"{template}.html").render(
            t=words.html,
            plain=words.text,
            language=words.language,
            languages=NAMES,
            asset=self._site.asset,
            **values,
        )

    def answer(
        self,
        request: Request,
        words: Words,
        content: str | AsyncIterator[str],
        *,
        status: int = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page as a response, whole or as it comes. A language chosen here is remembered."""
        said = {"Content-Language": words.language, "Vary": "Accept-Language, Cookie"}
        said.update(headers or {})
        response: Response
        if isinstance(content, str):
            response = HTMLResponse(content, status, said)
        else:
            response = StreamingResponse(content, status, said, media_type="text/html")
        if chosen := _asked(request):
            self._cookies.keep_language(response, chosen)
        return response

    def notice(
        self,
        request: Request,
        name: str,
        *,
        status: int = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
        **args: str,
    ) -> Response:
        """A page that only says something: the texts `pages.NAME.heading` and `pages.NAME.text`.

        Nothing in it depends on the address: all links that lead nowhere look the same.
        """
        words = self.words(request)
        content = self.html(words, "notice", name=name, args=args)
        return self.answer(request, words, content, status=status, headers=headers)


def _asked(request: Request) -> str | None:
    """The language that the menu's link names."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else None
