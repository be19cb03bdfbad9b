"""What the core is told of the chats that are configured: admins by platform, and paces."""

from pathlib import Path

import pytest

from bot.app import policy_of
from bot.config import Settings
from commands.ports import Pace
from storage.records import Person

MATRIX = {
    "homeserver": "https://matrix.example.org",
    "user_id": "@bbb:example.org",
    "device_id": "BBBBOT",
    "access_token": "token",
}
ROCKETCHAT = {
    "url": "https://chat.example.org",
    "user_id": "aobEdbYhXfu5hkeqG",
    "access_token": "token",
    "admins": ("kcyQ4Jpqvm8o3x2Wd",),
}


def settings(**chats: object) -> Settings:
    server = {"name": "main", "url": "https://bbb.example.org", "secret": "secret"}
    return Settings.model_validate(
        {
            "public_url": "https://meet.example.org",
            "data_dir": Path(),
            "bbb": {"servers": (server,)},
            **chats,
        }
    )


def test_admins_are_people_of_their_own_platform() -> None:
    policy = policy_of(settings(matrix=MATRIX, rocketchat=ROCKETCHAT, admins=("@ana:example.org",)))

    assert policy.admins == {
        Person("matrix", "@ana:example.org"),
        Person("rocketchat", "kcyQ4Jpqvm8o3x2Wd"),
    }


@pytest.mark.parametrize(
    ("chats", "paces"),
    [
        ({"rocketchat": ROCKETCHAT}, {}),
        ({"matrix": MATRIX, "rocketchat": ROCKETCHAT}, {"matrix": Pace(0.2, 10)}),
        (
            {"rocketchat": ROCKETCHAT | {"send_rate": 0.5, "send_burst": 8}},
            {"rocketchat": Pace(0.5, 8)},
        ),
    ],
    ids=["rocketchat, without a limit", "both", "rocketchat, with a limit"],
)
def test_each_chat_has_its_own_pace(chats: dict[str, object], paces: dict[str, Pace]) -> None:
    assert policy_of(settings(**chats)).paces == paces
