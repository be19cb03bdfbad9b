"""Calls the simulated server with a signature of the tests' own making: nothing of our client."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import httpx
from defusedxml.ElementTree import fromstring

from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.transport import InProcess

SECRET = "a secret of these tests"
API = "http://bbb.test/bigbluebutton/api"
ROOM = "mx-room-7"


def sign(call: str, query: str, secret: str = SECRET, algorithm: str = "sha256") -> str:
    """The checksum."""
    return hashlib.new(algorithm, f"{call}{query}{secret}".encode()).hexdigest()


def address(call: str, parameters: Mapping[str, object], *, api: str = API) -> str:
    """A signed address."""
    query = urlencode({name: str(value) for name, value in parameters.items()})
    joint = "&" if query else ""
    return f"{api}/{call}?{query}{joint}checksum={sign(call, query)}"


class Caller:
    """An application that uses the API, and a browser to open joins with."""

    def __init__(self, simulated: SimulatedBBB) -> None:
        self.simulated = simulated
        self.http = httpx.AsyncClient(transport=InProcess(simulated))

    async def get(self, call: str, **parameters: object) -> httpx.Response:
        """The whole answer."""
        return await self.http.get(address(call, parameters))

    async def ask(self, call: str, **parameters: object) -> Element:
        """The answer's XML."""
        return xml(await self.get(call, **parameters))

    async def create(self, meeting_id: str = ROOM, **parameters: object) -> Element:
        """create with a name."""
        return await self.ask("create", **({"name": "Team", "meetingID": meeting_id} | parameters))

    async def post(self, call: str, body: bytes, kind: str | None, **parameters: object) -> Element:
        """A POST with the parameters in the address."""
        headers = {} if kind is None else {"Content-Type": kind}
        url = address(call, parameters)
        return xml(await self.http.post(url, content=body, headers=headers))

    async def join(
        self, browser: httpx.AsyncClient, name: str, **parameters: Any
    ) -> httpx.Response:
        """Open a join in a browser and go where it leads."""
        wanted = {"fullName": name, "meetingID": ROOM, "role": "VIEWER"} | parameters
        return await browser.get(address("join", wanted), follow_redirects=True)

    def browser(self) -> httpx.AsyncClient:
        """A browser with no cookie yet; to be closed by who asked."""
        return httpx.AsyncClient(transport=InProcess(self.simulated), base_url="http://bbb.test")


def xml(response: httpx.Response) -> Element:
    """The tree of an answer that came as BBB sends answers."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/xml; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    root: Element = fromstring(response.content)
    return root


def said(root: Element) -> tuple[str, str]:
    """Return code and message key of an answer."""
    return root.findtext("returncode", ""), root.findtext("messageKey", "")
