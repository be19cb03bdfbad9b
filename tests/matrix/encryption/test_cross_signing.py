"""The bot signs its own device, and no other, with the account's keys; on a real Synapse."""

from __future__ import annotations

import asyncio
import logging
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.chat.base import ChatMisconfigured, Mode
from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client
from bot.chat.matrix.identity import Identity
from bot.chat.matrix.recovery import spelled
from bot.chat.matrix.secret_storage import CannotSign, SecretStorage
from bot.config import Settings
from bot.demo.matrix_client import MatrixRefused
from bot.keys import open_data_dir, open_keys
from bot.recovery_key import NoRecoveryKey, make_recovery_key
from commands.errors import ChatUnavailable
from tests.matrix.bots import Bot, Bots, eventually
from tests.matrix.client import Visitor
from tests.matrix.encryption.setting import (
    another_device,
    identity_file,
    identity_of,
    published,
    reset,
    store_secrets,
)
from tests.matrix.names import fresh

KEY = bytes(range(32))
KEYS_UPLOAD = "/keys/device_signing/upload"
SIGNATURES_UPLOAD = "/keys/signatures/upload"

Ask = Callable[..., Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of all that the bots ask from now on."""
    paths: list[str] = []
    ask = Client.ask

    async def noted(self: Client, method: str, path: str, **more: Any) -> Any:
        paths.append(path)
        return await ask(self, method, path, **more)

    monkeypatch.setattr(Client, "ask", noted)
    return paths


def instead(
    monkeypatch: pytest.MonkeyPatch, path: str, answer: Callable[[Any], Any], *, after: int = 0
) -> None:
    """Have `answer` change what the homeserver says to `path`, but for the first `after` times."""
    ask, count = Client.ask, iter(range(10_000))

    async def changed(self: Client, method: str, asked: str, **more: Any) -> Any:
        if asked != path or next(count) < after:
            return await ask(self, method, asked, **more)
        return answer(await ask(self, method, asked, **more))

    monkeypatch.setattr(Client, "ask", changed)


def lost(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """The homeserver does what `path` asks, and its answer is lost."""

    def no_answer(_: Any) -> Any:
        raise ChatUnavailable("no answer")

    instead(monkeypatch, path, no_answer)


def refused(monkeypatch: pytest.MonkeyPatch, path: str, error: Exception) -> None:
    """The homeserver does not do what `path` asks."""
    ask = Client.ask

    async def refusing(self: Client, method: str, asked: str, **more: Any) -> Any:
        if asked == path:
            raise error
        return await ask(self, method, asked, **more)

    monkeypatch.setattr(Client, "ask", refusing)


async def new(bots: Bots, **settings: Any) -> Bot:
    return await bots.new(fresh("signed"), **settings)


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.message for r in caplog.records if getattr(r, "action", "") == "device_not_signed"]


# --- keys made here -------------------------------------------------------------------------------


async def test_the_first_start_makes_keys_and_signs_the_device(bots: Bots) -> None:
    bot = await new(bots)

    account = await published(bot)
    assert account.is_device_signed
    assert account.public("master") == identity_of(bot).key("master").public
    assert stat.S_IMODE(identity_file(bot).stat().st_mode) == 0o600
    seeds = identity_of(bot).seeds.values()
    assert not any(seed.hex() in identity_file(bot).read_text() for seed in seeds)


async def test_the_second_start_changes_nothing(bots: Bots, asked: list[str]) -> None:
    bot = await new(bots)
    before = await published(bot)
    asked.clear()

    await bot.restart()

    assert not {KEYS_UPLOAD, SIGNATURES_UPLOAD} & set(asked)
    assert await published(bot) == before


async def test_a_second_device_is_signed_with_the_same_keys(bots: Bots, tmp_path: Path) -> None:
    first = await new(bots)
    second = await another_device(first, tmp_path / "2", identity_file=identity_file(first))

    await second.start()

    assert (await published(second)).is_device_signed
    assert (await published(second)).keys == (await published(first)).keys


async def test_seeds_are_kept_before_the_keys_are_published(
    bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await new(bots, started=False)
    with monkeypatch.context() as patch:
        lost(patch, KEYS_UPLOAD)
        await bot.start()
    kept = identity_of(bot).key("master").public

    await bot.restart()

    account = await published(bot)
    assert account.is_device_signed and account.public("master") == kept


async def test_a_crash_before_the_keys_are_published_uses_those_kept(
    bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await new(bots, started=False)
    with monkeypatch.context() as patch:
        refused(patch, KEYS_UPLOAD, ChatUnavailable("no connection"))
        await bot.start()
    kept = identity_of(bot).key("master").public
    assert (await published(bot)).public("master") is None

    await bot.restart()

    assert (await published(bot)).public("master") == kept


async def test_a_try_that_failed_is_made_again_without_a_restart(
    bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.matrix.cross_signing.PAUSE_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        refused(patch, SIGNATURES_UPLOAD, MatrixError(502))
        bot = await new(bots)

    async def is_signed() -> bool:
        async with Visitor(bot.url, bot.account) as self:  # brings the bot's sync an answer
            await self.create_room()
        return (await published(bot)).is_device_signed

    assert not (await published(bot)).is_device_signed
    await eventually(is_signed)


async def test_off_leaves_the_account_alone(bots: Bots) -> None:
    bot = await new(bots, cross_signing="off")

    account = await published(bot)
    assert account.device and not account.keys
    assert not identity_file(bot).exists()


# --- keys made elsewhere --------------------------------------------------------------------------


async def test_keys_of_somebody_else_are_left_alone(
    bots: Bots, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = await new(bots)
    before = (await published(first)).keys
    second = await another_device(first, tmp_path / "2")

    await second.start()

    account = await published(second)
    assert account.keys == before and not account.is_device_signed
    assert second.adapter.mode is Mode.LIVE
    assert len(warned(caplog)) == 1 and "matrix.recovery_key" in warned(caplog)[0]


@pytest.mark.parametrize("mode", ["auto", "recovery_key"])
async def test_a_recovery_key_opens_the_account_s_own_keys(
    bots: Bots, tmp_path: Path, mode: str
) -> None:
    first = await new(bots)
    await store_secrets(first, identity_of(first), KEY)
    settings = {"cross_signing": mode, "recovery_key": f"  {spelled(KEY)}\n"}
    second = await another_device(first, tmp_path / "2", **settings)

    await second.start()

    account = await published(second)
    assert account.is_device_signed and account.keys == (await published(first)).keys
    assert identity_of(second).seeds == identity_of(first).seeds


@pytest.mark.parametrize(
    ("recovery_key", "reason"),
    [
        (spelled(bytes(32)), "not the recovery key that"),
        (spelled(KEY)[:-1], "no Matrix recovery key"),
        ("correct horse battery staple", "no Matrix recovery key"),
    ],
)
async def test_a_wrong_recovery_key_is_said_and_never_shown(
    bots: Bots, tmp_path: Path, caplog: pytest.LogCaptureFixture, recovery_key: str, reason: str
) -> None:
    first = await new(bots)
    await store_secrets(first, identity_of(first), KEY)
    second = await another_device(first, tmp_path / "2", recovery_key=recovery_key)

    with caplog.at_level(logging.DEBUG):
        await second.start()

    assert not (await published(second)).is_device_signed
    assert len(warned(caplog)) == 1 and reason in warned(caplog)[0]
    assert recovery_key not in caplog.text


async def test_secrets_that_are_not_the_published_keys_sign_nothing(
    bots: Bots, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = await new(bots)
    await store_secrets(first, Identity.new(first.user_id), KEY)
    second = await another_device(first, tmp_path / "2", recovery_key=spelled(KEY))

    await second.start()

    assert not (await published(second)).is_device_signed
    assert "other keys than it has published" in warned(caplog)[0]


@pytest.mark.parametrize("missing", ["storage", "secret"])
async def test_what_is_missing_in_the_storage_is_named(
    bots: Bots, tmp_path: Path, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    first = await new(bots)
    if missing == "secret":
        await store_secrets(first, identity_of(first), KEY)
        async with Visitor(first.url, first.account) as self:
            path = f"/user/{first.user_id}/account_data/m.cross_signing.master"
            await self.ask("PUT", path, {"encrypted": {}})
    second = await another_device(first, tmp_path / "2", recovery_key=spelled(KEY))

    await second.start()

    expected = {"storage": "has no secret storage", "secret": "m.cross_signing.master is not"}
    assert expected[missing] in warned(caplog)[0]


async def test_without_keys_on_the_account_the_mode_recovery_key_makes_none(
    bots: Bots, caplog: pytest.LogCaptureFixture
) -> None:
    bot = await new(bots, cross_signing="recovery_key", recovery_key=spelled(KEY))

    assert not (await published(bot)).keys
    assert "has no cross-signing keys" in warned(caplog)[0]


async def test_keys_that_were_reset_elsewhere_are_left_alone(
    bots: Bots, caplog: pytest.LogCaptureFixture
) -> None:
    bot = await new(bots)
    other = Identity.new(bot.user_id)
    with pytest.raises(MatrixRefused, match="401"):
        await reset(bot, other, password=False)
    await reset(bot, other)

    await bot.restart()

    account = await published(bot)
    assert account.public("master") == other.key("master").public
    assert not account.is_device_signed
    assert "was reset" in warned(caplog)[0]


async def test_after_a_reset_the_new_recovery_key_signs_again(bots: Bots) -> None:
    bot = await new(bots)
    other = Identity.new(bot.user_id)
    await reset(bot, other)
    await store_secrets(bot, other, KEY)
    bot.settings["recovery_key"] = spelled(KEY)

    await bot.restart()

    assert (await published(bot)).is_device_signed
    assert identity_of(bot).seeds == other.seeds


async def test_a_homeserver_that_wants_a_login_first_is_explained(
    bots: Bots, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(monkeypatch, KEYS_UPLOAD, MatrixError(401))

    bot = await new(bots)

    assert bot.adapter.mode is Mode.LIVE
    assert "only with a login" in warned(caplog)[0]


async def test_a_recovery_key_made_by_the_bot_serves_another_installation(
    bots: Bots, tmp_path: Path
) -> None:
    first = await new(bots)
    storage = SecretStorage(first.adapter._client)
    recovery_key = await storage.fill(identity_of(first))
    second = await another_device(first, tmp_path / "2", recovery_key=recovery_key)

    await second.start()

    assert (await published(second)).is_device_signed
    with pytest.raises(CannotSign, match="already"):
        await storage.fill(identity_of(first))


async def test_the_command_makes_it_beside_a_running_bot(
    bots: Bots, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    pickle_key = open_keys(open_data_dir(data)).pickle.hex()
    bot = await new(bots, started=False)
    bot.settings |= {"pickle_key": pickle_key, "identity_file": data / "cross-signing.json"}
    settings = settings_of(bot, data)
    with pytest.raises(NoRecoveryKey, match="not made by this bot"):
        await asyncio.to_thread(make_recovery_key, settings)
    await bot.start()

    recovery_key = await asyncio.to_thread(make_recovery_key, settings)

    second = await another_device(bot, tmp_path / "2", recovery_key=recovery_key)
    await second.start()
    assert (await published(second)).is_device_signed
    with pytest.raises(NoRecoveryKey, match="already"):
        await asyncio.to_thread(make_recovery_key, settings)


def settings_of(bot: Bot, data: Path) -> Settings:
    return Settings.model_validate(
        {
            "public_url": "https://meet.example.org",
            "data_dir": data,
            "bbb": {"servers": [{"name": "b", "url": "https://bbb.example.org", "secret": "s"}]},
            "matrix": {
                "homeserver": bot.url,
                "user_id": bot.user_id,
                "device_id": bot.account.device_id,
                "access_token": bot.account.access_token,
            },
        }
    )


# --- a homeserver that shows something else -------------------------------------------------------


def with_foreign(name: str) -> Callable[[Any], Any]:
    """Another key in place of the device's own `name`, validly signed by nobody."""

    def lie(answer: Any) -> Any:
        for device in next(iter(answer["device_keys"].values())).values():
            key = next(key for key in device["keys"] if key.startswith(name))
            device["keys"][key] = "A" * 43
        return answer

    return lie


@pytest.mark.parametrize("name", ["ed25519", "curve25519"])
@pytest.mark.parametrize("after", [0, 1])
async def test_a_foreign_device_is_never_signed(
    bots: Bots,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[str],
    name: str,
    after: int,
) -> None:
    """At the start of a known device, or just when it is about to be signed."""
    bot = await new(bots, cross_signing="off")
    await bot.adapter.stop()
    bot.settings["cross_signing"] = "auto"
    instead(monkeypatch, "/keys/query", with_foreign(name), after=after)

    with pytest.raises(ChatMisconfigured, match="not the one of the device"):
        await bot.start()

    assert SIGNATURES_UPLOAD not in asked


async def test_a_device_with_added_algorithms_is_never_signed(
    bots: Bots, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    def lie(answer: Any) -> Any:
        for device in next(iter(answer["device_keys"].values())).values():
            device["algorithms"].append("m.weak")
        return answer

    bot = await new(bots, cross_signing="off")
    bot.settings["cross_signing"] = "auto"
    instead(monkeypatch, "/keys/query", lie, after=1)

    with pytest.raises(ChatMisconfigured):
        await bot.restart()

    assert SIGNATURES_UPLOAD not in asked


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"%s": {"master": {}}}', b"\xff"])
async def test_a_damaged_file_of_keys_is_said_and_left_as_it_is(bots: Bots, content: bytes) -> None:
    bot = await new(bots, started=False)
    content = content.replace(b"%s", bot.user_id.encode())
    identity_file(bot).write_bytes(content)

    with pytest.raises(ChatMisconfigured, match="same backup"):
        await bot.start()

    assert identity_file(bot).read_bytes() == content
