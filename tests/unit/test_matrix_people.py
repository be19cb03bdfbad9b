"""Names of people: asked of a homeserver that answers few such questions."""

from __future__ import annotations

from typing import Any

import pytest

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.people import People
from bot.chat.remembering import FRESH_SECONDS
from commands.errors import ChatTrouble

ANA = "@ana:example.org"


class Server:
    """Says names; `error` is said instead."""

    user_id = "@bot:example.org"

    def __init__(self) -> None:
        self.name: str | None = "Ana"
        self.error: Exception | None = None
        self.asked = 0
        self.now = 0.0

    async def ask(self, *_: object, **__: object) -> dict[str, Any]:
        self.asked += 1
        if self.error:
            raise self.error
        return {"displayname": self.name} if self.name else {}

    def steady(self) -> float:
        return self.now


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def people(server: Server) -> People:
    return People(server, server.steady)  # type: ignore[arg-type]


async def test_a_name_is_asked_for_once_in_ten_seconds(server: Server, people: People) -> None:
    assert [await people.display_name(ANA) for _ in range(50)] == ["Ana"] * 50
    assert server.asked == 1
    server.name = "Ana M."
    server.now += FRESH_SECONDS
    assert await people.display_name(ANA) == "Ana M."
    server.name, server.now = None, server.now + FRESH_SECONDS
    assert await people.display_name(ANA) is None


async def test_a_limit_of_the_server_does_not_take_a_known_name(
    server: Server, people: People
) -> None:
    await people.display_name(ANA)
    server.error, server.now = MatrixError(429, "M_LIMIT_EXCEEDED"), FRESH_SECONDS
    assert await people.display_name(ANA) == "Ana"
    with pytest.raises(ChatTrouble):
        await people.display_name("@bo:example.org")
