"""Renders the pages: templates that escape, and headers that allow nothing from elsewhere."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TEMPLATES = Environment(
    loader=PackageLoader("bot.demo.bbb"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, **values: object) -> Response:
    """A page of the folder `templates`."""
    text = _TEMPLATES.get_template(template).render(values)
    return HTMLResponse(text, status, HEADERS)


def see(address: str) -> Response:
    """After a form: look there."""
    return RedirectResponse(address, 303)
