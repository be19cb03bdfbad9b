"""The join form as it comes back: read with a limit, and only from a page of ours."""

import asyncio
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot.web.site import Site

_MOST_BYTES = 8192
_MOST_FIELDS = 20
_SECONDS = 10
_URL_ENCODED = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form, the last of each name.

    Raises HTTPException 400, 408, 413 or 415 for what no form of ours sends.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _URL_ENCODED:
        raise HTTPException(415)
    try:
        async with asyncio.timeout(_SECONDS):
            body = await _body(request)
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except TimeoutError:
        raise HTTPException(408) from None
    except ValueError:
        raise HTTPException(400) from None
    return dict(fields)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(413)
    return body


def is_ours(request: Request, form: Mapping[str, str], *, site: Site, nonce: str | None) -> bool:
    """Whether a POST comes from our own page in this browser, and not from a page elsewhere.

    Else another site could make somebody join under the attacker's name.
    """
    return _same_site(request, site) and _same_nonce(form.get("nonce", ""), nonce)


def _same_site(request: Request, site: Site) -> bool:
    """Browsers say where a request comes from; those of before 2023 only by `Origin`."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    return request.headers.get("origin", "").lower() == site.origin


def _same_nonce(sent: str, kept: str | None) -> bool:
    return kept is not None and hmac.compare_digest(sent.encode(), kept.encode())
