"""join: who gets in as what, and where everybody else is sent."""

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.demo_bbb.caller import API, ROOM, Caller, address, said, sign, xml

ANA = {"fullName": "Ana", "meetingID": ROOM, "role": "MODERATOR"}
BO = {"fullName": "Bo", "meetingID": ROOM, "role": "VIEWER"}


async def click(http: httpx.AsyncClient, **parameters: object) -> httpx.Response:
    """Ask for a join, and do not follow."""
    return await http.get(address("join", parameters))


def reason(answer: httpx.Response) -> dict[str, str]:
    """The one error that a redirect carries."""
    assert answer.status_code == 302
    (error,) = json.loads(parse_qs(urlsplit(answer.headers["location"]).query)["errors"][0])
    assert set(error) == {"key", "message"}
    return dict(error)


def inside(bbb: Caller) -> list[tuple[str, str]]:
    return [(one.name, one.role) for one in bbb.simulated.users_in(ROOM)]


# --- in ------------------------------------------------------------------------------------------


async def test_a_join_leads_into_the_client_with_a_session_and_a_cookie(
    bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    answer = await click(browser, **ANA)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("http://bbb.test/html5client/?sessionToken=")
    assert "JSESSIONID=" in answer.headers["set-cookie"]
    assert inside(bbb) == []
    running = await bbb.ask("isMeetingRunning", meetingID=ROOM)
    assert running.findtext("running") == "false"
    assert (await browser.get(answer.headers["location"])).status_code == 200
    assert inside(bbb) == [("Ana", "MODERATOR")]
    running = await bbb.ask("isMeetingRunning", meetingID=ROOM)
    assert running.findtext("running") == "true"


async def test_the_session_is_worth_nothing_without_its_cookie(
    bbb: Caller, browser: httpx.AsyncClient, other_browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    answer = await click(browser, **ANA)
    assert (await other_browser.get(answer.headers["location"])).status_code == 401
    assert inside(bbb) == []


async def test_a_join_resolved_by_a_server_leaves_the_user_without_the_cookie(
    bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    root = await bbb.ask("join", **ANA, redirect="false")
    assert said(root) == ("SUCCESS", "successfullyJoined")
    assert root.findtext("guestStatus") == "ALLOW"
    assert root.findtext("session_token", "") in root.findtext("url", "")
    assert (await browser.get(root.findtext("url", ""))).status_code == 401
    assert (await bbb.http.get(root.findtext("url", ""))).status_code == 200


async def test_the_same_address_works_again_for_whoever_holds_it(
    bbb: Caller, browser: httpx.AsyncClient, other_browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    url = address("join", ANA)
    for http in (browser, other_browser):
        assert (await http.get(url, follow_redirects=True)).status_code == 200
    assert inside(bbb) == [("Ana", "MODERATOR"), ("Ana", "MODERATOR")]


async def test_the_fourth_session_of_one_user_puts_the_first_out(
    bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    for number in range(4):
        await bbb.join(browser, f"Ana {number}", userID="p1")
    assert [name for name, _ in inside(bbb)] == ["Ana 1", "Ana 2", "Ana 3"]


@pytest.mark.parametrize(
    ("asked", "role"),
    [
        pytest.param({"role": "moderator"}, "MODERATOR", id="role in small letters"),
        pytest.param({"role": "Viewer", "password": "xyz"}, "VIEWER", id="role before password"),
        pytest.param({"role": "boss", "password": "xyz"}, "MODERATOR", id="unknown role"),
        pytest.param({"password": "abc"}, "VIEWER", id="password of the attendees"),
    ],
)
async def test_the_role_comes_from_role_else_from_password(
    asked: dict[str, str], role: str, bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create(attendeePW="abc", moderatorPW="xyz")
    url = address("join", {"fullName": "Ana", "meetingID": ROOM} | asked)
    await browser.get(url, follow_redirects=True)
    assert inside(bbb) == [("Ana", role)]


@pytest.mark.parametrize(
    "asked",
    [{}, {"password": "guess"}, {"role": "boss", "password": "guess"}, {"redirect": "false"}],
    ids=["neither", "a wrong password", "both wrong", "neither, and no redirect"],
)
async def test_without_a_role_or_password_it_is_always_xml(
    asked: dict[str, str], bbb: Caller
) -> None:
    await bbb.create()
    root = await bbb.ask("join", fullName="Ana", meetingID=ROOM, **asked)
    assert said(root) == ("FAILED", "Params required")


async def test_control_characters_are_taken_out_of_a_name(
    bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    await bbb.join(browser, "A\x07na\n")
    assert inside(bbb) == [("Ana", "VIEWER")]


async def test_userdata_with_exactly_one_dash_is_kept(
    bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    data = {"userdata-bbb_skip_check_audio": "true", "userdata-a-b": "x", "userdata": "y"}
    await bbb.join(browser, "Ana", **data)
    info = await bbb.ask("getMeetingInfo", meetingID=ROOM)
    found = {one.tag: one.text for one in info.findall("attendees/attendee/customdata/*")}
    assert found == {"bbb_skip_check_audio": "true"}


# --- createTime ----------------------------------------------------------------------------------


async def test_a_link_of_this_session_leads_in(bbb: Caller, browser: httpx.AsyncClient) -> None:
    created = (await bbb.create()).findtext("createTime")
    await bbb.join(browser, "Ana", createTime=created)
    assert inside(bbb) == [("Ana", "VIEWER")]


async def test_a_link_of_an_earlier_session_leads_nowhere(bbb: Caller) -> None:
    created = (await bbb.create()).findtext("createTime")
    bbb.simulated.forward(600)
    await bbb.create()
    assert reason(await click(bbb.http, **ANA, createTime=created))["key"] == (
        "mismatchCreateTimeParam"
    )
    root = await bbb.ask("join", **ANA, createTime=created, redirect="false")
    assert said(root) == ("FAILED", "mismatchCreateTimeParam")


async def test_a_create_time_in_seconds_does_not_fit(bbb: Caller) -> None:
    created = int((await bbb.create()).findtext("createTime", ""))
    answer = await click(bbb.http, **ANA, createTime=created // 1000)
    assert reason(answer)["key"] == "mismatchCreateTimeParam"


async def test_a_create_time_that_is_no_number_is_a_violation(bbb: Caller) -> None:
    await bbb.create()
    answer = await click(bbb.http, **ANA, createTime="now", redirect="false")
    assert reason(answer)["key"] == "validationError"


# --- violations ----------------------------------------------------------------------------------


async def test_a_vanished_meeting_redirects_as_ended_by_force_even_without_redirect(
    bbb: Caller,
) -> None:
    for redirect in ("true", "false"):
        answer = await click(bbb.http, **ANA, redirect=redirect)
        assert reason(answer) == {
            "key": "meetingForciblyEnded",
            "message": "You can not join a meeting that has already been forcibly ended",
        }
        assert answer.headers["location"] == (
            "http://bbb.test/?errors=[%7B%22key%22:%22meetingForciblyEnded%22,%22message%22:"
            "%22You%20can%20not%20join%20a%20meeting%20that%20has%20already%20been%20forcibly"
            "%20ended%22%7D]"
        )


async def test_servers_up_to_2_3_gave_another_key(bbb: Caller) -> None:
    rules = bbb.simulated.state.rules
    bbb.simulated.state.rules = replace(rules, vanished_join="invalidMeetingIdentifier")
    assert reason(await click(bbb.http, **ANA))["key"] == "invalidMeetingIdentifier"


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        pytest.param({"meetingID": ""}, "validationError", id="empty id"),
        pytest.param({"meetingID": None}, "missingParamMeetingID", id="no id"),
        pytest.param({"fullName": None}, "missingParamFullName", id="no name"),
        pytest.param({"fullName": "\x01 "}, "missingParamFullName", id="nothing of a name left"),
        pytest.param({"createTime": "x"}, "meetingForciblyEnded", id="gone, and a bad time"),
    ],
)
async def test_one_violation_is_told(changed: dict[str, str | None], key: str, bbb: Caller) -> None:
    wanted = {name: value for name, value in (ANA | changed).items() if value is not None}
    assert reason(await click(bbb.http, **wanted))["key"] == key


@pytest.mark.parametrize(
    ("more", "start"),
    [
        pytest.param({}, "http://bbb.test/?errors=", id="home"),
        pytest.param({"logoutURL": "https://a.test/"}, "https://a.test/?errors=", id="logoutURL"),
        pytest.param(
            {"logoutURL": "https://a.test/", "errorRedirectUrl": "https://b.test/?c=d"},
            "https://b.test/?c=d&errors=",
            id="errorRedirectUrl first",
        ),
    ],
)
async def test_a_violation_is_sent_to(more: dict[str, str], start: str, bbb: Caller) -> None:
    answer = await click(bbb.http, **ANA, **more)
    assert answer.headers["location"].startswith(start)


async def test_an_unsigned_join_is_sent_home_and_nowhere_else(bbb: Caller) -> None:
    url = f"{API}/join?fullName=Ana&errorRedirectUrl=https://evil.test/"
    answer = await bbb.http.get(url)
    assert reason(answer)["key"] == "checksumError"
    assert answer.headers["location"].startswith("http://bbb.test/?errors=")


async def test_new_servers_refuse_a_post(bbb: Caller, old_bbb: Caller) -> None:
    for caller in (bbb, old_bbb):
        await caller.create()
    url = address("join", ANA | {"redirect": "false"})
    assert (await bbb.http.post(url)).status_code == 405
    assert said(xml(await old_bbb.http.post(url)))[0] == "SUCCESS"


# --- full, and the lobby -------------------------------------------------------------------------


async def test_the_limit_counts_people_not_sessions(
    bbb: Caller, browser: httpx.AsyncClient, other_browser: httpx.AsyncClient
) -> None:
    await bbb.create(maxParticipants="1")
    await bbb.join(browser, "Ana", userID="p1")
    await bbb.join(other_browser, "Ana again", userID="p1")
    assert len(inside(bbb)) == 2
    refused = await click(bbb.http, **BO, userID="p2")
    assert reason(refused)["key"] == "maxParticipantsReached"
    root = await bbb.ask("join", **BO, userID="p2", redirect="false")
    assert said(root) == ("FAILED", "maxParticipantsReached")
    for _ in range(2):
        bbb.simulated.leave(ROOM, "Ana")
        bbb.simulated.leave(ROOM, "Ana again")
    assert (await click(bbb.http, **BO, userID="p2")).headers["location"].count("sessionToken")


async def test_somebody_on_the_way_holds_a_place_for_a_minute(bbb: Caller) -> None:
    await bbb.create(maxParticipants="1")
    await click(bbb.http, **BO)
    assert reason(await click(bbb.http, **ANA))["key"] == "maxParticipantsReached"
    bbb.simulated.forward(60)
    assert "sessionToken" in (await click(bbb.http, **ANA)).headers["location"]


@pytest.mark.parametrize(
    ("policy", "asked", "status"),
    [
        ("ASK_MODERATOR", BO | {"guest": "true"}, "WAIT"),
        ("ASK_MODERATOR", BO, "ALLOW"),
        ("ASK_MODERATOR", ANA | {"guest": "true"}, "ALLOW"),
        ("ALWAYS_ACCEPT", BO | {"guest": "true"}, "ALLOW"),
        ("ALWAYS_ACCEPT_AUTH", BO | {"guest": "true"}, "ALLOW"),
        ("ALWAYS_ACCEPT_AUTH", BO | {"guest": "true", "auth": "false"}, "WAIT"),
        ("ALWAYS_DENY", BO, "ALLOW"),
    ],
)
async def test_the_guest_policy_is_for_guests_who_are_no_moderators(
    policy: str, asked: dict[str, str], status: str, bbb: Caller
) -> None:
    await bbb.create(guestPolicy=policy)
    root = await bbb.ask("join", **asked, redirect="false")
    assert root.findtext("guestStatus") == status


async def test_a_guest_who_is_denied_is_told_so(bbb: Caller) -> None:
    await bbb.create(guestPolicy="ALWAYS_DENY")
    assert reason(await click(bbb.http, **BO, guest="true"))["key"] == "guestDeniedAccess"


def test_the_tests_sign_join_as_the_documentation_says() -> None:
    assert address("join", {}) == f"{API}/join?checksum={sign('join', '')}"
