"""Interval jobs go on whatever the wall clock does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import time_machine

from bot.clock import utc_now
from bot.jobs.housekeeping import Housekeeping

HOUR = timedelta(hours=1)


class Told:
    """A job that tells when it runs."""

    def __init__(self) -> None:
        self._ran = asyncio.Event()

    async def job(self) -> None:
        self._ran.set()

    async def runs_again(self) -> None:
        self._ran.clear()
        async with asyncio.timeout(20):
            await self._ran.wait()


@pytest.fixture
async def housekeeping() -> AsyncIterator[Housekeeping]:
    housekeeping = Housekeeping()
    yield housekeeping
    housekeeping.stop()


async def test_a_job_runs_again_and_again(housekeeping: Housekeeping) -> None:
    told = Told()
    housekeeping.every(timedelta(seconds=0.05), told.job)
    housekeeping.start()
    await told.runs_again()
    await told.runs_again()


@pytest.mark.parametrize("by", [-HOUR, HOUR], ids=str)
async def test_a_job_goes_on_after_the_clock_was_set(
    by: timedelta, housekeeping: Housekeeping
) -> None:
    told = Told()
    with time_machine.travel(utc_now(), tick=True) as machine:
        housekeeping.every(timedelta(seconds=0.05), told.job)
        housekeeping.start()
        await told.runs_again()
        machine.shift(by)
        housekeeping.clock_was_set()
        await told.runs_again()


async def test_one_that_fails_is_tried_at_its_next_time(housekeeping: Housekeeping) -> None:
    told = Told()

    async def job() -> None:
        await told.job()
        raise OSError("the disk")

    housekeeping.every(timedelta(seconds=0.05), job)
    housekeeping.start()
    await told.runs_again()
    await told.runs_again()


def test_stopping_what_never_started_is_no_error() -> None:
    Housekeeping().stop()
