"""`bbb-bot init` finds the bot's account on a real Synapse, by token and by password."""

import asyncio

import pytest

from bot.demo.synapse import Synapse
from bot.init.refusal import Refused
from bot.init.trials import Trials


async def test_by_token_and_by_password(synapse: Synapse) -> None:
    trials, account = Trials(), await synapse.register("init-account", password="right")

    def interview() -> None:
        homeserver = trials.homeserver(f"{synapse.url}/")
        assert homeserver == synapse.url
        found = trials.token(homeserver, account.access_token)
        assert (found.user_id, found.device_id) == (account.user_id, account.device_id)
        with pytest.raises(Refused, match="does not know this access token"):
            trials.token(homeserver, "syt_wrong")
        with pytest.raises(Refused, match="refuses user or password"):
            trials.login(homeserver, account.user_id, "wrong")
        new = trials.login(homeserver, account.user_id, "right")
        assert new.device_id not in ("", account.device_id), "no device is taken over"
        assert trials.token(homeserver, new.access_token) == new
        people = (account.user_id,)
        assert trials.admins(homeserver, new.access_token, account.user_id) == people
        with pytest.raises(Refused, match="knows nobody called @nobody:localhost"):
            trials.admins(homeserver, new.access_token, "@nobody:localhost")

    await asyncio.to_thread(interview)
