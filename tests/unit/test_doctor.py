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

from bot.chat.matrix.identity import Identity
from bot.chat.matrix.signatures import with_signature
from bot.config import ConfigError, Problem, Settings, Source
from bot.doctor import CHECKS, Finding, Level, examine, exit_code, findings_of, names, render
from bot.doctor.asking import NoAnswer
from bot.doctor.bbb import judge_version
from bot.doctor.local import judge_sqlite
from bot.doctor.tls import Untrusted, expiry_of
from bot.web.alive import INSTANCE, VISITOR
from storage.open import open_store
from storage.records import DeadReason, Letter

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
    devices: tuple[str, ...] = ()
    limited: bool = False
    here: str = ""
    there: str | Exception = ""
    visitor: str = "203.0.113.9"
    asked: list[str] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url}")
        match request.url.host:
            case "bbb.example.org":
                response = (self.bbb or self._bbb)(request)
            case "matrix.example.org":
                response = (self.matrix or self._matrix)(request)
            case "127.0.0.1" if self.here:
                response = self._healthz(self.here)
            case "meet.example.org":
                if isinstance(self.there, Exception):
                    raise self.there
                response = self._healthz(self.there)
            case _:
                raise httpx.ConnectError("refused")
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
        if request.url.path.endswith("/keys/query"):
            devices = {"@bbb:example.org": dict.fromkeys(self.devices, {"keys": {}})}
            return httpx.Response(200, json={"device_keys": devices})
        if request.url.path.endswith("/status"):
            assert json.loads(request.content) == {}, "nothing is changed"
            second = sum(asked.endswith("/status") for asked in self.asked) > 1
            return httpx.Response(429 if self.limited and second else 400, json={})
        return httpx.Response(200, json=self.whoami)

    def _healthz(self, instance: str) -> httpx.Response:
        if not instance:
            return httpx.Response(502, text="Bad gateway")
        headers = {INSTANCE: instance, VISITOR: self.visitor}
        return httpx.Response(200, text="ok\n", headers=headers)


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
            **dict(changes.pop("matrix", {})),  # type: ignore[call-overload]
        },
    }
    return Settings.model_validate(values | changes)


@dataclass
class Doctor:
    """Examines an installation and keeps what it said."""

    servers: Servers
    directory: Path
    findings: list[Finding] = field(default_factory=list)
    certificates: dict[str, datetime | NoAnswer] = field(default_factory=dict)

    async def _expiry_of(self, host: str, port: int, ca_file: Path | None) -> datetime:
        assert (port, ca_file) == (443, None)
        found = self.certificates.get(host, NOW + timedelta(days=60))
        if isinstance(found, NoAnswer):
            raise found
        return found

    async def examine(self, *names: str, seconds: float = 5, **changes: object) -> "Doctor":
        self.findings = await examine(
            settings_in(self.directory, **changes),
            names,
            transport=httpx.MockTransport(self.servers),
            now=lambda: NOW,
            expiry_of=self._expiry_of,
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
    doctor.directory.chmod(0o700)
    doctor.servers.here = doctor.servers.there = "one"
    await doctor.examine(*(name for name in CHECKS if name != "sqlite"))

    assert {finding.level for finding in doctor.findings} == {Level.OK}
    assert exit_code(doctor.findings) == 0
    assert render(doctor.findings, as_json=False).endswith("\nAll is well.")
    assert "set, 15 characters" in doctor.found("config").text


async def test_all_checks_run_in_their_order(doctor: Doctor) -> None:
    await doctor.examine()
    order = dict.fromkeys(finding.id.partition(".")[0] for finding in doctor.findings)

    groups = dict.fromkeys(name.partition(".")[0] for name in CHECKS)
    assert list(order) == [group for group in groups if group != "rocketchat"], "not configured"
    assert {finding.id for finding in doctor.findings} <= set(names())


async def test_offline_asks_nobody(tmp_path: Path) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"asked {request.url.host}")

    findings = await examine(
        settings_in(tmp_path), offline=True, transport=httpx.MockTransport(nobody)
    )

    assert list(dict.fromkeys(finding.id.partition(".")[0] for finding in findings)) == [
        "config",
        "data",
        "database",
        "sqlite",
        "public-url",
    ]


async def test_an_unknown_check_is_named(doctor: Doctor) -> None:
    with pytest.raises(ValueError, match="no such check: bbbb; there are config, data"):
        await doctor.examine("bbbb")


