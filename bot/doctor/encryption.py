"""Checks that the crypto store on the disk and the device at the homeserver belong together."""

import json
from collections.abc import AsyncIterator

from bot.config import Matrix
from bot.doctor.asking import Case, NoAnswer, ask
from bot.doctor.finding import Finding, fail, ok, warn

KEYS = "matrix.keys"
_QUERY = "/_matrix/client/v3/keys/query"
_NEW_DEVICE = (
    "restore matrix/ from the backup; or log in as a new device (bbb-bot init does), "
    "and put its token and device id into the configuration"
)


async def check_encryption(case: Case) -> AsyncIterator[Finding]:
    """Both sides have the device's keys, or neither."""
    matrix = case.settings.matrix
    if matrix is None:
        return
    if not matrix.encryption:
        yield ok(KEYS, "encryption is switched off")
        return
    store = case.settings.data_dir / "matrix" / f"{matrix.user_id}_{matrix.device_id}.db"
    try:
        published = await _published(case, matrix)
    except NoAnswer as trouble:
        remedy = "put right what the checks of matrix name, then run this again"
        yield warn(KEYS, f"could not be compared: {trouble}", remedy)
        return
    yield judge(stored=store.exists(), published=published)


def judge(*, stored: bool, published: bool) -> Finding:
    """What to think of a device whose keys are on the disk, at the homeserver, or not."""
    if stored and published:
        return ok(KEYS, "the device's keys are here and at the homeserver")
    if published:
        text = "the homeserver knows the device's keys, but the crypto store here is gone"
        return fail(KEYS, text, _NEW_DEVICE)
    if stored:
        text = "the crypto store is here, but the homeserver has no keys of this device"
        return warn(
            KEYS, text, f"start the bot, which publishes them; if it stays so, {_NEW_DEVICE}"
        )
    return ok(KEYS, "none yet: the first start makes them")


async def _published(case: Case, matrix: Matrix) -> bool:
    token = matrix.access_token.get_secret_value()
    answer = await ask(
        case,
        matrix.homeserver + _QUERY,
        method="POST",
        headers={"Authorization": f"Bearer {token}"},
        json={"device_keys": {matrix.user_id: [matrix.device_id]}},
    )
    if answer.status != 200:
        raise NoAnswer(f"the homeserver answers with HTTP {answer.status}")
    try:
        devices = json.loads(answer.body)["device_keys"].get(matrix.user_id, {})
        return matrix.device_id in devices
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise NoAnswer("what answers is no homeserver") from None
