"""What a homeserver's refusal of a message means: wait, try again, it broke, or never."""

import pytest

from bot.chat.matrix.answers import error_from, trouble
from commands.errors import ChatBusy, ChatFailed, ChatRefused, ChatTrouble, ChatUnavailable


@pytest.mark.parametrize(
    ("status", "errcode", "means"),
    [
        pytest.param(429, "M_LIMIT_EXCEEDED", ChatBusy, id="too many"),
        pytest.param(413, "M_TOO_LARGE", ChatRefused, id="too large"),
        pytest.param(403, "M_FORBIDDEN", ChatRefused, id="not allowed"),
        pytest.param(400, "M_BAD_JSON", ChatRefused, id="a float in the content"),
        pytest.param(500, "M_UNKNOWN", ChatFailed, id="half a character in the content"),
        pytest.param(500, "", ChatUnavailable, id="a proxy's page"),
        pytest.param(502, "", ChatUnavailable, id="a proxy without a homeserver"),
        pytest.param(503, "M_UNKNOWN", ChatUnavailable, id="a homeserver that starts"),
        pytest.param(403, "", ChatUnavailable, id="a proxy that forbids"),
    ],
)
def test_an_answer_means(status: int, errcode: str, means: type[ChatTrouble]) -> None:
    body = {"errcode": errcode} if errcode else "<html>"
    found = trouble(error_from(status, {}, body))
    assert type(found) is means
