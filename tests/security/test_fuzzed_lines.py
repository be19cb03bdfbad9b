"""Command lines that nobody in their right mind types: no exception, one reply, little time.

Two fuzzers take lines apart (hypothesis, and atheris, which is guided by coverage); fewer lines go
all the way: inbox, dispatch, handler, database, BBB, and the reply in words as Matrix gets it.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded

from bot.chat.matrix.rendering import content_of
from commands.i18n import LANGUAGES, Renderer
from commands.messages import from_json, plain
from commands.ports import Limits, Membership, Policy, Rights
from storage.records import Letter
from tests.conftest import Proof
from tests.requirements import require_module
from tests.security.company import ANA, BO, DIRECT, HOST, TEAM, Company, company
from tests.security.fuzz_lines_that_hurt import HURT
from tests.security.lines import PREFIXES, examine, lines

ROOT = Path(__file__).parents[2]

RENDERERS = [
    Renderer(
        language=language,
        zone="Europe/Paris",
        prefix="!bbb",
        links=lambda goal: "https://calls.example.org/j/0123456789abcdefghijkl",
    )
    for language in LANGUAGES
]


@pytest.mark.parametrize("line", HURT, ids=ascii)
@pytest.mark.parametrize("direct", [False, True], ids=["in a channel", "directly"])
def test_a_line_that_hurt_once(line: str, direct: bool) -> None:
    examine(line, direct=direct)


@pytest.mark.promise("No command line raises, or costs 50 ms: lines by hypothesis.", weight=3)
def test_lines_by_hypothesis(proof: Proof) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    costs: list[float] = []

    @seeded(seed)
    @settings(
        max_examples=proof.amount(5_000, long=100_000),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(lines)
    def every(text: str) -> None:
        if proof.in_time():
            costs.append(max(examine(text), examine(text, direct=True)))

    every()
    assert len(costs) > 2_500
    costs.sort()
    proof.measured(
        seed=seed,
        lines=2 * len(costs),
        p99_ms=round(1000 * costs[len(costs) * 99 // 100], 2),
        slowest_ms=round(1000 * costs[-1], 1),
    )


@pytest.mark.promise("No command line raises, or costs 50 ms: lines by atheris.", weight=3)
def test_lines_by_atheris(proof: Proof, tmp_path: Path) -> None:
    require_module(
        "atheris", "pip install 'bbb-bot[dev]', on Linux x86-64 with Python 3.11 to 3.13"
    )
    seed, runs = random.randrange(1, 10**6), proof.amount(47_500, long=400_000)
    (tmp_path / "corpus").mkdir()
    said = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.security.fuzz_with_atheris",
            tmp_path / "corpus",
            f"-runs={runs}",
            f"-seed={seed}",
            f"-max_total_time={proof.seconds:.0f}",
            f"-artifact_prefix={tmp_path}/",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=proof.seconds + 120,
        check=False,
    )
    assert said.returncode == 0, f"seed {seed}\n{said.stderr[-3000:]}"
    done = re.search(r"Done (\d+) runs", said.stderr)
    covered = re.findall(r"cov: (\d+)", said.stderr)
    assert done is not None
    assert int(covered[-1]) > 100, "the fuzzer saw nothing of the grammar"
    proof.measured(seed=seed, lines=2 * int(done[1]), edges_covered=int(covered[-1]))


@pytest.fixture
def policy() -> Policy:
    """Limits that leave every line a way to be carried out."""
    many = 10**9
    limits = Limits(
        commands_per_person=many,
        commands_per_channel=many,
        creates_per_person=many,
        invitations_per_person=many,
        rooms_per_channel=200,
    )
    return Policy(public_url="https://calls.example.org", prefixes=PREFIXES, limits=limits)


@pytest.mark.promise("No command line is answered twice, or by an apology.", weight=5)
async def test_lines_all_the_way(proof: Proof, policy: Policy, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    made = made_lines(seed, proof.amount(1_000, long=30_000))
    answered = 0
    async with company(tmp_path / "data", policy) as team:
        for person in (ANA, BO, HOST):
            for channel in (TEAM, DIRECT):
                team.chat.rights[person, channel] = Rights(Membership.JOINED, admin=person == ANA)
        for number, text in enumerate([*HURT, *made]):
            if not proof.in_time():
                break
            answered += await one_answer(team, text, number)
    proof.measured(seed=seed, lines=number + 1, answered=answered)
    assert answered > (number + 1) / 2


def made_lines(seed: int, amount: int) -> list[str]:
    """So many lines of hypothesis', drawn at once so that a loop can be around them."""
    drawn: list[str] = []

    @seeded(seed)
    @settings(
        max_examples=amount, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(lines)
    def draw(text: str) -> None:
        drawn.append(text)

    draw()
    return drawn


async def one_answer(team: Company, text: str, number: int) -> bool:
    """A line, typed by one of three people; whether it was for the bot. At most one reply each."""
    person, channel = (ANA, BO, HOST)[number % 3], (TEAM, TEAM, DIRECT)[number % 3]
    letters = await team.says(text, person, channel=channel)
    told = Counter(letter.person or "the channel" for letter in letters)
    assert all(times == 1 for times in told.values()), (text, told)
    for letter in letters:
        spoken(text, letter)
    return bool(letters)


def spoken(text: str, letter: Letter) -> None:
    """The reply, as Matrix gets it: whole, in every language, no apology, no command of its own."""
    message = from_json(json.loads(json.dumps(letter.content)))
    keys = [phrase.key for phrase in message.phrases]
    assert not {"e.bug", "e.bbb", "e.chat"} & set(keys), ascii(text)
    for renderer in RENDERERS:
        document = renderer.document(message)
        json.dumps(content_of(document), ensure_ascii=False, allow_nan=False).encode()
        said = plain(document)
        assert not said.startswith(PREFIXES), ascii(text)
        assert len(said) < 20_000
