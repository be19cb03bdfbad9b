"""The few jobs that are due every so often and matter to nobody's message; APScheduler runs them.

Everything that is due at a time of its own is a row in the database and belongs into a `Clockwork`.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

Job = Callable[[], Awaitable[None]]


class Housekeeping:
    """Runs each job once per interval, from one interval after the start on."""

    def __init__(self) -> None:
        self._intervals: dict[str, timedelta] = {}
        # After a suspend a job that is late runs once, however late.
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)

    def every(self, interval: timedelta, job: Job) -> None:
        """Run `job` once per `interval`; what it raises is logged."""
        name = job.__name__
        self._intervals[name] = interval
        self._scheduler.add_job(job, "interval", seconds=interval.total_seconds(), id=name)

    def start(self) -> None:
        self._scheduler.start()

    def clock_was_set(self) -> None:
        """Begin all intervals anew: the scheduler sleeps until a time of day, and would stand still
        for as long as the clock was set back.
        """
        for name, interval in self._intervals.items():
            self._scheduler.reschedule_job(
                name, trigger="interval", seconds=interval.total_seconds()
            )

    def stop(self) -> None:
        """Begin nothing more. Never raises, also when it was never started."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
