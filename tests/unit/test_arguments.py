"""The pieces of a line, as each command takes them."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.arguments import arguments
from commands.errors import UserError
from commands.grammar import LONGEST, Unclosed, parse
from commands.handlers.table import COMMANDS
from commands.messages import Typed
from commands.spec import Args, Spec


def spec_of(verb: str) -> Spec:
    spec = COMMANDS.find(verb)
    assert spec is not None
    return spec


def taken(line: str) -> Args:
    parsed = parse(line)
    return arguments(parsed, spec_of(parsed.verb))


@pytest.mark.parametrize(
    ("line", "args"),
    [
        pytest.param("start", Args(), id="nothing"),
        pytest.param("start Budget talk", Args("Budget talk"), id="a title in free words"),
        pytest.param('start "Budget talk"', Args("Budget talk"), id="a title in quotes"),
        pytest.param("start new Plan", Args("Plan", flags=frozenset({"new"})), id="a flag"),
        pytest.param("start NEW", Args(flags=frozenset({"new"})), id="a flag in capitals"),
        pytest.param("start --new", Args(flags=frozenset({"new"})), id="a flag as an option"),
        pytest.param("start Budget max:20", Args("Budget", options={"max": "20"}), id="an option"),
        pytest.param("start max:20 Budget", Args("Budget", options={"max": "20"}), id="before"),
        pytest.param("start --max 20 Plan", Args("Plan", options={"max": "20"}), id="apart"),
        pytest.param("start max: 20", Args(options={"max": "20"}), id="a space after the colon"),
        pytest.param("start record", Args(options={"record": ""}), id="an option as a word"),
        pytest.param("start record auto", Args(options={"record": "auto"}), id="two words"),
        pytest.param("start lobby off", Args(options={"lobby": "off"}), id="switched off"),
        pytest.param("start record Plan", Args("Plan", options={"record": ""}), id="then a title"),
        pytest.param('start record "auto"', Args("auto", options={"record": ""}), id="quoted"),
        pytest.param("start for 90m", Args(options={"for": "90m"}), id="a length"),
        pytest.param("start for:90m", Args(options={"for": "90m"}), id="a length as an option"),
        pytest.param("start Food for all", Args("Food for all"), id="for, but no length"),
        pytest.param("call @a @b Plan", Args("Plan", people=("@a", "@b")), id="people and title"),
        pytest.param("invite @a Help desk", Args(names=("Help desk",), people=("@a",)), id="room"),
        pytest.param("join Help desk", Args(names=("Help desk",)), id="a name of two words"),
        pytest.param(
            "end Help desk sure",
            Args(names=("Help desk",), flags=frozenset({"sure"})),
            id="name and flag",
        ),
        pytest.param("rename a b", Args(names=("a", "b")), id="two names"),
        pytest.param('rename "a b" c', Args(names=("a b", "c")), id="two names, one quoted"),
        pytest.param('rename a "b c"', Args(names=("a", "b c")), id="in the order typed"),
        pytest.param("say  Hi  @ana max:2", Args("Hi  @ana max:2"), id="text as it was typed"),
    ],
)
def test_a_line_gives_these_arguments(line: str, args: Args) -> None:
    assert taken(line) == args


@pytest.mark.parametrize(
    ("line", "key", "named"),
    [
        pytest.param("start @ana", "", "", id="a person can be part of a title"),
        pytest.param("who is there max:20", "e.option", "max", id="an option it does not take"),
        pytest.param("start layout:grid", "e.option", "layout", id="an option that does not exist"),
        pytest.param('start "Plan" B', "e.leftover", "B", id="words beside a quoted title"),
        pytest.param('start "Plan" "B"', "e.leftover", "B", id="two titles"),
        pytest.param("rename a b c", "e.leftover", "a", id="three names"),
        pytest.param("forget-me now", "e.leftover", "now", id="a word where nothing is taken"),
        pytest.param("rooms @ana", "e.leftover", "@ana", id="a person where nobody is taken"),
        pytest.param("my reste", "e.leftover", "reste", id="a mistyped flag"),
    ],
)
def test_what_does_not_belong_there_is_named(line: str, key: str, named: str) -> None:
    if not key:
        assert taken(line).title == "@ana"
        return
    with pytest.raises(UserError) as refusal:
        taken(line)
    assert refusal.value.key == key
    assert named in refusal.value.args_for_text.values()
    assert refusal.value.args_for_text["usage"] == Typed(spec_of(parse(line).verb).usage)


@given(st.sampled_from(COMMANDS.specs), st.text(max_size=LONGEST))
def test_any_line_is_taken_or_refused_in_words(spec: Spec, text: str) -> None:
    with contextlib.suppress(UserError, Unclosed):
        args = arguments(parse(f"{spec.verb} {text}"), spec)
        assert len(args.names) <= spec.takes.names
        assert args.flags <= spec.takes.flags
        assert args.options.keys() <= spec.takes.options
        assert spec.takes.people or not args.people


@pytest.mark.parametrize("spec", COMMANDS.specs, ids=lambda spec: spec.verb)
def test_the_usage_that_help_shows_can_be_typed(spec: Spec) -> None:
    line = re.sub(r"[\[\]]|options|…", "", spec.usage)
    assert arguments(parse(line.replace("en|fr|de", "fr")), spec)


@pytest.mark.parametrize("spec", COMMANDS.specs, ids=lambda spec: spec.verb)
def test_every_verb_and_alias_leads_to_its_command(spec: Spec) -> None:
    for verb in (spec.verb, *spec.aliases):
        assert COMMANDS.find(parse(verb).verb) is spec


def test_no_verb_means_two_commands() -> None:
    verbs = [verb for spec in COMMANDS.specs for verb in (spec.verb, *spec.aliases)]
    assert sorted(verbs) == sorted(set(verbs))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("strat", "start"),
        ("st", "start"),
        ("helpp", "help"),
        ("delete", "delete-room"),
        ("gest", "guest"),
        ("xyzzy", None),
        ("", None),
    ],
)
def test_a_mistyped_verb_is_near(typed: str, meant: str | None) -> None:
    near = COMMANDS.nearest(typed)
    assert (near and near.verb) == meant
