"""Group 14: https with an own authority, a wrong host name, a path prefix, redirects, slashes."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
import trustme
from websockets.asyncio.client import connect

from tests.fakes.rocketchat import RocketChat

AUTHORITY = trustme.CA()


def certified(host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(host).configure_cert(context)
    return context


@pytest.fixture
def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_https_for_those_who_trust_the_authority(
    http: aiohttp.ClientSession, trusting: ssl.SSLContext
) -> None:
    async with RocketChat(tls=certified("127.0.0.1")) as server:
        assert server.url.startswith("https://")
        async with http.get(f"{server.url}/api/info", ssl=trusting) as answer:
            assert (await answer.json())["success"] is True
        address = server.url.replace("https", "wss", 1) + "/websocket"
        async with connect(address, ssl=trusting) as socket:
            assert await socket.recv() == '{"server_id":"0"}'
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.get(f"{server.url}/api/info")


async def test_a_certificate_for_another_host(
    http: aiohttp.ClientSession, trusting: ssl.SSLContext
) -> None:
    async with RocketChat(tls=certified("chat.example.org")) as server:
        with pytest.raises(aiohttp.ClientConnectorCertificateError, match="mismatch"):
            await http.get(f"{server.url}/api/info", ssl=trusting)


async def test_plain_http_is_redirected_and_a_post_with_it_becomes_a_get(
    http: aiohttp.ClientSession, trusting: ssl.SSLContext
) -> None:
    async with RocketChat(tls=certified("127.0.0.1"), prefix="/chat", strict=False) as server:
        async with http.get(f"{server.plain_url}/api/info", ssl=trusting) as answer:
            assert str(answer.url) == f"{server.url}/api/info"
            assert (await answer.json())["version"] == "6.14"
        login = f"{server.plain_url}/api/v1/login"
        async with http.post(login, json={}, ssl=trusting) as answer:
            assert (answer.method, answer.status) == ("GET", 404)


@pytest.mark.parametrize("prefix", ["/chat", "/chat/", "/a/b"])
async def test_a_path_prefix(http: aiohttp.ClientSession, prefix: str) -> None:
    async with RocketChat(prefix=prefix) as server:
        assert server.url.endswith(prefix.rstrip("/"))
        assert server.settings["Site_Url"] == server.url
        async with http.get(f"{server.url}/api/v1/info") as answer:
            assert (await answer.json())["success"] is True
        async with connect(server.url.replace("http", "ws", 1) + "/websocket") as socket:
            assert await socket.recv() == '{"server_id":"0"}'
        outside = server.url.replace(prefix.rstrip("/"), "")
        for address in (f"{outside}/api/v1/info", f"{server.url}//api/v1/info"):
            async with http.get(address) as answer:
                assert (answer.status, answer.content_type) == (200, "text/html")
