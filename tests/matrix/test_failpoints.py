"""On a real homeserver the bot dies at every step of receiving, sending and marking, and answers
each command once, in plain rooms and in encrypted ones.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from bot.demo.synapse import Synapse
from tests.conftest import Proof
from tests.faults.kills import Deaths
from tests.faults.lives import Lives
from tests.faults.points import POINTS
from tests.matrix.kill import gather, open_halls, pager
from tests.matrix.our_bot import write_config
from tests.matrix.verdict import Reader
from tests.our_bot import free_port

STEPS = ("receive", "store.finish", "send", "mark")
MATRIX_POINTS = [point for point in POINTS if point.rpartition(".")[0] in STEPS]


@pytest.mark.promise(
    "Killed at any step in a real room, the bot answers each command once.", weight=6
)
async def test_dying_at_each_step_it_answers_once(
    synapse: Synapse, tmp_path: Path, proof: Proof
) -> None:
    async with AsyncExitStack() as leaving:
        crowd = await gather(synapse, tmp_path, leaving)
        halls = await open_halls(synapse, crowd, rooms=4)
        config = write_config(
            tmp_path, crowd.bot, homeserver=synapse.url, bbb_port=free_port(), bbb_secret="none"
        )
        lives = Lives(tmp_path)
        life = lives.on("matrix", config)
        leaving.push_async_callback(life.kill)
        await crowd.meet(halls, lives.last_words)
        assert await life.stop() == 0, lives.last_words()

        deaths = Deaths(crowd, lives, partial(lives.on, "matrix", config))
        rounds, wanted = 0, proof.amount(3, long=25)
        while rounds < wanted and proof.in_time():
            await deaths.at_each(MATRIX_POINTS, [halls[0::2], halls[1::2]])
            rounds += 1
        reader = Reader(crowd.eve, await leaving.enter_async_context(pager(synapse, crowd)))
        verdict = await reader.judge(halls, crowd.bot.user_id, deaths.asked, exit_code=0)
    proof.measured(
        kills=rounds * len(MATRIX_POINTS),
        points=len(MATRIX_POINTS),
        commands=verdict.asked,
        lost=len(verdict.lost),
        answered_twice=len(verdict.doubled),
    )
    assert (verdict.lost, verdict.doubled) == ((), ())
    assert len(verdict.texts) == 1, "something else than help was answered"
    assert (verdict.unreadable, verdict.in_clear, verdict.exit_code) == (0, 0, 0)
