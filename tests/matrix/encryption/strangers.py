"""Devices of many people, and a homeserver's answers about them, made without a homeserver."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import vodozemac

from bot.chat.matrix.signatures import canonical, unpadded


def signed(account: vodozemac.Account, value: dict[str, Any], user: str, device: str) -> Any:
    """The object with this device's signature."""
    signature = account.sign(canonical(value)).to_base64()
    return {**value, "signatures": {user: {f"ed25519:{device}": signature}}}


class Stranger:
    """One device: its published keys, and one-time keys to claim."""

    def __init__(self, user: str, device: str) -> None:
        self.user, self.device = user, device
        self.account = vodozemac.Account()
        self.account.generate_one_time_keys(3)
        self._one_time = iter(self.account.one_time_keys.items())
        self.keys = signed(
            self.account,
            {
                "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
                "user_id": user,
                "device_id": device,
                "keys": {
                    f"curve25519:{device}": self.account.curve25519_key.to_base64(),
                    f"ed25519:{device}": self.account.ed25519_key.to_base64(),
                },
            },
            user,
            device,
        )

    def one_time_key(self) -> dict[str, Any]:
        """A key nobody had before. Raises StopIteration when they are used up."""
        name, key = next(self._one_time)
        value = signed(self.account, {"key": key.to_base64()}, self.user, self.device)
        return {f"signed_curve25519:{name}": value}


@dataclass(slots=True)
class Crowd:
    """People with some devices each; `ask` stands in for `Client.ask`. `got` counts room keys."""

    people: int
    devices_each: int
    got: dict[tuple[str, str], int] = field(default_factory=dict)
    some_got: asyncio.Event = field(default_factory=asyncio.Event)
    strangers: dict[str, dict[str, Stranger]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for person, number in itertools.product(range(self.people), range(self.devices_each)):
            user, device = f"@person-{person}:example.org", f"DEVICE{number}"
            self.strangers.setdefault(user, {})[device] = Stranger(user, device)

    async def ask(self, method: str, path: str, *, body: Any = None, **_: Any) -> Any:
        """Answer as a homeserver does, from text: what reading it costs belongs to the work."""
        return json.loads(json.dumps(self._answer(path, body)))

    def _answer(self, path: str, body: Any) -> Any:
        if path == "/keys/query":
            asked = {who: self.strangers.get(who, {}) for who in body["device_keys"]}
            keys = {who: {d: s.keys for d, s in them.items()} for who, them in asked.items()}
            return {"device_keys": keys, "failures": {}}
        if path == "/keys/claim":
            claimed = {
                who: {device: self.strangers[who][device].one_time_key() for device in devices}
                for who, devices in body["one_time_keys"].items()
            }
            return {"one_time_keys": claimed, "failures": {}}
        assert path.startswith("/sendToDevice/m.room.encrypted/")
        for who, messages in body["messages"].items():
            for device in messages:
                self.got[who, device] = self.got.get((who, device), 0) + 1
        self.some_got.set()
        return {}


def broken_key() -> str:
    """No key at all, but of its length."""
    return unpadded(bytes(32))
