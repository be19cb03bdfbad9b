"""Runs every test of a promise in its long form and writes docs/promises.md from what it measured.

    make prove                        at most an hour; stopped, it goes on where it was
    make prove ARGS="--minutes 10"    shorter; the page says how much was done
    make prove ARGS=--fresh           forget what an earlier run measured

Each test gets a share of the time that is left by its weight, in a process of its own. What was
measured is kept in `.prove/`, for one state of the code only: after a change all is measured anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".prove"
PAGE = ROOT / "docs" / "promises.md"
CODE = ("bot", "commands", "storage", "tests", "pyproject.toml", "requirements-dev.lock")
GRACE_SECONDS = 300
"""Beyond its share, for what a test does after its loop: its verdict, and stopping servers."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one test of a promise found; `figures` by name, `seconds` it took."""

    test: str
    promise: str
    figures: dict[str, Any]
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Give the exit code: 1 when a promise did not hold, then the page stays as it was."""
    parser = argparse.ArgumentParser(
        prog="make prove", description="Prove the promises, at length."
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="time for all (default 60)")
    parser.add_argument("--fresh", action="store_true", help="forget earlier measurements")
    given = parser.parse_args(arguments)
    KEPT.mkdir(exist_ok=True)
    results = KEPT / f"{state_of_the_code()}.jsonl"
    if given.fresh:
        results.unlink(missing_ok=True)
    tests = promises()
    done = {one.test for one in read(results)}
    left = {test: weight for test, weight in tests.items() if test not in done}
    failed = run(left, results, given.minutes * 60)
    if failed:
        say(f"{len(failed)} promises do not hold: " + ", ".join(failed))
        return 1
    PAGE.write_text(page(read(results), datetime.now(UTC)), encoding="utf-8")
    say(f"{len(tests)} promises hold; written to {PAGE.relative_to(ROOT)}")
    return 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def state_of_the_code() -> str:
    """A short name that changes with every tracked or new file of the code and its tests."""
    listed = _output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *CODE)
    digest = hashlib.sha256()
    for name in sorted(set(filter(None, listed.split("\0")))):
        file = ROOT / name
        digest.update(name.encode() + b"\0" + (file.read_bytes() if file.is_file() else b""))
    return digest.hexdigest()[:12]


def promises() -> dict[str, int]:
    """The ids of all tests of promises, each with its weight, the lightest first."""
    options = ("-q", "--collect-only", "-m", "promise", "--list-promises")
    lines = _output(sys.executable, "-m", "pytest", *options).splitlines()
    listed = [line.split(maxsplit=2) for line in lines if line.startswith("PROMISE ")]
    return dict(sorted(((test, int(weight)) for _, weight, test in listed), key=lambda one: one[1]))


def run(tests: Mapping[str, int], results: Path, seconds: float) -> list[str]:
    """Run each with its share of the time; give the ids of those that failed.

    What a test leaves of its share goes to those after it.
    """
    failed, until, weights = [], time.monotonic() + seconds, sum(tests.values())
    for number, (test, weight) in enumerate(tests.items()):
        share = max(10.0, (until - time.monotonic()) * weight / weights)
        weights -= weight
        say(f"\n=== {number + 1} of {len(tests)}, {share:.0f} s: {test}")
        if not _run(test, results, share):
            failed.append(test)
    return failed


def _run(test: str, results: Path, share: float) -> bool:
    options = ("--long", "--proof-seconds", f"{share:.0f}", "--proofs", str(results))
    command = (sys.executable, "-m", "pytest", "-q", *options, test)
    environment = {**os.environ, "BBB_BOT_REQUIRE_TOOLS": "1"}
    try:
        ended = subprocess.run(command, cwd=ROOT, env=environment, timeout=share + GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        say(f"out of time after {share + GRACE_SECONDS:.0f} s")
        return False
    return ended.returncode == 0


def read(results: Path) -> list[Measured]:
    """What earlier runs kept; [] when there is nothing."""
    lines = results.read_text("utf-8").splitlines() if results.exists() else []
    return [Measured(**json.loads(line)) for line in lines]


def page(measured: Iterable[Measured], now: datetime) -> str:
    """docs/promises.md: a promise, what was measured, and the test that did it."""
    found = sorted(measured, key=lambda one: one.test)
    minutes = sum(one.seconds for one in found) / 60
    lines = [
        "# Promises, measured",
        "",
        "Written by `make prove`; do not edit. Each line is a test that fails when the promise is",
        "broken. It runs in a short form in every check of a change, and in its long form here.",
        "",
        f"Measured on {now:%Y-%m-%d} in {minutes:.0f} minutes on {os.cpu_count()} cores, Python",
        f"{platform.python_version()}. More time means more kills, lines and restarts.",
        "",
    ]
    for one in found:
        lines += [f"## {one.promise}", "", *_figures(one.figures), "", f"`{one.test}`", ""]
    return "\n".join(lines)


def _figures(figures: dict[str, Any]) -> Iterable[str]:
    return (f"- {name.replace('_', ' ')}: {_shown(name, figures[name])}" for name in figures)


def _shown(name: str, value: Any) -> str:
    if name == "seed" or isinstance(value, str):  # a seed is there to be copied
        return str(value)
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
