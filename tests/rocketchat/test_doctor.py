"""What the doctor finds on the test server, in each version, and the remedy of each wrong thing."""

import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import trustme
from aiohttp import web

from bot.config import Settings
from bot.doctor import Finding, Level, examine, exit_code, render
from bot.doctor.rocketchat import judge_version
from bot.doctor.workspace import slash_words
from tests.fakes.rocketchat import PROFILES, RocketChat, Seam, User
from tests.fakes.rocketchat.seams import Handler
from tests.fakes.rocketchat.wire import Json

TOKEN = "canary-of-the-token-of-a-bot-0123456789abcd"
MATRIX = {
    "homeserver": "https://matrix.example.org",
    "user_id": "@bbb:example.org",
    "device_id": "DEV",
    "access_token": "canary",
}


@dataclass
class Doctor:
    """Examines an installation with this workspace, and keeps what it said."""

    server: RocketChat
    bot: User
    directory: Path
    findings: list[Finding] = field(default_factory=list)

    def settings(self, **changes: object) -> Settings:
        server = {"name": "main", "url": "https://bbb.example.org", "secret": "canary"}
        more = {key: changes.pop(key) for key in ("prefixes", "matrix") if key in changes}
        account = {"url": self.server.url, "user_id": self.bot.id, "access_token": self.bot.token}
        values = {
            "public_url": "https://meet.example.org",
            "data_dir": self.directory,
            "bbb": {"servers": [server]},
            "rocketchat": account | changes,
        }
        return Settings.model_validate(values | more)

    async def examine(
        self, *names: str, transport: httpx.AsyncBaseTransport | None = None, **changes: object
    ) -> "Doctor":
        self.findings = await examine(
            self.settings(**changes),
            names or ("rocketchat",),
            transport=transport or httpx.MockTransport(nobody),
        )
        for as_json in (True, False):
            assert "canary" not in render(self.findings, as_json=as_json)
        for finding in self.findings:
            assert bool(finding.remedy) == (finding.level is not Level.OK)
        return self

    def found(self, name: str) -> Finding:
        (finding,) = [one for one in self.findings if one.id == f"rocketchat.{name}"]
        return finding

    @property
    def wrong(self) -> dict[str, Level]:
        found = {one.id.partition(".")[2]: one.level for one in self.findings}
        return {name: level for name, level in found.items() if level is not Level.OK}


def nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody else is asked")


def furnished(server: RocketChat, directory: Path) -> Doctor:
    bot = server.add_user("bbb", roles=("bot", "user"), token=TOKEN)
    return Doctor(server, bot, directory)


@pytest.fixture(params=PROFILES)
async def each(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Doctor]:
    async with RocketChat(request.param) as server:
        yield furnished(server, tmp_path)


@pytest.fixture
async def doctor(tmp_path: Path) -> AsyncIterator[Doctor]:
    async with RocketChat("8.x") as server:
        yield furnished(server, tmp_path)


# --- all is well ---------------------------------------------------------------------


async def test_nothing_is_wrong_with_a_sound_account(each: Doctor) -> None:
    await each.examine()

    assert each.wrong == {}
    assert exit_code(each.findings) == 0
    version = ".".join(map(str, each.server.profile.version[:2]))
    assert each.found("version").text == version
    assert each.found("user").text == f"bbb, {each.bot.id}"
    assert each.found("token").text == "a personal access token, which does not end"
    assert each.found("roles").text == "bot, user"
    assert each.found("live").text == "messages come at once"
    assert each.found("size").text == "a message may have 5000 characters"
    assert "does not reach the bot from web and desktop: type !bbb" in each.found("slash").text


async def test_it_says_nothing_in_the_workspace(doctor: Doctor) -> None:
    await doctor.examine()

    posts = {asked.path for asked in doctor.server.requests if asked.method == "POST"}
    assert posts == set()


async def test_only_what_is_configured_is_looked_at(doctor: Doctor, tmp_path: Path) -> None:
    both = await examine(
        doctor.settings(matrix=MATRIX),
        ["matrix", "rocketchat"],
        transport=httpx.MockTransport(nobody),
    )
    matrix_alone = await examine(
        doctor.settings(matrix=MATRIX).model_copy(update={"rocketchat": None}),
        ["matrix", "rocketchat"],
        transport=httpx.MockTransport(nobody),
    )
    await doctor.examine("matrix", "rocketchat")

    def groups(findings: list[Finding]) -> set[str]:
        return {finding.id.partition(".")[0] for finding in findings}

    assert groups(both) == {"matrix", "rocketchat"}
    assert groups(matrix_alone) == {"matrix"}
    assert groups(doctor.findings) == {"rocketchat"}


# --- the account ---------------------------------------------------------------------


async def test_without_the_bypass_it_says_what_to_grant(each: Doctor) -> None:
    each.bot.roles = {"user"}
    await each.examine()

    assert each.wrong["limits"] is Level.FAIL
    assert "takes ten calls a minute" in each.found("limits").text
    assert "roles `bot` and `user`" in each.found("limits").remedy
    assert "api-bypass-rate-limit" in each.found("limits").remedy
    assert each.found("roles").text == "user; bot missing"
    assert exit_code(each.findings) == 1


