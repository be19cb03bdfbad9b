"""The circuit breaker: when it opens, how it heals, and what can never happen to it."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.bbb.circuit import FAILURES, FIRST_REST, LONG, LONGEST_REST, TRIAL, Circuit, State

QUICK = 0.1


def failing(circuit: Circuit, times: int, at: float = 0.0) -> Circuit:
    for _ in range(times):
        circuit = circuit.asked(at).failed(at, at)
    return circuit


def test_five_failures_in_a_row_open_it() -> None:
    assert failing(Circuit(), FAILURES - 1).state(0) is State.CLOSED
    assert failing(Circuit(), FAILURES).state(0) is State.OPEN


def test_an_answer_in_between_begins_the_count_anew() -> None:
    circuit = failing(Circuit(), FAILURES - 1).answered(0)
    assert failing(circuit, FAILURES - 1).state(0) is State.CLOSED


def test_one_failure_that_took_long_opens_it() -> None:
    assert Circuit().failed(0, LONG).state(LONG) is State.OPEN
    assert Circuit().failed(0, LONG - QUICK).state(LONG) is State.CLOSED


def test_after_its_rest_one_question_passes_and_an_answer_closes_it() -> None:
    circuit = failing(Circuit(), FAILURES)
    assert circuit.state(FIRST_REST - QUICK) is State.OPEN
    assert circuit.state(FIRST_REST) is State.HALF_OPEN
    circuit = circuit.asked(FIRST_REST)
    assert circuit.state(FIRST_REST) is State.OPEN
    assert circuit.answered(FIRST_REST + 1).state(FIRST_REST + 1) is State.CLOSED


def test_each_failed_trial_makes_the_rest_longer_up_to_half_a_minute() -> None:
    circuit, now, rests = failing(Circuit(), FAILURES), 0.0, []
    for _ in range(5):
        rests.append(circuit.rest)
        now = circuit.tries_at
        circuit = circuit.asked(now).failed(now, now)
    assert rests == [5, 10, 20, 30, 30]


def test_a_trial_that_nobody_hears_of_again_does_not_shut_it_for_ever() -> None:
    circuit = failing(Circuit(), FAILURES).asked(FIRST_REST)
    assert circuit.state(FIRST_REST + TRIAL - QUICK) is State.OPEN
    assert circuit.state(FIRST_REST + TRIAL) is State.HALF_OPEN


def test_what_was_asked_before_it_turned_changes_nothing_by_failing_late() -> None:
    opened = failing(Circuit(), FAILURES, at=9)
    assert opened.failed(1, 10) == opened
    closed = opened.asked(14).answered(15)
    assert closed.failed(1, 16) == closed


def test_a_late_answer_closes_it() -> None:
    assert failing(Circuit(), FAILURES).answered(1).state(1) is State.CLOSED


class Server(RuleBasedStateMachine):
    """A server that dies and comes back, asked by many at once."""

    @initialize()
    def begin(self) -> None:
        self.circuit, self.now = Circuit(), 0.0
        self.flying: list[float] = []  # when each question on its way was asked

    @rule(seconds=st.floats(0, 60))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def somebody_asks(self) -> None:
        state = self.circuit.state(self.now)
        if state is State.OPEN:
            return
        self.circuit = self.circuit.asked(self.now)
        self.flying.append(self.now)
        if state is State.HALF_OPEN:
            assert self.circuit.state(self.now) is State.OPEN, "only one passes"

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), well=st.booleans())
    def one_comes_back(self, data: st.DataObject, well: bool) -> None:
        began = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        before = self.circuit
        if well:
            self.circuit = before.answered(self.now)
            assert self.circuit.state(self.now) is State.CLOSED
        else:
            self.circuit = before.failed(began, self.now)
            if before.rest:
                assert self.circuit.rest, "a failure closes nothing"

    @invariant()
    def it_always_heals(self) -> None:
        """Whatever came before: after the longest rest somebody may ask, and an answer closes."""
        later = self.now + max(LONGEST_REST, TRIAL)
        assert self.circuit.state(later) is not State.OPEN
        assert self.circuit.asked(later).answered(later).state(later) is State.CLOSED

    @invariant()
    def its_figures_stay_in_bounds(self) -> None:
        assert 0 <= self.circuit.failures < FAILURES
        assert self.circuit.rest == 0 or FIRST_REST <= self.circuit.rest <= LONGEST_REST


TestServer = Server.TestCase
TestServer.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
