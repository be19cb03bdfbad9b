"""The signature is checked over the bytes as they came, and refused in BBB's own words."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pytest

from bot.demo.bbb.checksum import Verdict, verify
from bot.demo.bbb.rules import RULES, Rules
from tests.demo_bbb.caller import API, ROOM, SECRET, Caller, said, sign, xml

NEW, OLD = RULES["3.0"], RULES["2.6"]
NO_FORM: Mapping[str, str] = {}
ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")


def judge(
    call: str, query: str, form: Mapping[str, str] = NO_FORM, *, rules: Rules = NEW
) -> Verdict:
    return verify(call, query.encode(), form, secret=SECRET, rules=rules)


def test_the_documented_example_is_right() -> None:
    query = b"name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444"
    checksum = b"1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17"
    secret = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
    assert verify("create", query + b"&checksum=" + checksum, {}, secret=secret, rules=NEW) is (
        Verdict.RIGHT
    )
    changed = query.replace(b"+", b"%20") + b"&checksum=" + checksum
    assert verify("create", changed, {}, secret=secret, rules=NEW) is Verdict.WRONG


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("where", ["first", "in the middle", "last", "alone"])
def test_every_hash_is_known_by_its_length_wherever_it_stands(algorithm: str, where: str) -> None:
    query = {"alone": "", "in the middle": "a=1&b=2"}.get(where, "a=1")
    checksum = f"checksum={sign('end', query, algorithm=algorithm).upper()}"
    sent = {
        "first": f"{checksum}&a=1",
        "in the middle": f"a=1&{checksum}&b=2",
        "last": f"a=1&{checksum}",
        "alone": checksum,
    }[where]
    assert judge("end", sent) is Verdict.RIGHT


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("name=a%20b", id="blank as percent"),
        pytest.param("name=a+b", id="blank as plus"),
        pytest.param("name=%c3%a9", id="lower-case percent"),
        pytest.param("name=%7E", id="a tilde encoded without need"),
        pytest.param("name=é|[x]", id="nothing encoded"),
    ],
)
def test_the_query_is_not_decoded_before_hashing(query: str) -> None:
    assert judge("create", f"{query}&checksum={sign('create', query)}") is Verdict.RIGHT
    other = sign("create", query.replace("%20", "+").replace("%c3", "%C3").replace("%7E", "~"))
    if other != sign("create", query):
        assert judge("create", f"{query}&checksum={other}") is Verdict.WRONG


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        pytest.param("a=1", Verdict.MISSING, id="none"),
        pytest.param("a=1&checksum=", Verdict.MISSING, id="empty"),
        pytest.param("a=1&checksum=abc", Verdict.WRONG, id="of no known length"),
        pytest.param(f"a=1&checksum={'é' * 64}", Verdict.WRONG, id="no hexadecimal digits"),
        pytest.param(f"a=1&checksum={sign('end', 'a=1')}", Verdict.WRONG, id="of another call"),
        pytest.param(
            f"a=1&checksum={sign('create', 'a=1', 'guess')}", Verdict.WRONG, id="other secret"
        ),
        pytest.param(f"a=2&checksum={sign('create', 'a=1')}", Verdict.WRONG, id="other query"),
    ],
)
def test_a_bad_checksum_is_refused(sent: str, verdict: Verdict) -> None:
    assert judge("create", sent) is verdict


def test_two_checksums_are_refused_by_new_servers() -> None:
    checksum = f"checksum={sign('create', 'a=1')}"
    assert judge("create", f"a=1&{checksum}&{checksum}") is Verdict.WRONG
    assert judge("create", f"a=1&{checksum}&{checksum}", rules=OLD) is Verdict.RIGHT


def test_an_algorithm_that_is_not_allowed_is_refused() -> None:
    query = f"a=1&checksum={sign('end', 'a=1', algorithm='sha1')}".encode()
    strict = replace(NEW, algorithms=frozenset({"sha256"}))
    assert verify("end", query, {}, secret=SECRET, rules=strict) is Verdict.WRONG


# --- POST ----------------------------------------------------------------------------------------


def test_an_old_server_signs_the_sorted_form_as_java_writes_it() -> None:
    signed = sign("create", "meetingID=m7&name=a+b%7E*%C3%A9")
    form = {"name": "a b~*é", "meetingID": "m7", "checksum": signed}
    assert judge("create", "", form, rules=OLD) is Verdict.RIGHT
    assert judge("create", "", form, rules=NEW) is Verdict.WRONG


def test_a_new_server_signs_nothing_of_the_form() -> None:
    form = {"name": "Team", "checksum": sign("create", "")}
    assert judge("create", "", form) is Verdict.RIGHT
    assert judge("create", "", form, rules=OLD) is Verdict.WRONG


@pytest.mark.parametrize("rules", [NEW, OLD], ids=["3.0", "2.6"])
def test_parameters_in_address_and_form_at_once_are_refused(rules: Rules) -> None:
    query = f"name=Team&checksum={sign('create', 'name=Team')}"
    assert judge("create", query, {"meetingID": "m7"}, rules=rules) is Verdict.WRONG


async def test_parameters_of_a_form_count(bbb: Caller, old_bbb: Caller) -> None:
    form = {"name": "Team", "meetingID": ROOM}
    new = await bbb.http.post(f"{API}/create", data=form | {"checksum": sign("create", "")})
    assert said(xml(new))[0] == "SUCCESS"
    covered = urlencode(sorted(form.items()))
    old = await old_bbb.http.post(
        f"{API}/create", data=form | {"checksum": sign("create", covered)}
    )
    assert said(xml(old))[0] == "SUCCESS"
    parts = {name: (None, value) for name, value in form.items()}
    parts["checksum"] = (None, sign("create", ""))
    assert said(xml(await bbb.http.post(f"{API}/create", files=parts)))[1] == "duplicateWarning"


BOTH = "application/x-www-form-urlencoded multipart/form-data;boundary=x application/xml text/xml"
FORMS, XMLS = BOTH.split()[:2], BOTH.split()[2:]


@pytest.mark.parametrize(
    ("call", "kind", "taken"),
    [
        *(("create", kind, True) for kind in BOTH.split()),
        *(("end", kind, True) for kind in FORMS),
        *(("end", kind, False) for kind in XMLS),
        *(("insertDocument", kind, False) for kind in FORMS),
        *(("insertDocument", kind, True) for kind in XMLS),
        ("create", "application/json", False),
        ("create", None, False),
    ],
)
async def test_a_body_needs_a_content_type_of_its_call(
    call: str, kind: str | None, taken: bool, bbb: Caller
) -> None:
    await bbb.create()
    without_fields = {FORMS[0]: b"&", FORMS[1]: b"--x--"}
    body = without_fields.get(kind or "", b"<modules/>")
    root = await bbb.post(call, body, kind, name="Team", meetingID=ROOM)
    assert said(root)[0] == ("SUCCESS" if taken else "FAILED")
    assert taken or said(root)[1] == "unsupportedContentType"


async def test_the_first_servers_that_looked_at_it_refuse_a_charset(
    bbb: Caller, old_bbb: Caller
) -> None:
    wanted = {"name": "Team", "meetingID": ROOM}
    kind = "application/xml; charset=utf-8"
    assert said(await bbb.post("create", b"<modules/>", kind, **wanted))[0] == "SUCCESS"
    refused = await old_bbb.post("create", b"<modules/>", kind, **wanted)
    assert said(refused) == ("FAILED", "unsupportedContentType")


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "query", "words"),
    [
        ("getMeetings", "", "You must provide the checksum"),
        ("getMeetings", "checksum=abc", "Checksums do not match"),
        ("getRecordings", "", "You did not pass the checksum security check"),
        ("getRecordings", "checksum=abc", "You did not pass the checksum security check"),
    ],
)
async def test_each_kind_of_call_has_its_words_for_a_bad_checksum(
    call: str, query: str, words: str, bbb: Caller
) -> None:
    root = xml(await bbb.http.get(f"{API}/{call}?{query}"))
    assert said(root) == ("FAILED", "checksumError")
    assert root.findtext("message") == words


async def test_the_checksum_comes_before_everything_else(bbb: Caller) -> None:
    root = xml(await bbb.http.get(f"{API}/create?presentationUploadExternalUrl=https://x.test/"))
    assert said(root) == ("FAILED", "checksumError")


async def test_a_secret_that_was_changed_is_the_one_that_counts(bbb: Caller) -> None:
    bbb.simulated.state.secret = "the next one"
    assert said(await bbb.ask("getMeetings")) == ("FAILED", "checksumError")


async def test_parameters_given_to_httpx_apart_lose_the_signature(bbb: Caller) -> None:
    """What our client must never do: httpx drops the address's own query."""
    signed = f"meetingID={ROOM}&checksum={sign('end', f'meetingID={ROOM}')}"
    lost: httpx.Response = await bbb.http.get(f"{API}/end?{signed}", params={"a": "b"})
    assert said(xml(lost)) == ("FAILED", "checksumError")
