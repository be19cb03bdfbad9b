"""The scan for canaries catches every way out, and nothing that holds a secret shows it.

The scan itself is tests/canary.py; it watches the whole suite.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bot.bbb.client import Client
from bot.chat.matrix.adapter import MatrixAdapter
from bot.chat.rocketchat.adapter import RocketChatAdapter
from bot.chat.rocketchat.ddp.protocol import Session
from bot.chat.rocketchat.rest import Rest
from bot.config import ConfigError, Settings, load
from bot.config.shape import keys
from bot.core import Secrets
from bot.demo.bbb.faults import Fault
from bot.keys import Keys, open_keys
from commands.errors import ServerTrouble
from commands.links import Links
from commands.ports import MeetingPlan, Policy
from commands.visits import Go, Press
from storage.records import Person
from tests import canary
from tests.canary import AVIARY
from tests.scenario.scene import link_in
from tests.security.permission_table import ROWS
from tests.web.house import House, open_house
from tests.web.world import PUBLIC

ROOT = Path(__file__).parents[2]
LEAKY = Path(__file__).with_name("leaky.py")

UNSUITABLE = {Fault.HANG, Fault.NEVER_TOLD, Fault.DRIP, Fault.RESET, Fault.LOST_REPLY}
FAULTS = [fault for fault in Fault if fault not in UNSUITABLE]
"""Those that answer at once and need no network; of the others some are broken at the line."""


@pytest.fixture
def debug() -> Iterator[None]:
    """Our own loggers tell everything, as under `log: {level: debug}`."""
    loggers = [logging.getLogger(name) for name in ("bot", "commands", "storage")]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield
    for logger in loggers:
        logger.setLevel(logging.NOTSET)


# --- the scan ------------------------------------------------------------------------------------


def test_every_leak_on_purpose_is_caught(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    said = subprocess.run(
        [sys.executable, "-m", "pytest", LEAKY, f"--junitxml={report}", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.returncode == pytest.ExitCode.TESTS_FAILED
    cases = list(ElementTree.parse(report).iter("testcase"))
    report.unlink()
    assert len(cases) >= 21, said.stdout
    for case in cases:
        name = str(case.get("name"))
        channel = name.split("_")[1]
        errors = "".join(error.text or "" for error in case.iter("error"))
        caught = (
            f"\n{channel}: " in errors
            if channel != "printed"
            else (
                f"a canary got out: printed: a password by {LEAKY.relative_to(ROOT)}::{name}"
                in said.stdout.replace("the secret of the video server", "a password")
            )
        )
        assert caught, f"{name}: {errors or said.stdout}"


@pytest.mark.parametrize(
    "text",
    ["nothing", "checksum=[hidden]", "the checksum is wrong", "/j/[hidden]", "sha256"],
)
def test_the_scan_is_calm_where_nothing_is_wrong(text: str) -> None:
    AVIARY.look("log", text, where="here")
    AVIARY.look_for_links("database", text, where="here")
    assert AVIARY.taken() == []


# --- a whole evening, told in full ---------------------------------------------------------------


async def test_an_evening_full_of_trouble_lets_nothing_out(tmp_path: Path, debug: None) -> None:
    """Everything that can be typed, each while BBB answers in another way; pages, a backup."""
    async with open_house(tmp_path / "data", Policy(public_url=PUBLIC)) as house:
        links = await house.live_links()
        for fault in (None, *FAULTS):
            house.scene.bbb.faults.clear()
            if fault is not None:
                house.scene.bbb.faults.set(fault)
            await every_command(house)
            await every_page(house, links)
        house.scene.bbb.faults.clear()
        for how in ("lost-reply", "down", "wrong-secret"):
            house.scene.break_bbb(how)
            await every_command(house)
        await house.scene.bot.world.store.backup(tmp_path / "copy")
        assert len(await house.scene.said()) > 100


async def every_command(house: House) -> None:
    """Everything in the permission table, by an admin; with limits that have room again."""
    for row in ROWS.values():
        await house.scene.forward(minutes=1)
        if row.form not in ("▶", "⏹"):
            await house.scene.says("alice", f"!bbb {row.typed.replace(':here.example', '')}")


async def every_page(house: House, links: dict[str, str]) -> None:
    for token in (*links.values(), "nobody-ever-made-this1"):
        browser = house.browser()
        await browser.open_and_press(token, name="Ana", remember="on", consent="on")
        await browser.http.aclose()


# --- what holds a secret does not show it --------------------------------------------------------


def canaries() -> dict[tuple[str, ...], str]:
    """One planted secret for each secret key of the configuration."""
    found = {key.path: f"canary-{'-'.join(key.path)}" for key in keys().values() if key.is_secret}
    for path, secret in found.items():
        canary.plant(secret.replace("*", "0"), f"the setting {'.'.join(path)}")
    return {path: secret.replace("*", "0") for path, secret in found.items()}


def configured(tmp_path: Path, **more: str) -> Settings:
    variables = {
        "BBB_BOT_PUBLIC_URL": "https://calls.example.org",
        "BBB_BOT_DATA_DIR": str(tmp_path / "data"),
        "BBB_BOT_BBB__SERVERS__0__NAME": "one",
        "BBB_BOT_BBB__SERVERS__0__URL": "https://bbb.example.org/bigbluebutton",
        "BBB_BOT_MATRIX__HOMESERVER": "https://matrix.example.org",
        "BBB_BOT_MATRIX__USER_ID": "@bbb:example.org",
        "BBB_BOT_MATRIX__DEVICE_ID": "BOT",
        "BBB_BOT_ROCKETCHAT__URL": "https://chat.example.org",
        "BBB_BOT_ROCKETCHAT__USER_ID": "aobEdbYhXfu5hkeqG",
        "HOME": str(tmp_path),
    }
    for path, secret in canaries().items():
        name = "__".join(step.replace("*", "0").upper() for step in path)
        variables[f"BBB_BOT_{name}"] = secret
    return load(None, env=variables | more, run_secrets=tmp_path / "none")


def shown(thing: Any) -> str:
    """Every way in which something comes into a text by accident."""
    return "\n".join([repr(thing), str(thing), f"{thing}", f"{[thing]}", ascii(thing)])


def sections(settings: Any) -> Iterator[Any]:
    """The settings, every section in them, and every value."""
    yield settings
    for name in getattr(type(settings), "model_fields", ()):
        value = getattr(settings, name)
        yield value
        for item in value if isinstance(value, tuple) else (value,):
            yield from sections(item)


def test_no_settings_object_shows_a_secret(tmp_path: Path) -> None:
    settings = configured(tmp_path)
    assert set(settings.secrets()) == set(canaries().values())
    for thing in sections(settings):
        texts = [shown(thing)]
        if hasattr(thing, "model_dump"):
            texts += [repr(thing.model_dump()), thing.model_dump_json(), repr(dict(thing))]
        assert AVIARY.secrets_in("\n".join(texts)) == [], type(thing)


@pytest.mark.parametrize("path", canaries(), ids=".".join)
def test_a_refused_configuration_shows_no_secret(path: tuple[str, ...], tmp_path: Path) -> None:
    """With a blank in it, too long, or where something else belongs."""
    name = "BBB_BOT_" + "__".join(step.replace("*", "0").upper() for step in path)
    secret = canaries()[path]
    for more in (
        {name: f"{secret} {secret}\n", "BBB_BOT_LANGUAGE": "xx"},
        {"BBB_BOT_PUBLIC_URL": secret},
        {"BBB_BOT_ADMINS__0": secret},
        {"BBB_BOT_LISTEN__PORT": secret},
        {name: secret, f"{name}_FILE": secret},
    ):
        with pytest.raises(ConfigError) as caught:
            configured(tmp_path, **more)
        assert AVIARY.secrets_in(shown(caught.value)) == []


async def test_nothing_that_works_with_a_secret_shows_it(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    opened = open_keys(tmp_path / "keys")
    for name in ("link", "pickle", "pseudonym"):
        canary.plant(getattr(opened, name), f"the {name} key")
    client = Client(
        name="one",
        url="https://bbb.example.org/bigbluebutton/api/",
        secrets=[canary.BBB_SECRET],
        bot_version="test",
    )
    adapter = MatrixAdapter(
        homeserver="https://matrix.example.org",
        user_id="@bbb:example.org",
        device_id="BOT",
        access_token=canary.ACCESS_TOKEN,
        store_dir=tmp_path,
        pickle_key=canary.PICKLE_KEY,
        identity_file=tmp_path / "cross-signing.json",
        recovery_key=canary.RECOVERY_KEY,
        prefixes=("!bbb",),
        encryption=False,
    )
    account = {"user_id": "aobEdbYhXfu5hkeqG", "url": "https://chat.example.org"}
    rocketchat = RocketChatAdapter(
        **account,
        access_token=canary.ROCKETCHAT_TOKEN,
        message_key=canary.PSEUDONYM_KEY,
        prefixes=("!bbb",),
    )
    things = [
        client,
        adapter,
        rocketchat,
        Rest(account["url"], account["user_id"], canary.ROCKETCHAT_TOKEN),
        Session(account["user_id"], canary.ROCKETCHAT_TOKEN),
        opened,
        Keys(opened.link, opened.pickle, opened.pseudonym),
        Secrets(canary.LINK_KEY, canary.PSEUDONYM_KEY),
        Links(canary.LINK_KEY, PUBLIC),
        Go(f"https://bbb.example.org/?checksum={'a' * 64}", canary.PASSWORD),
        Press(canary.PASSWORD, canary.PASSWORD),
    ]
    async with open_house(tmp_path / "data") as house:
        things += [house.scene.bot, house.scene.bot.world, house.scene.bot.world.servers]
        text = "\n".join(map(shown, things))
    assert AVIARY.secrets_in(text) == []
    assert "checksum=" not in text
    await client.close()
    await adapter.stop()
    await rocketchat.stop()


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_trouble_with_a_server_tells_an_address(fault: Fault, tmp_path: Path) -> None:
    """An exception is text that somebody will print."""
    async with open_house(tmp_path / "data") as house:
        house.scene.bbb.faults.set(fault)
        servers = house.scene.bot.world.servers
        try:
            await servers.create("one", MeetingPlan("mx-1", "Team"))
        except ServerTrouble as error:
            chain: BaseException | None = error
            while chain is not None:
                text = shown(chain)
                assert AVIARY.secrets_in(text) == []
                assert "checksum=" not in text and "/api/" not in text
                chain = chain.__cause__


async def test_the_database_holds_no_link_that_the_chat_was_told(tmp_path: Path) -> None:
    """And what it holds instead opens nothing: a fingerprint is no link."""
    async with open_house(tmp_path / "data") as house:
        links = await house.live_links()
        rows = "\n".join(house.rows())
        assert not [kind for kind, token in links.items() if token in rows]
        told = await house.scene.told("bob")
        assert link_in(told[-1]) in links.values()
        for row in ("link", "outbox", "card", "inbox"):
            assert row in rows
    assert AVIARY.secrets_in(rows) == []


def test_people_are_no_secret() -> None:
    """The scan does not take every id for a secret: else it would prove nothing."""
    assert AVIARY.secrets_in(repr(Person("matrix", "@ana:example.org"))) == []
