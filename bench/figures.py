"""What was measured of one bot, and the figures made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass(slots=True)
class Measured:
    """Raw values of one bot over all rounds; times in seconds, memory in MiB.

    `latencies` stand in the order they were taken, so that two bots can be compared pair by pair.
    `bursts` are replies a second, `lost_in_bursts` commands.
    """

    latencies: list[float] = field(default_factory=list)
    cards: list[float] = field(default_factory=list)
    bursts: list[float] = field(default_factory=list)
    lost_in_bursts: list[int] = field(default_factory=list)
    lost: int = 0
    duplicated: int = 0
    answered: int = 0
    cpu_seconds: float = 0.0
    rss_idle_mib: float = 0.0
    rss_peak_mib: float = 0.0

    def figures(self) -> dict[str, float]:
        """The figures by name. Raises ValueError when nothing was answered."""
        if not self.answered:
            raise ValueError("the bot answered nothing")
        figures = {
            "p50_ms": milliseconds(median(self.latencies)),
            "p95_ms": milliseconds(percentile(self.latencies, 95)),
            "lost": self.lost,
            "duplicated": self.duplicated,
            "replies_per_s": round(median(self.bursts), 1),
            "rss_idle_mib": round(self.rss_idle_mib, 1),
            "rss_peak_mib": round(self.rss_peak_mib, 1),
            "cpu_ms_per_command": round(self.cpu_seconds * 1000 / self.answered, 2),
        }
        return figures | ({"card_p50_ms": milliseconds(median(self.cards))} if self.cards else {})


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of a hundred values are at most, interpolated. Needs two values."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def paired_difference(one: Sequence[float], other: Sequence[float]) -> float:
    """The median of `one - other` over commands that were sent right after each other."""
    return median(a - b for a, b in zip(one, other, strict=True))


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds with one decimal."""
    return round(seconds * 1000, 1)
