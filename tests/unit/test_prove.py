"""Promises run short or long, keep what they measured only when they hold, and become a page."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import prove
from tests.prove import Measured, page, read

ROOT = Path(__file__).parents[2]
PROMISES = """
import pytest

@pytest.mark.promise("Counting is done to the end.")
def test_counting(proof):
    done = 0
    while done < proof.amount(3, long=7) and proof.in_time():
        done += 1
    proof.measured(counted=done)

@pytest.mark.promise("This does not hold.")
def test_broken(proof):
    proof.measured(lost=1)
    assert False

def test_without_a_promise(proof):
    pass
"""


def run(directory: Path, *options: str) -> tuple[str, list[Measured]]:
    file = directory / "test_promises.py"
    file.write_text(PROMISES)
    results = directory / "results.jsonl"
    settings = ("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "tests.conftest")
    said = subprocess.run(
        (sys.executable, "-m", "pytest", *settings, "--proofs", str(results), *options, str(file)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return said.stdout, read(results)


@pytest.mark.parametrize(
    ("options", "counted"),
    [((), 3), (("--long",), 7), (("--long", "--proof-seconds", "0"), 0)],
)
def test_what_holds_is_kept_with_its_figures(
    options: tuple[str, ...], counted: int, tmp_path: Path
) -> None:
    said, kept = run(tmp_path, *options)
    assert [(one.promise, one.figures) for one in kept] == [
        ("Counting is done to the end.", {"counted": counted})
    ]
    assert 'measured: {"lost": 1}' in said
    assert "a test that takes `proof` names its promise" in said


def test_the_page_says_what_was_promised_measured_and_where() -> None:
    found = page(
        [
            Measured("tests/b.py::test_kill", "Nothing lost.", {"kills": 1000, "lost": 0}, 90.0),
            Measured(
                "tests/a.py::test_lag", "No stall.", {"longest_ms": 12.346, "seed": 4711}, 30.0
            ),
        ],
        datetime(2026, 11, 21, tzinfo=UTC),
    )
    assert "Measured on 2026-11-21 in 2 minutes" in found
    assert found.index("## No stall.") < found.index("## Nothing lost.")
    assert "- kills: 1,000\n- lost: 0\n\n`tests/b.py::test_kill`" in found
    assert "- longest ms: 12.35\n- seed: 4711\n" in found


def test_the_heavy_get_more_time_and_what_others_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: dict[str, float] = {}
    monkeypatch.setattr(prove, "_run", lambda test, _, share: not shares.update({test: share}))
    assert prove.run({"light": 1, "heavy": 8, "last": 1}, tmp_path / "results", 1000.0) == []
    assert {test: round(share, -1) for test, share in shares.items()} == {
        "light": 100,
        "heavy": 890,
        "last": 1000,
    }


def test_every_promise_is_listed_with_its_weight_and_the_page_names_no_other() -> None:
    listed = prove.promises()
    on_the_page = re.findall(r"^`(tests/\S+::.+)`$", prove.PAGE.read_text("utf-8"), re.M)
    assert on_the_page
    assert set(on_the_page) <= set(listed)
    assert len(listed) >= 20
    assert max(listed.values()) > 1
    assert list(listed.values()) == sorted(listed.values())


def test_a_promise_that_does_not_hold_leaves_the_page_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prove, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(prove, "PAGE", tmp_path / "promises.md")
    monkeypatch.setattr(prove, "promises", lambda: {"tests/a.py::test_lag": 1})
    monkeypatch.setattr(prove, "_run", lambda *_: False)
    assert prove.main([]) == 1
    assert not (tmp_path / "promises.md").exists()
    assert "1 promises do not hold: tests/a.py::test_lag" in capsys.readouterr().out
