"""On a real homeserver the bot dies at every step of receiving, sending and marking, and answers
each command once, in plain rooms and in encrypted ones.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.demo.synapse import Synapse
from tests.conftest import Proof
from tests.faults.lives import KILLED, Lives
from tests.faults.points import POINTS
from tests.matrix.kill import come_to_life, gather, open_halls, pager, settle
from tests.matrix.our_bot import free_port, write_config
from tests.matrix.verdict import Hall, Reader

STEPS = ("receive", "store.finish", "send", "mark")
DEATHS_IN_A_ROW = 4
"""A command that was begun in ten lives without an end is given up, as is right."""
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
        life = lives.on_matrix(config)
        leaving.push_async_callback(life.kill)
        await come_to_life(crowd, halls, lives)
        assert await life.stop() == 0, lives.last_words()

        asked: dict[str, Hall] = {}

        async def whole_life() -> int:
            life = lives.on_matrix(config)
            leaving.push_async_callback(life.kill)
            await settle(crowd, set(asked), tmp_path / "data")
            return await life.stop()

        rounds, wanted = 0, proof.amount(3, long=25)
        while rounds < wanted and proof.in_time():
            for number, point in enumerate(MATRIX_POINTS):
                if number % DEATHS_IN_A_ROW == 0:
                    assert await whole_life() == 0, lives.last_words()
                for hall in (halls[number % 2], halls[2 + number % 2]):
                    asked[await crowd.say(hall)] = hall
                code = await lives.on_matrix(config, point).end()
                assert code == KILLED, f"{point}: {code}\n{lives.last_words()}"
            rounds += 1

        exit_code = await whole_life()
        reader = Reader(crowd.eve, await leaving.enter_async_context(pager(synapse, crowd)))
        verdict = await reader.judge(halls, crowd.bot.user_id, asked, exit_code)
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
