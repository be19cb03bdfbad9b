"""Who most tests need on their `server`: the bot, Ana, and a channel that both are in."""

from __future__ import annotations

import pytest

from tests.fakes.rocketchat import RocketChat, Room, User
from tests.rocketchat.moving_clock import MovingClock


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def bot(server: RocketChat) -> User:
    return server.add_user("bbb", roles=("bot", "user"))


@pytest.fixture
def ana(server: RocketChat) -> User:
    return server.add_user("ana", name="Ana Martín")


@pytest.fixture
def room(server: RocketChat, bot: User, ana: User) -> Room:
    return server.add_room("team", "c", ana, (bot, ana))
