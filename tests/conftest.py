"""Tests of promises: short by default, long under `make prove`, with the figures they measured.

A test of something that README or docs/promises.md promises carries `@pytest.mark.promise("…")`,
takes its sizes from the fixture `proof`, and hands back what it counted:

    @pytest.mark.promise("A bot killed at any moment answers each command once.")
    async def test_kills(proof: Proof) -> None:
        wanted, kills = proof.amount(5, long=1000), 0
        while kills < wanted and proof.in_time():
            ...
        proof.measured(kills=kills, lost=0, answered_twice=0)

`weight=8` in the marker gives a test eight times the share of the time under `make prove`.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.canary import Lookout

Figure = int | float | str


@dataclass(slots=True)
class Proof:
    """How much one test of a promise does, how long it may take, and what it found."""

    long: bool
    seconds: float
    figures: dict[str, Figure] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def amount(self, short: int, *, long: int) -> int:
        """`short` in an ordinary run, `long` under `make prove`."""
        return long if self.long else short

    def in_time(self) -> bool:
        """Whether a loop may go round once more; an ordinary run always may."""
        return not self.long or time.monotonic() - self.began < self.seconds

    def measured(self, **figures: Figure) -> None:
        """Keep what was counted: for docs/promises.md, and to be seen where the test fails."""
        self.figures.update(figures)
        sys.stdout.write(f"measured: {json.dumps(figures)}\n")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Lookout(), "canaries")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """What Rocket.Chat's schemas refuse fails the test, also where a background task sent it."""
    yield
    strict = sys.modules.get("tests.fakes.rocketchat.strict")
    if strict is not None and (found := strict.taken()):
        pytest.fail("against Rocket.Chat's schemas:\n" + "\n".join(found), pytrace=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("promises")
    group.addoption("--long", action="store_true", help="tests of promises in their long form")
    group.addoption("--proof-seconds", type=float, default=600.0, help="for one test, with --long")
    group.addoption("--list-promises", action="store_true", help="with --collect-only: by weight")
    group.addoption("--proofs", type=Path, help="append what was measured here, a JSON a line")


def pytest_collection_finish(session: pytest.Session) -> None:
    """With --list-promises: a line for each, `PROMISE WEIGHT TEST`."""
    if session.config.getoption("--list-promises"):
        for item in session.items:
            if marker := item.get_closest_marker("promise"):
                weight = marker.kwargs.get("weight", 1)
                sys.stdout.write(f"\nPROMISE {weight} {item.nodeid}")


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Iterator[Proof]:
    """The sizes of this run, and a place for what the test measures."""
    config = request.config
    proof = Proof(config.getoption("--long"), config.getoption("--proof-seconds"))
    failed_before = request.session.testsfailed
    yield proof
    marker = request.node.get_closest_marker("promise")
    assert marker is not None, "a test that takes `proof` names its promise"
    target: Path | None = config.getoption("--proofs")
    if target is not None and request.session.testsfailed == failed_before:
        line = {
            "test": request.node.nodeid,
            "promise": marker.args[0],
            "figures": proof.figures,
            "seconds": round(time.monotonic() - proof.began, 1),
        }
        with target.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


@pytest.fixture
def seed() -> int:
    """Of the moments of kills; printed with a failure, and BBB_BOT_KILL_SEED repeats one."""
    seed = int(os.environ.get("BBB_BOT_KILL_SEED") or random.randrange(10**6))
    sys.stdout.write(f"BBB_BOT_KILL_SEED={seed}\n")
    return seed
