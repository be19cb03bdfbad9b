"""What tests of encryption start from: an encrypted room, further devices, published keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.chat.matrix.identity import USAGES, Identity, IdentityFile
from bot.chat.matrix.published import Published
from bot.chat.matrix.recovery import description_of, seal
from bot.chat.matrix.signatures import unpadded
from bot.demo.synapse import Account
from storage.records import Kind
from tests.matrix.bots import Bot, adapter_for
from tests.matrix.client import Visitor
from tests.matrix.intake import Inbox
from tests.matrix.peer import Peer


async def encrypted_room(bot: Bot, ada: Peer, hand: Visitor, version: str = "12") -> str:
    """A room of Ada's that the bot is in; each knows the other's device."""
    room = await hand.create_room(
        invite=[bot.user_id], encrypted=True, name="Team", version=version
    )
    await bot.inbox.until(lambda inbox: room in {c.channel.id for c in inbox.of(Kind.WELCOME)})
    await ada.knows(room, bot.user_id)
    return room


async def login(
    url: str, account: Account, device: str | None = None, *, by: Visitor | None = None
) -> Account:
    """The same account on a device, any new one when None; `by` asks for who is logged out."""
    body: dict[str, Any] = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": account.user_id},
        "password": account.password,
        **({"device_id": device} if device else {}),
    }
    async with Visitor(url, by.account if by else account) as someone:
        fresh = await someone.ask("POST", "/login", body)
    return Account(account.user_id, fresh["access_token"], fresh["device_id"], account.password)


async def another_device(bot: Bot, directory: Path, **settings: Any) -> Bot:
    """The bot's account on a second device, not started."""
    account = await login(bot.url, bot.account)
    adapter = adapter_for(bot.url, account, directory, **settings)
    return Bot(bot.url, account, directory, settings, Inbox(), adapter, bot.leaving)


def identity_file(bot: Bot) -> Path:
    """Where the bot keeps the account's cross-signing keys."""
    return bot.directory.with_name(f"{bot.directory.name}-cross-signing.json")


def identity_of(bot: Bot) -> Identity:
    """The keys in that file."""
    found = IdentityFile(identity_file(bot), "a key of the tests").load(bot.user_id)
    assert found
    return found


async def published(bot: Bot) -> Published:
    """What the homeserver shows of the bot's account and device."""
    async with Visitor(bot.url, bot.account) as self:
        body = {"device_keys": {bot.user_id: [bot.account.device_id]}}
        answer = await self.ask("POST", "/keys/query", body)
    return Published.read(answer, bot.user_id, bot.account.device_id)


async def store_secrets(bot: Bot, identity: Identity, key: bytes) -> None:
    """Fill the account's secret storage as Element does; the seeds are kept in base64."""
    async with Visitor(bot.url, bot.account) as self:
        data = f"/user/{bot.user_id}/account_data"
        await self.ask("PUT", f"{data}/m.secret_storage.default_key", {"key": "k1"})
        await self.ask("PUT", f"{data}/m.secret_storage.key.k1", description_of(key))
        for usage in USAGES:
            name = f"m.cross_signing.{usage}"
            sealed = seal(key, name, unpadded(identity.seeds[usage]).encode())
            await self.ask("PUT", f"{data}/{name}", {"encrypted": {"k1": sealed}})


async def reset(bot: Bot, identity: Identity, *, password: bool = True) -> None:
    """Replace the account's cross-signing keys, as its owner may with the password."""
    body: dict[str, Any] = {f"{usage}_key": identity.public(usage) for usage in USAGES}
    if password:
        user = {"type": "m.id.user", "user": bot.user_id}
        body["auth"] = {
            "type": "m.login.password",
            "identifier": user,
            "password": bot.account.password,
        }
    async with Visitor(bot.url, bot.account) as self:
        await self.ask("POST", "/keys/device_signing/upload", body)