async def test_an_account_that_is_slowed_down_right_now(doctor: Doctor) -> None:
    doctor.bot.roles = {"user"}
    for _ in range(11):
        await doctor.examine("rocketchat.limits")

    assert doctor.wrong == {"limits": Level.FAIL}


async def test_without_the_role_user_the_kind_of_token_cannot_be_seen(each: Doctor) -> None:
    each.bot.roles = {"bot"}
    await each.examine()

    assert each.wrong == {"roles": Level.WARN}
    assert each.found("token").text == "valid; whether it ends the account may not see"


async def test_the_token_of_a_login_ends(each: Doctor) -> None:
    token = each.server.state.log_in(each.bot).text
    await each.examine(access_token=token)

    assert each.wrong == {"token": Level.WARN}
    assert "it ends, after 90 days" in each.found("token").text
    assert "Ignore Two Factor Authentication" in each.found("token").remedy


async def test_a_token_that_is_not_known(each: Doctor) -> None:
    each.server.revoke(each.bot)
    await each.examine("rocketchat.token")

    assert each.wrong == {"token": Level.FAIL}
    assert "rocketchat.access_token (default)" in each.found("token").remedy


async def test_a_deactivated_account(doctor: Doctor) -> None:
    doctor.server.deactivate(doctor.bot)
    await doctor.examine("rocketchat.token")

    assert "or the account is deactivated" in doctor.found("token").text


async def test_another_ones_token(each: Doctor) -> None:
    other = each.server.add_user("other", token=TOKEN[::-1])
    await each.examine("rocketchat.user", access_token=other.token)

    assert each.wrong == {"user": Level.FAIL}
    text = f"the token belongs to {other.id} (other), the configuration says {each.bot.id}"
    assert each.found("user").text == text


@pytest.mark.parametrize(
    ("permission", "level", "text"),
    [
        ("create-d", Level.FAIL, "it cannot bring anybody their personal link (create-d)"),
        ("view-joined-room", Level.OK, ""),
        ("send-many-messages", Level.WARN, "it may send five messages a second"),
        ("bypass-time-limit-edit-and-delete", Level.WARN, "cards stop following their calls"),
    ],
)
async def test_permissions_that_were_taken_away(
    permission: str, level: Level, text: str, doctor: Doctor
) -> None:
    doctor.server.state.permissions[permission] = frozenset({"admin"})
    found = (await doctor.examine()).found("permissions")

    assert found.level is level
    assert text in found.text


async def test_admins_are_ids_of_people(each: Doctor) -> None:
    ana, bo = each.server.add_user("ana-martin"), each.server.add_user("bo")
    await each.examine(admins=(ana.id,))
    assert each.found("admins").text == "1, each the id of somebody here"

    each.server.deactivate(bo)
    await each.examine("rocketchat.admins", admins=("ana-martin", "somebody", bo.id))
    found = each.found("admins")
    assert found.level is Level.WARN
    assert f"ana-martin is a name, of the id {ana.id}" in found.text
    assert "somebody is nobody here" in found.text
    assert f"{bo.id} is deactivated" in found.text


# --- reaching it ---------------------------------------------------------------------


