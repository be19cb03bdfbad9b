"""Checks of the device's keys: the same here and at the homeserver, and signed by its account."""

from collections.abc import AsyncIterator

from bot.chat.matrix.published import Published
from bot.config import Matrix
from bot.doctor.asking import Case, NoAnswer, ask
from bot.doctor.finding import Finding, fail, ok, warn

KEYS = "matrix.keys"
SIGNED = "matrix.signed"
_QUERY = "/_matrix/client/v3/keys/query"
_NEW_DEVICE = (
    "restore matrix/ from the backup; or log in as a new device (bbb-bot init does), "
    "and put its token and device id into the configuration"
)
_START = "start the bot, which signs it; if it stays so, its log says why (device_not_signed)"
_SET_UP = "set up recovery for the bot's account in Element, and give matrix.recovery_key"
_RECOVERY = (
    "its account's keys were made elsewhere, or the bot has not started since: start it, and if it "
    "stays so, give matrix.recovery_key; the bot's log says why (device_not_signed)"
)


async def check_encryption(case: Case) -> AsyncIterator[Finding]:
    """Both sides have the device's keys, or neither; clients that want it signed trust it."""
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
    yield judge(stored=store.exists(), published=bool(published.device))
    if published.device and matrix.cross_signing != "off":
        yield judge_signature(published, made_here=matrix.cross_signing == "auto")


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


def judge_signature(published: Published, *, made_here: bool) -> Finding:
    """What to think of the device's signature; `made_here`: the bot makes missing keys itself."""
    if published.is_device_signed:
        return ok(SIGNED, "the device is signed by its account")
    text = "the device is not signed: clients that exclude insecure devices cannot talk with it"
    if published.public("master") is None:
        remedy = _START if made_here else _SET_UP
    else:
        remedy = _RECOVERY
    return warn(SIGNED, text, remedy)


async def _published(case: Case, matrix: Matrix) -> Published:
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
    if "device_keys" not in answer.fields:
        raise NoAnswer("what answers is no homeserver")
    return Published.read(dict(answer.fields), matrix.user_id, matrix.device_id)