async def test_one_thing_alone_by_its_name(doctor: Doctor) -> None:
    await doctor.examine("bbb.secret")
    assert [finding.id for finding in doctor.findings] == ["bbb.secret"]

    doctor.servers.bbb = html
    await doctor.examine("bbb.secret")
    assert [finding.id for finding in doctor.findings] == ["bbb.reachable"], (
        "what stands in its way"
    )


async def test_a_group_has_its_further_checks(doctor: Doctor) -> None:
    await doctor.examine("matrix")

    assert {"matrix.device", "matrix.keys", "matrix.limits"} <= {f.id for f in doctor.findings}


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


@pytest.mark.parametrize(
    ("stored", "published", "level", "text"),
    [
        (True, True, Level.OK, "here and at the homeserver"),
        (False, True, Level.FAIL, "the crypto store here is gone"),
        (True, False, Level.WARN, "the homeserver has no keys"),
        (False, False, Level.OK, "the first start makes them"),
    ],
)
async def test_the_keys_of_the_device(
    stored: bool, published: bool, level: Level, text: str, doctor: Doctor
) -> None:
    if stored:
        (doctor.directory / "matrix").mkdir()
        (doctor.directory / "matrix" / "@bbb:example.org_DEV.db").touch()
    doctor.servers.devices = ("DEV",) if published else ()
    found = (await doctor.examine("matrix.keys")).found("matrix.keys")

    assert (found.level, text in found.text) == (level, True)


@pytest.mark.parametrize(
    ("account", "mode", "level", "remedy"),
    [
        ("signed", "auto", Level.OK, ""),
        ("unsigned", "auto", Level.WARN, "matrix.recovery_key"),
        ("unsigned", "recovery_key", Level.WARN, "matrix.recovery_key"),
        ("broken chain", "auto", Level.WARN, "matrix.recovery_key"),
        ("no keys", "auto", Level.WARN, "start the bot"),
        ("no keys", "recovery_key", Level.WARN, "set up recovery"),
    ],
)
async def test_whether_the_device_is_signed(
    account: str, mode: str, level: Level, remedy: str, doctor: Doctor
) -> None:
    answer = published_by(account)
    doctor.servers.matrix = lambda request: httpx.Response(200, json=answer)
    (doctor.directory / "matrix").mkdir()
    (doctor.directory / "matrix" / "@bbb:example.org_DEV.db").touch()
    matrix = {"cross_signing": mode, "recovery_key": "canary recovery key"}
    found = (await doctor.examine("matrix.signed", matrix=matrix)).found("matrix.signed")

    assert (found.level, remedy in found.remedy) == (level, True)


def published_by(account: str) -> dict[str, object]:
    """The answer to /keys/query for an account in this state."""
    user, identity = "@bbb:example.org", Identity.new("@bbb:example.org")
    device: dict[str, object] = {"device_id": "DEV", "keys": {"ed25519:DEV": "x"}}
    if account == "no keys":
        return {"device_keys": {user: {"DEV": device}}}
    key = identity.key("self_signing")
    signed = with_signature(device, user, key.public, key.sign(device))
    master = Identity.new(user) if account == "broken chain" else identity
    return {
        "device_keys": {user: {"DEV": device if account == "unsigned" else signed}},
        "master_keys": {user: master.public("master")},
        "self_signing_keys": {user: identity.public("self_signing")},
    }


async def test_an_answer_without_devices_is_no_homeserver(doctor: Doctor) -> None:
    for body in (b"[]", b"{}", b"<html>"):
        doctor.servers.matrix = lambda request, body=body: httpx.Response(200, content=body)
        found = (await doctor.examine("matrix.keys")).found("matrix.keys")
        assert (found.level, "no homeserver" in found.text) == (Level.WARN, True)


async def test_limits_that_an_admin_can_lift(doctor: Doctor) -> None:
    doctor.servers.limited = True
    found = (await doctor.examine("matrix.limits")).found("matrix.limits")

    assert found.level is Level.WARN
    assert "about one in five seconds" in found.text
    assert found.remedy.endswith(
        'curl -X POST -H "Authorization: Bearer $ADMIN_TOKEN" '
        """-d '{"messages_per_second": 0, "burst_count": 0}' """
        "'https://matrix.example.org/_synapse/admin/v1/users/@bbb:example.org/override_ratelimit'"
    )


async def test_limits_are_measured_by_requests_that_change_nothing(doctor: Doctor) -> None:
    found = (await doctor.examine("matrix.limits")).found("matrix.limits")

    assert found.level is Level.OK
    path = "/_matrix/client/v3/presence/%40bbb%3Aexample.org/status"
    assert doctor.servers.asked == [f"PUT https://matrix.example.org{path}"] * 2


