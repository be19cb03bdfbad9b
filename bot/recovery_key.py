"""Makes a recovery key for the cross-signing keys that the bot made: shown once, kept nowhere."""

import asyncio
import tempfile
from pathlib import Path

from bot.chat.base import ChatMisconfigured
from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client
from bot.chat.matrix.identity import IdentityFile
from bot.chat.matrix.own_device import published_device
from bot.chat.matrix.published import Published
from bot.chat.matrix.secret_storage import CannotSign, SecretStorage
from bot.config import Matrix, Settings
from bot.keys import open_keys
from commands.errors import ChatUnavailable


class NoRecoveryKey(Exception):
    """None was made; the text says why and what to do."""


def make_recovery_key(settings: Settings) -> str:
    """Store the account's keys at the homeserver under a new key; the running bot is not disturbed.

    Raises NoRecoveryKey, ConfigError.
    """
    if settings.matrix is None:
        raise NoRecoveryKey("No Matrix account is configured.")
    if not settings.data_dir.is_dir():
        raise NoRecoveryKey(
            f"{settings.data_dir} is not there, and so no keys. Nothing was changed."
            " Has the bot run already?"
        )
    pickle_key = open_keys(settings.data_dir).pickle.hex()
    file = IdentityFile(settings.data_dir / "cross-signing.json", pickle_key)
    try:
        return asyncio.run(_make(settings.matrix, file))
    except (CannotSign, ChatMisconfigured) as error:
        raise NoRecoveryKey(str(error)) from error
    except (MatrixError, ChatUnavailable) as error:
        raise NoRecoveryKey(f"The homeserver did not do its part: {error}. Try again.") from error


async def _make(matrix: Matrix, file: IdentityFile) -> str:
    identity = file.load(matrix.user_id)
    with tempfile.TemporaryDirectory() as nothing_here:
        client = Client(
            homeserver=matrix.homeserver,
            user_id=matrix.user_id,
            device_id=matrix.device_id,
            access_token=matrix.access_token.get_secret_value(),
            store_dir=Path(nothing_here),
            pickle_key="",
            encryption=False,
        )
        client.open()
        try:
            answer = await published_device(client)
            account = Published.read(answer, matrix.user_id, matrix.device_id)
            if identity is None or account.public("master") != identity.key("master").public:
                raise CannotSign(
                    "The account's cross-signing keys were not made by this bot. Nothing was "
                    "changed. Whoever made them has the recovery key, or can make one in Element."
                )
            return await SecretStorage(client).fill(identity)
        finally:
            await client.shut()