class Instead(Seam):
    """Something in between answers all of REST."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        self._answer = status, text, headers

    async def rest(
        self, request: web.Request, path: str, params: Json, handle: Handler
    ) -> web.StreamResponse:
        status, text, headers = self._answer
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)


class NoSockets(Seam):
    """A proxy that passes no websockets on."""

    async def connecting(self, request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=400, text="<html>Bad Request</html>")


@pytest.mark.parametrize(
    ("instead", "text", "remedy"),
    [
        (Instead(502, "<html>"), "is no Rocket.Chat (HTTP 502)", "network and firewall"),
        (Instead(200, "<html>"), "is no Rocket.Chat (HTTP 200)", "network and firewall"),
        (
            Instead(301, "", Location="https://chat.example.org/api/info"),
            "it leads elsewhere, to https://chat.example.org",
            "set rocketchat.url (default) to that address",
        ),
    ],
    ids=["a proxy's error", "a page", "a redirect"],
)
async def test_a_workspace_that_cannot_be_asked(
    instead: Seam, text: str, remedy: str, doctor: Doctor
) -> None:
    doctor.server.seams.insert(0, instead)  # before what checks answers
    await doctor.examine()

    found = doctor.found("reachable")
    assert found.level is Level.FAIL
    assert text in found.text
    assert remedy in found.remedy
    assert doctor.wrong["workspace"] is Level.WARN


async def test_a_workspace_that_is_not_there(doctor: Doctor) -> None:
    await doctor.server.stop()
    await doctor.examine()

    assert "no connection" in doctor.found("reachable").text
    assert doctor.wrong["live"] is Level.WARN


async def test_a_proxy_without_websockets_is_a_warning(each: Doctor) -> None:
    each.server.seams.append(NoSockets())
    await each.examine()

    assert each.wrong == {"live": Level.WARN}
    assert "Upgrade" in each.found("live").remedy


@pytest.mark.parametrize(
    ("version", "level"),
    [("5.4", "fail"), ("6.0", "ok"), ("9.0", "ok"), ("9.1", "warn"), ("10.0", "warn"), ("", "ok")],
)
def test_versions(version: str, level: str) -> None:
    assert judge_version(version).level == level


# --- what the settings do ------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value", "name", "level", "text"),
    [
        ("Threads_enabled", False, "threads", "ok", "answers stand in the channel itself"),
        ("Message_MaxAllowedSize", 800, "size", "warn", "long answers lose lines"),
        ("Message_MaxAllowedSize", 100, "size", "fail", "cards do not fit"),
        ("Message_AllowEditing", False, "cards", "warn", "a card stays as it was posted"),
        ("Message_AllowUnrecognizedSlashCommand", True, "slash", "ok", "a typed /bbb reaches"),
        ("E2E_Enable", False, "encryption", "ok", "there are no encrypted rooms here"),
        ("E2E_Allow_Unencrypted_Messages", True, "encryption", "ok", "only what is not encrypted"),
        ("Site_Url", "https://chat.example.org/", "address", "warn", "https://chat.example.org"),
        ("Site_Url", "", "address", "ok", "does not tell its own address"),
    ],
)
async def test_a_setting(
    setting: str, value: object, name: str, level: str, text: str, each: Doctor
) -> None:
    each.server.settings[setting] = value
    found = (await each.examine("rocketchat.workspace")).found(name)

    assert (found.level, text in found.text) == (level, True), found


async def test_a_slash_command_that_an_app_owns(each: Doctor) -> None:
    each.server.commands["bbb"] = {"command": "bbb", "clientOnly": False}
    each.server.settings["Message_AllowUnrecognizedSlashCommand"] = True
    found = (await each.examine("rocketchat.slash")).found("slash")

    assert found.level is Level.OK
    assert found.text == "/bbb belongs to an app of this workspace: here people type !bbb"


@pytest.mark.parametrize(
    ("prefixes", "level", "text"),
    [
        (("/bbb",), "warn", "a typed /bbb does not reach the bot"),
        (("!call", "/bbb"), "warn", "a typed /call and /bbb does not reach the bot"),
        (("bbb:",), "ok", "no prefix of the configuration has one"),
    ],
)
async def test_prefixes_of_the_configuration(
    prefixes: tuple[str, ...], level: str, text: str, doctor: Doctor
) -> None:
    found = (await doctor.examine("rocketchat.slash", prefixes=prefixes)).found("slash")

    assert (found.level, text in found.text) == (level, True), found


def test_slash_words() -> None:
    assert slash_words(("!bbb", "/BBB", "!call", "bbb", "!")) == ("bbb", "call")


# --- with other checks ---------------------------------------------------------------


async def test_its_clock_is_compared(doctor: Doctor) -> None:
    findings = await examine(doctor.settings(), ["clock"])

    assert "agrees with Rocket.Chat" in [finding.text for finding in findings]


@pytest.fixture
async def own_authority(tmp_path: Path) -> AsyncIterator[Doctor]:
    """A workspace whose certificate only `ca.pem` vouches for, under a path."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with RocketChat("8.x", tls=tls, prefix="/chat") as server:
        yield furnished(server, tmp_path)


async def test_an_own_authority_that_is_named(own_authority: Doctor, tmp_path: Path) -> None:
    settings = own_authority.settings(ca_file=tmp_path / "ca.pem")
    findings = await examine(settings, ["rocketchat", "tls.rocketchat", "clock"])
    texts = {finding.id: finding.text for finding in findings if finding.level is Level.OK}

    assert not [f for f in findings if f.level is not Level.OK and f.id.startswith("rocketchat")]
    assert re.fullmatch(r"good for \d+ days", texts["tls.rocketchat"])
    assert texts["clock"] == "agrees with Rocket.Chat"


async def test_an_own_authority_that_is_not_named(own_authority: Doctor) -> None:
    findings = await examine(own_authority.settings(), ["rocketchat", "tls.rocketchat"])
    wrong = {finding.id: finding for finding in findings}

    assert wrong["rocketchat.reachable"].text.endswith("its TLS certificate is not accepted")
    assert "rocketchat.ca_file" in wrong["rocketchat.reachable"].remedy
    assert wrong["tls.rocketchat"].level is Level.FAIL
    assert "certificate is refused" in wrong["rocketchat.live"].text


async def test_plain_http_that_leads_to_https(own_authority: Doctor) -> None:
    url = own_authority.server.plain_url
    findings = await examine(own_authority.settings(url=url), ["rocketchat.reachable"])
    (reachable,) = [finding for finding in findings if finding.id == "rocketchat.reachable"]

    assert own_authority.server.url in reachable.text
    assert "to that address" in reachable.remedy