# --- the way to the join pages -------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "there", "level", "text"),
    [
        ("one", "one", Level.OK, "leads to the bot"),
        ("one", "two", Level.FAIL, "(HTTP 200) is not this bot"),
        ("one", "", Level.FAIL, "(HTTP 502) is not this bot"),
        ("", "one", Level.OK, "none on this machine"),
        ("", "", Level.OK, "the bot does not run yet"),
        ("one", httpx.ConnectError(TOKEN), Level.WARN, "cannot be asked from here: no connection"),
        ("", httpx.ConnectError(TOKEN), Level.WARN, "cannot be asked from here: no connection"),
    ],
)
async def test_where_the_public_address_leads(
    here: str, there: str | Exception, level: Level, text: str, doctor: Doctor
) -> None:
    doctor.servers.here, doctor.servers.there = here, there
    found = (await doctor.examine("gateway")).found("gateway.reachable")

    assert (found.level, text in found.text) == (level, True), found.text


@pytest.mark.parametrize(
    ("visitor", "level", "text"),
    [
        ("203.0.113.9", Level.OK, "tells the bot who visits"),
        ("direct", Level.WARN, "does not tell the bot who visits"),
        ("untrusted", Level.WARN, "trusted_proxies does not name"),
        ("192.0.2.77", Level.FAIL, "visitors can choose their address"),
    ],
)
async def test_what_the_proxy_says_of_visitors(
    visitor: str, level: Level, text: str, doctor: Doctor
) -> None:
    doctor.servers.here = doctor.servers.there = "one"
    doctor.servers.visitor = visitor
    found = (await doctor.examine("gateway")).found("gateway.proxy")

    assert (found.level, text in found.text) == (level, True)


@pytest.mark.parametrize(
    ("ends", "level", "text"),
    [
        (NOW + timedelta(days=15), Level.OK, "good for 15 days"),
        (NOW + timedelta(days=13), Level.WARN, "ends on 2026-12-04"),
        (Untrusted("certificate has expired"), Level.FAIL, "certificate has expired"),
        (NoAnswer("no connection"), Level.WARN, "could not be looked at: no connection"),
    ],
)
async def test_how_long_certificates_are_good(
    ends: datetime | NoAnswer, level: Level, text: str, doctor: Doctor
) -> None:
    doctor.certificates["meet.example.org"] = ends
    found = (await doctor.examine("tls")).found("tls.public-url")

    assert (found.level, text in found.text) == (level, True)
    assert doctor.found("tls.bbb").level is Level.OK


async def test_a_certificate_is_asked_for_by_tls_alone() -> None:
    async def hangs_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hangs_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NoAnswer, match="no connection"):
            await expiry_of("127.0.0.1", port)


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


async def test_a_data_directory_that_others_can_look_into(doctor: Doctor) -> None:
    doctor.directory.chmod(0o755)
    found = (await doctor.examine("data.modes")).found("data.modes")
    assert (found.level, found.remedy) == (Level.WARN, f"chmod -R go= {doctor.directory}")

    doctor.directory.chmod(0o700)
    assert (await doctor.examine("data.modes")).found("data.modes").level is Level.OK


async def test_no_database_yet_is_well(doctor: Doctor) -> None:
    assert (await doctor.examine("database")).found("database").level is Level.OK


async def test_messages_given_up_or_waiting_for_long(doctor: Doctor) -> None:
    store = await open_store(doctor.directory)
    try:
        letters = [
            Letter(id=name, platform="matrix", channel="!r", content={}, created_at=NOW - age)
            for name, age in (("old", timedelta(minutes=11)), ("new", timedelta(0)))
        ]
        await store.say(letters)
        await doctor.examine("database")
        assert doctor.found("database.dead").level is Level.OK
        waiting = doctor.found("database.waiting")
        assert waiting.text == "2 messages wait, the oldest for 11 minutes"
        assert waiting.level is Level.WARN

        await store.letter_dead("old", at=NOW, reason=DeadReason.REFUSED, error="refused")
        await doctor.examine("database")
        assert doctor.found("database.dead").text.startswith("1 messages and 0 commands")
        assert doctor.found("database.dead").level is Level.WARN
        assert doctor.found("database.waiting").level is Level.OK
    finally:
        await store.close()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
async def test_a_database_that_is_none(content: bytes, doctor: Doctor) -> None:
    path = doctor.directory / "bbb-bot.db"
    path.write_bytes(content)

    assert (await doctor.examine("database")).found("database").level is Level.FAIL
    assert path.read_bytes() == content


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
