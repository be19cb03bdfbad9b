"""What the doctor finds in scripted servers, the remedy it names, and that it shows no secret."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from bot.config import ConfigError, Problem, Settings, Source
from bot.doctor import CHECKS, Finding, Level, examine, exit_code, findings_of, render
from bot.doctor.bbb import judge_version
from bot.doctor.local import judge_sqlite

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "canary-bbb-5d2e"
PREVIOUS = "canary-old-77aa"
TOKEN = "canary-token-9c41"
XML = {"content-type": "text/xml"}

OK = "<response><returncode>SUCCESS</returncode><running>false</running></response>"
BAD_CHECKSUM = (
    "<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey>"
    "<message>Checksums do not match</message></response>"
)


@dataclass
class Servers:
    """A BigBlueButton and a homeserver behind one transport; change what they are before asking."""

    bbb_secret: str = SECRET
    algorithms: tuple[str, ...] = ("sha1", "sha256", "sha384", "sha512")
    version: str = "3.0.40"
    bbb: Callable[[httpx.Request], httpx.Response] | None = None
    matrix: Callable[[httpx.Request], httpx.Response] | None = None
    whoami: dict[str, str] = field(
        default_factory=lambda: {"user_id": "@bbb:example.org", "device_id": "DEV"}
    )
    clock: datetime | None = NOW

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        is_bbb = request.url.host == "bbb.example.org"
        special = self.bbb if is_bbb else self.matrix
        response = (special or (self._bbb if is_bbb else self._matrix))(request)
        if self.clock:
            response.headers["date"] = format_datetime(self.clock, usegmt=True)
        return response

    def _bbb(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/bigbluebutton/api":
            revealed = f"<version>2.0</version><bbbVersion>{self.version}</bbbVersion></response>"
            return httpx.Response(200, text=OK.replace("</response>", revealed), headers=XML)
        good = self._signature_is_good(request)
        return httpx.Response(200, text=OK if good else BAD_CHECKSUM, headers=XML)

    def _signature_is_good(self, request: httpx.Request) -> bool:
        call = request.url.path.removeprefix("/bigbluebutton/api/")
        query, _, checksum = request.url.query.decode().rpartition("&checksum=")
        signed = f"{call}{query}{self.bbb_secret}".encode()
        return checksum in [hashlib.new(name, signed).hexdigest() for name in self.algorithms]

    def _matrix(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/_matrix/client/versions":
            return httpx.Response(200, json={"versions": ["v1.1"]})
        if request.headers["authorization"] != f"Bearer {TOKEN}":
            return httpx.Response(401, json={"errcode": "M_UNKNOWN_TOKEN"})
        return httpx.Response(200, json=self.whoami)


@pytest.fixture
def servers() -> Servers:
    return Servers()


def settings_in(directory: Path, **changes: object) -> Settings:
    server = {"name": "main", "url": "https://bbb.example.org", "secret": SECRET}
    values = {
        "public_url": "https://meet.example.org",
        "data_dir": directory,
        "bbb": {"servers": [server | dict(changes.pop("server", {}))]},  # type: ignore[call-overload]
        "matrix": {
            "homeserver": "https://matrix.example.org",
            "user_id": "@bbb:example.org",
            "device_id": "DEV",
            "access_token": TOKEN,
        },
    }
    return Settings.model_validate(values | changes)


@dataclass
class Doctor:
    """Examines an installation and keeps what it said."""

    servers: Servers
    directory: Path
    findings: list[Finding] = field(default_factory=list)

    async def examine(self, *names: str, seconds: float = 5, **changes: object) -> "Doctor":
        self.findings = await examine(
            settings_in(self.directory, **changes),
            names,
            transport=httpx.MockTransport(self.servers),
            now=lambda: NOW,
            seconds=seconds,
        )
        self._shows_no_secret()
        return self

    def _shows_no_secret(self) -> None:
        for as_json in (True, False):
            said = render(self.findings, as_json=as_json)
            assert "canary" not in said
            assert not re.search(r"[0-9a-f]{32}", said), "a checksum"
        for finding in self.findings:
            assert bool(finding.remedy) == (finding.level is not Level.OK)

    def found(self, name: str) -> Finding:
        (finding,) = [finding for finding in self.findings if finding.id == name]
        return finding


@pytest.fixture
def doctor(servers: Servers, tmp_path: Path) -> Doctor:
    return Doctor(servers, tmp_path)


def html(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="<!doctype html><html><title>Log in</title></html>")


def answer(status: int, **content: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, **content)  # type: ignore[arg-type]


def breaks(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    return fail


# --- all is well ---------------------------------------------------------------------


async def test_nothing_is_wrong_with_a_sound_installation(doctor: Doctor) -> None:
    await doctor.examine("config", "data", "public-url", "bbb", "matrix", "clock")

    assert {finding.level for finding in doctor.findings} == {Level.OK}
    assert exit_code(doctor.findings) == 0
    assert render(doctor.findings, as_json=False).endswith("\nAll is well.")
    assert "set, 15 characters" in doctor.found("config").text


async def test_all_checks_run_in_their_order(doctor: Doctor) -> None:
    await doctor.examine()
    order = list(dict.fromkeys(finding.id.partition(".")[0] for finding in doctor.findings))

    assert order == list(CHECKS)


async def test_offline_asks_nobody(tmp_path: Path) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"asked {request.url.host}")

    findings = await examine(
        settings_in(tmp_path), offline=True, transport=httpx.MockTransport(nobody)
    )

    assert [finding.id for finding in findings] == ["config", "data", "sqlite", "public-url"]


async def test_an_unknown_check_is_named(doctor: Doctor) -> None:
    with pytest.raises(ValueError, match="no such check: bbbb; there are config, data"):
        await doctor.examine("bbbb")


# --- BigBlueButton -------------------------------------------------------------------


async def test_a_wrong_secret(doctor: Doctor) -> None:
    doctor.servers.bbb_secret = "another"
    found = (await doctor.examine("bbb")).found("bbb.secret")

    assert found.level is Level.FAIL
    assert found.text == "the server refuses the secret (set, 15 characters)"
    assert "bbb-conf --secret" in found.remedy
    assert "bbb.servers[0].secret (default)" in found.remedy
    assert exit_code(doctor.findings) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_secret_told_by_a_balancer_in_plain_text(status: int, doctor: Doctor) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        if "checksum" in request.url.params:
            return httpx.Response(status, text="Unauthorized")
        return httpx.Response(200, text=OK, headers=XML)

    doctor.servers.bbb = refuse

    assert (await doctor.examine("bbb")).found("bbb.secret").level is Level.FAIL


@pytest.mark.parametrize("accepted", ["sha1", "sha384", "sha512"])
async def test_a_server_that_takes_another_algorithm(accepted: str, doctor: Doctor) -> None:
    doctor.servers.algorithms = (accepted,)
    found = (await doctor.examine("bbb")).found("bbb.secret")

    assert found.level is Level.FAIL
    assert found.text == f"the secret is right, but the server takes {accepted}, not sha256"
    assert found.remedy == f"set bbb.servers[0].checksum (default) to {accepted}"


async def test_the_algorithm_that_is_configured(doctor: Doctor) -> None:
    doctor.servers.algorithms = ("sha1",)
    found = (await doctor.examine("bbb", server={"checksum": "sha1"})).found("bbb.secret")

    assert found.text == "accepted (set, 15 characters), signed with sha1"


async def test_a_server_that_still_has_the_previous_secret(doctor: Doctor) -> None:
    doctor.servers.bbb_secret = PREVIOUS
    await doctor.examine("bbb", server={"previous_secret": PREVIOUS})

    assert doctor.found("bbb.secret").level is Level.WARN
    assert exit_code(doctor.findings) == 0


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        pytest.param(html, "is not BigBlueButton (HTTP 200)", id="a login page"),
        pytest.param(answer(200), "is not BigBlueButton (HTTP 200)", id="nothing"),
        pytest.param(answer(502, text="<html>"), "is not BigBlueButton (HTTP 502)", id="a 502"),
        pytest.param(answer(302, headers={"location": "/login"}), "(HTTP 302)", id="a redirect"),
        pytest.param(answer(200, text=OK[:40]), "is not BigBlueButton", id="half an answer"),
        pytest.param(
            answer(200, text=f'<!DOCTYPE r [<!ENTITY a "b">]>{OK}'),
            "is not BigBlueButton",
            id="entities",
        ),
        pytest.param(
            answer(200, content=b'<?xml version="1.0" encoding="klingon"?><response/>'),
            "is not BigBlueButton",
            id="an unknown encoding",
        ),
        pytest.param(answer(200, content=b"<" * 300_000), "is far too long", id="a flood"),
        pytest.param(
            breaks(httpx.ConnectError(f"no route to {SECRET}")), "no connection", id="no route"
        ),
        pytest.param(
            breaks(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")),
            "TLS certificate is not accepted",
            id="a wrong certificate",
        ),
        pytest.param(breaks(httpx.ReadTimeout("")), "does not answer in time", id="silence"),
        pytest.param(breaks(httpx.RemoteProtocolError("")), "broke off", id="a broken line"),
    ],
)
async def test_bbb_cannot_be_asked_when_it_answers_with(
    says: Callable[[httpx.Request], httpx.Response], reason: str, doctor: Doctor
) -> None:
    doctor.servers.bbb = says
    found = (await doctor.examine("bbb")).found("bbb.reachable")

    assert found.level is Level.FAIL
    assert reason in found.text
    assert "bbb.servers[0].url (default)" in found.remedy


async def test_a_balancer_whose_root_ends_in_a_slash(doctor: Doctor) -> None:
    def with_slash(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/api"):
            return httpx.Response(307, headers={"location": "/bigbluebutton/api/"})
        return httpx.Response(200, text=OK, headers=XML)

    doctor.servers.bbb = with_slash
    await doctor.examine("bbb")

    assert doctor.found("bbb.reachable").level is Level.OK
    assert doctor.found("bbb.version").text == "the server does not tell its version"


async def test_what_a_server_says_cannot_write_on_the_terminal(doctor: Doctor) -> None:
    doctor.servers.version = "3.0.40&#10;fail&#9;\x9b31m"
    await doctor.examine("bbb")

    assert doctor.found("bbb.version").text == "3.0.40 fail  31m"


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("", Level.OK),
        ("3.0.21", Level.OK),
        ("3.1", Level.OK),
        ("3.0.20", Level.WARN),
        ("2.7.12", Level.WARN),
        ("3.0.0-rc.2", Level.WARN),
    ],
)
def test_version_floor(version: str, level: Level) -> None:
    assert judge_version(version).level is level


# --- Matrix --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "actual", "check"),
    [("user_id", "@ana:example.org", "matrix.user"), ("device_id", "OTHER", "matrix.device")],
)
async def test_a_token_of_another(name: str, actual: str, check: str, doctor: Doctor) -> None:
    doctor.servers.whoami[name] = actual
    found = (await doctor.examine("matrix")).found(check)

    assert found.level is Level.FAIL
    assert f"belongs to {actual}" in found.text
    assert f"matrix.{name}" in found.remedy


async def test_a_token_without_a_device(doctor: Doctor) -> None:
    del doctor.servers.whoami["device_id"]

    assert (await doctor.examine("matrix")).found("matrix.device").level is Level.WARN


@pytest.mark.parametrize(
    ("says", "check", "text"),
    [
        pytest.param(
            answer(401, json={"errcode": "M_UNKNOWN_TOKEN", "error": TOKEN}),
            "matrix.token",
            "the token is not valid, or not any more",
            id="the token was revoked",
        ),
        pytest.param(
            answer(403, json={"errcode": "M_USER_DEACTIVATED"}),
            "matrix.token",
            "the homeserver refuses the account (M_USER_DEACTIVATED)",
            id="the account was closed",
        ),
        pytest.param(
            html,
            "matrix.reachable",
            "the homeserver cannot be asked: what answers there is no homeserver",
            id="a web page answers",
        ),
        pytest.param(
            answer(200, text="[" * 100_000),
            "matrix.reachable",
            "the homeserver cannot be asked: what answers there is no homeserver",
            id="deeply nested JSON answers",
        ),
        pytest.param(
            answer(502, text="Bad gateway"),
            "matrix.reachable",
            "the homeserver cannot be asked: it answers with HTTP 502",
            id="it is down behind its proxy",
        ),
        pytest.param(
            breaks(httpx.ConnectError(TOKEN)),
            "matrix.reachable",
            "the homeserver cannot be asked: no connection (no such host, "
            "or nothing listens there)",
            id="there is no connection",
        ),
    ],
)
async def test_matrix_fails_when(
    says: Callable[[httpx.Request], httpx.Response], check: str, text: str, doctor: Doctor
) -> None:
    doctor.servers.matrix = says
    found = (await doctor.examine("matrix")).found(check)

    assert (found.level, found.text) == (Level.FAIL, text)


async def test_matrix_asks_to_slow_down(doctor: Doctor) -> None:
    doctor.servers.matrix = answer(429, json={"errcode": "M_LIMIT_EXCEEDED"})

    assert (await doctor.examine("matrix")).found("matrix.token").level is Level.WARN


# --- clock, time limit ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "level", "text"),
    [
        (0, Level.OK, "agrees with"),
        (30, Level.OK, "agrees with"),
        (31, Level.WARN, "is 31 seconds behind that of"),
        (-3600, Level.WARN, "is 3600 seconds ahead of that of"),
    ],
)
async def test_clock(ahead: int, level: Level, text: str, doctor: Doctor) -> None:
    doctor.servers.clock = NOW + timedelta(seconds=ahead)
    bbb, matrix = (await doctor.examine("clock")).findings

    assert (bbb.level, matrix.level) == (level, level)
    assert text in bbb.text
    assert "BigBlueButton" in bbb.text
    assert "homeserver" in matrix.text


async def test_a_clock_that_cannot_be_compared(doctor: Doctor) -> None:
    doctor.servers.clock = None

    assert {finding.level for finding in (await doctor.examine("clock")).findings} == {Level.WARN}


async def test_a_slow_server_costs_only_its_own_check_and_what_was_found_stays(
    doctor: Doctor,
) -> None:
    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b" "
                await asyncio.sleep(0.001)

    def drip(request: httpx.Request) -> httpx.Response:
        if "checksum" in request.url.params:
            return httpx.Response(200, stream=Drip())
        return httpx.Response(200, text=OK, headers=XML)

    doctor.servers.bbb = drip
    await doctor.examine("bbb", "matrix", seconds=0.1)

    assert doctor.found("bbb.reachable").level is Level.OK
    assert doctor.found("bbb").text == "no answer within 0.1 seconds"
    assert doctor.found("matrix.device").level is Level.OK


# --- this machine --------------------------------------------------------------------


async def test_a_data_directory_that_cannot_be_written(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", read_only)

    assert (await doctor.examine("data")).found("data").level is Level.FAIL


async def test_a_data_directory_that_the_first_start_makes(doctor: Doctor) -> None:
    doctor.directory /= "new/data"
    found = (await doctor.examine("data")).found("data")

    assert found.level is Level.OK
    assert found.text.endswith("which the first start makes")
    assert not doctor.directory.exists()


@pytest.mark.parametrize(
    ("free", "level"), [(1 << 20, Level.FAIL), (100 << 20, Level.WARN), (1 << 30, Level.OK)]
)
async def test_room_on_the_disk(
    free: int, level: Level, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)

    assert (await doctor.examine("data")).found("data").level is level


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ((3, 34, 1), Level.FAIL),
        ((3, 40, 1), Level.WARN),
        ((3, 51, 2), Level.WARN),
        ((3, 51, 3), Level.OK),
    ],
)
def test_sqlite(version: tuple[int, ...], level: Level) -> None:
    assert judge_sqlite(version).level is level


async def test_a_public_address_that_only_this_machine_reaches(doctor: Doctor) -> None:
    await doctor.examine("public-url", public_url="http://localhost:8080")

    assert doctor.found("public-url").level is Level.WARN


async def test_warnings_of_the_configuration_are_repeated(tmp_path: Path) -> None:
    warning = Problem(Source("config.yaml", 6), "matrix.access_token", "its group can read it")
    settings = settings_in(tmp_path).remember({}, (warning,))
    first, _ = await examine(settings, ["config"])

    assert first.level is Level.WARN
    assert first.text == "config.yaml:6: matrix.access_token: its group can read it"


# --- how it is said ------------------------------------------------------------------


def test_a_configuration_that_does_not_load_ends_with_78() -> None:
    error = ConfigError([Problem(Source("config.yaml", 3), "langauge", "unknown key")])
    findings = findings_of(error)

    assert exit_code(findings) == 78
    assert render(findings, as_json=False) == (
        "fail  config  config.yaml:3: langauge: unknown key\n"
        "              → correct config.yaml:3; see docs/configuration.md\n"
        "1 to put right."
    )


def test_json_is_a_list_of_objects() -> None:
    findings = [Finding(Level.WARN, "clock", "is late", "set it")]

    assert json.loads(render(findings, as_json=True)) == [
        {"level": "warn", "id": "clock", "text": "is late", "remedy": "set it"}
    ]
    assert render(findings, as_json=False).endswith("It works; 1 to look at.")
