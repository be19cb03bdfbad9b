"""One call to Rocket.Chat through rocketchat_API, in whatever thread; nothing secret in answers.

Facts about rocketchat_API 3.7.1 (measured): it drops headers, retries nothing, does not encode the
parameters of GET, follows redirects, and its exceptions hold the whole body. So it is given a
session that keeps the answer, and only the answer counts, not what the library makes of it.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard
from urllib.parse import quote, urljoin

import requests
from rocketchat_API.rocketchat import RocketChat

from bot.chat.shapes import Json

CONNECT_SECONDS = 5.0
MOST_BYTES = 64 * 2**20
"""An answer over this is cut; `chat.syncMessages` has no limit of its own."""

_MOST_REDIRECTS = 5
_AT_ONCE = 65_536
_MOST_OF_AN_ERROR = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """GET with these parameters or POST with this body; `path` stands under /api/v1/ or /api/."""

    method: str
    path: str
    params: Json = field(repr=False)  # one of them may be the token
    api_path: str = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers, and the JSON of the body; None where it was none."""

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why none came: timeout, unreachable, tls, too-large or cut."""

    code: str


class Caller:
    """A RocketChat object with a session of its own: one thread's."""

    def __init__(self, url: str, user_id: str, token: str, *, verify: bool | str) -> None:
        self._session = _Session()
        self._rocket = RocketChat(
            auth_token=token,
            user_id=user_id,
            server_url=url,
            ssl_verify=verify,
            session=self._session,
        )

    def call(self, call: Call, until: float) -> Answer | NoAnswer:
        """The answer, if there is a whole one before `until` (by `time.monotonic`). Never raises
        for anything outside: exceptions of the libraries hold addresses, headers and bodies.
        """
        self._session.begin(until)
        why = "cut"
        try:
            if call.method == "GET":
                params = {name: _encoded(value) for name, value in _given(call.params).items()}
                self._rocket.call_api_get(call.path, api_path=call.api_path, **params)
            else:
                self._rocket.call_api_post(call.path, body=_given(call.params))
        except Exception as error:  # urllib3's own come through while a body is read
            why = _reason(error)
        answer = self._session.taken() or NoAnswer(why)
        return self._followed(answer) if _is_redirect(answer) else answer

    def _followed(self, redirect: Answer) -> Answer:
        """The redirect, with the address it leads to in the end; asked for without the token."""
        address = self._rocket.server_url
        answer: Answer | None = redirect
        for _ in range(_MOST_REDIRECTS):
            if not _is_redirect(answer):
                break
            address = urljoin(address, answer.headers["Location"])
            try:
                self._session.begin(self._session.until)
                self._session.get(address, verify=self._rocket.ssl_verify)
            except Exception:  # it leads there all the same
                break
            answer = self._session.taken()
        return replace(redirect, headers={**redirect.headers, "Location": address})

    def close(self) -> None:
        self._session.close()


def _is_redirect(answer: Answer | NoAnswer | None) -> TypeGuard[Answer]:
    """Whether the answer says where to ask instead."""
    return (
        isinstance(answer, Answer) and 300 <= answer.status < 400 and "Location" in answer.headers
    )


class _Session(requests.Session):
    """Keeps the last answer, read within one limit of time and one of size; follows no redirect.

    The environment (proxies, .netrc, another CA) is left out, as with all other connections.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["User-Agent"] = "bbb-bot"
        self.until = 0.0
        self._answer: Answer | None = None

    def begin(self, until: float) -> None:
        """Before each request."""
        self._answer = None
        self.until = until

    def taken(self) -> Answer | None:
        """The answer, of a whole workspace perhaps: it is kept no longer."""
        answer, self._answer = self._answer, None
        return answer

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        left = max(0.001, self.until - time.monotonic())
        kwargs |= {"timeout": (min(left, CONNECT_SECONDS), left)}
        kwargs |= {"stream": True, "allow_redirects": False}
        with super().send(request, **kwargs) as response:
            content = self._read(response)
        self._answer = Answer(response.status_code, response.headers, parsed(content))
        return _Taken(response.status_code)

    def _read(self, response: requests.Response) -> bytes:
        """As it comes in: a body that drips has no more time than one that does not come."""
        most = MOST_BYTES if response.ok else _MOST_OF_AN_ERROR
        found = bytearray()
        while chunk := response.raw.read1(_AT_ONCE, decode_content=True):
            found += chunk
            if len(found) > most:
                if response.ok:
                    raise _TooLarge
                break
            if time.monotonic() > self.until:
                raise requests.Timeout
        return bytes(found)


class _Taken(requests.Response):
    """What the library sees of an answer: the status. Its exceptions then hold nothing."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status_code = status
        self.encoding = "utf-8"
        self._content = b""

    def json(self, **_: Any) -> Any:
        return {}


class _TooLarge(Exception):
    pass


def parsed(content: bytes) -> Any:
    """The JSON, or None. The hook lets other threads run between objects: without one the parser
    keeps the interpreter's lock to its end, and with it the event loop.
    """
    try:
        return json.loads(content, object_hook=_lean)
    except (ValueError, RecursionError):
        return None


def _lean(found: Json) -> Json:
    """Without a message's text as a tree: most of a message, and nobody here reads it. To keep
    it would make the garbage collector stop all threads for longer (measured: 130 ms, not 40).
    """
    found.pop("md", None)
    return found


def _given(params: Json) -> Json:
    return {name: value for name, value in params.items() if value is not None}


def _encoded(value: Any) -> str | list[str]:
    """Ready for the library, which joins parameters as they are."""
    if isinstance(value, list | tuple):
        return [quote(str(one), safe="") for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(str(value), safe="")


def _reason(error: Exception) -> str:
    match error:
        case requests.exceptions.SSLError():
            return "tls"
        case requests.Timeout() | TimeoutError():
            return "timeout"
        case requests.ConnectionError():
            return "unreachable"
        case _TooLarge():
            return "too-large"
    return "cut"
