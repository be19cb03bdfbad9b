"""Whether the device that the homeserver shows to others is the one whose keys are kept here."""

from bot.chat.base import ChatMisconfigured
from bot.chat.matrix.client import Client, at
from bot.chat.matrix.signatures import is_signed
from bot.chat.shapes import Json, nested

LOST = (
    "The encryption store is not the one of the device {device}: lost, from another device, or "
    "made anew. Others would not trust its keys, so the bot does not start with it. Restore the "
    "store from the backup; or log the bot in again and put the new device id and token into the "
    "configuration."
)


async def published_device(client: Client) -> Json:
    """The answer to /keys/query for the own device. Raises MatrixError, ChatUnavailable."""
    body = {"device_keys": {client.user_id: [client.device_id]}}
    return await client.ask("POST", at("keys", "query"), body=body)


def check(client: Client, answer: Json) -> bool:
    """Compare that answer with the store; False where the homeserver has no keys of the device.

    Raises ChatMisconfigured for any others than ours, and for keys that the device did not sign.
    """
    user, device = client.user_id, client.device_id
    published = nested(answer, "device_keys", user, device)
    if not isinstance(published, dict):
        return False
    ours = client.olm.account.identity_keys
    expected = {f"{kind}:{device}": ours[kind] for kind in ("ed25519", "curve25519")}
    signed = is_signed(published, user, device, ours["ed25519"])
    if published.get("keys") != expected or not signed:
        raise ChatMisconfigured(LOST.format(device=device))
    return True
