"""The simulated server's answers have the elements that recorded answers of real servers have."""

import asyncio
from copy import deepcopy
from xml.etree.ElementTree import Element, fromstring

import pytest

from bot.demo.bbb.calls import CALLS
from tests.demo_bbb.answers_to_compare import CASES, DIFFERENCES, Case, answer_of
from tests.demo_bbb.derive_paths import LISTS, SAMPLES, cut, document, paths_of, walk


def allowed(case: Case) -> set[str]:
    """Paths that only the simulated server has, by the table."""
    return {one.path for one in DIFFERENCES if one.case == case.id}


def compare(answer: Element, case: Case) -> set[str]:
    """The paths that are on one side only, and not as the table says."""
    extra = allowed(case)
    return (paths_of(answer) ^ case.paths()) ^ extra


@pytest.fixture(scope="module")
def answers() -> dict[str, Element]:
    """Every case's answer, made once."""

    async def make() -> dict[str, Element]:
        return {case.id: await answer_of(case) for case in CASES}

    return asyncio.run(make())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_answer_has_the_elements_of_the_sample(case: Case, answers: dict[str, Element]) -> None:
    assert compare(answers[case.id], case) == set()


ELEMENTS = [
    pytest.param(case, path, id=f"{case.id} without {path.removeprefix('response/')}")
    for case in CASES
    for path in sorted((case.paths() | allowed(case)) - {"response"})
]


@pytest.mark.parametrize(("case", "path"), ELEMENTS)
def test_one_element_less_is_noticed(case: Case, path: str, answers: dict[str, Element]) -> None:
    answer = deepcopy(answers[case.id])
    parent, element = next((parent, one) for where, parent, one in walk(answer) if where == path)
    assert parent is not None
    parent.remove(element)
    assert compare(answer, case) != set()


def test_one_element_more_is_noticed(answers: dict[str, Element]) -> None:
    case = CASES[0]
    answer = deepcopy(answers[case.id])
    answer.append(Element("surprise"))
    assert compare(answer, case) == {"response/surprise"}


def test_every_allowed_difference_is_used_and_has_a_reason(answers: dict[str, Element]) -> None:
    used = {(case.id, path) for case in CASES for path in paths_of(answers[case.id]) - case.paths()}
    assert {(one.case, one.path) for one in DIFFERENCES} == used
    assert len(DIFFERENCES) == len(used)
    assert all(one.reason for one in DIFFERENCES)


def test_every_call_and_every_list_is_compared() -> None:
    assert {case.call for case in CASES} == {"", *CALLS}
    assert {case.listed for case in CASES} == set(SAMPLES)


def test_the_lists_are_those_that_the_script_writes() -> None:
    written = {
        path.stem: path.read_text(encoding="utf-8").splitlines()[0] for path in LISTS.iterdir()
    }
    assert written == {name: str(sample) for name, sample in SAMPLES.items()}


def test_paths_number_what_repeats_and_hide_free_names() -> None:
    root = fromstring(
        "<r><attendees><attendee><customdata><x/><y/></customdata></attendee><attendee/>"
        "</attendees><name/></r>"
    )
    first = "r/attendees/attendee[1]"
    assert paths_of(root) == {
        "r",
        "r/attendees",
        first,
        f"{first}/customdata",
        f"{first}/customdata/*[1]",
        f"{first}/customdata/*[2]",
        "r/attendees/attendee[2]",
        "r/name",
    }
    cut(root, {"attendees": 0})
    assert paths_of(root) == {"r", "r/attendees", "r/name"}


def test_a_json_answer_has_paths_too() -> None:
    assert paths_of(document('{"response": {"returncode": "FAILED"}}')) == {
        "response",
        "response/returncode",
    }
