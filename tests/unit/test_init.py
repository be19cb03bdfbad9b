"""`bbb-bot init`: answers right and wrong, along a pipe and from a file, and what is written."""

import io
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config import Settings, load
from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.transport import InProcess
from bot.init.answers import Account, Admins, Answers, Matrix, Video
from bot.init.command import main
from bot.init.paste import Pasted, read_paste
from bot.init.surroundings import language_of, zone_here
from bot.init.terminal import Terminal
from bot.init.trials import Trials
from bot.init.writing import config_text, write_config

SECRET = "canary330a8b08c3b4c61533e1d0c5"
TOKEN = "syt_canary_9c41"
PASSWORD = "canary-password-77"
BBB_CONF = f"""
    URL: https://bbb.example.org/bigbluebutton/
    Secret: {SECRET}

    Link to the API-Mate:
    https://mconf.github.io/api-mate/#server=https://bbb.example.org/&sharedSecret={SECRET}

"""
ADMIN = "@ana:example.org"
WELL = [BBB_CONF, "example.org", TOKEN, "https://meet.example.org", ADMIN]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


@dataclass
class World:
    """Three servers behind one transport; change what they are before asking."""

    bbb: SimulatedBBB = field(default_factory=lambda: SimulatedBBB(SECRET, speed=0))
    port: int = field(default_factory=free_port)
    device: str | None = "BBBBOT"
    public: str = "leads here"
    down: set[str] = field(default_factory=set)
    logins: list[dict[str, object]] = field(default_factory=list)

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.MockTransport(self._answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host in self.down:
            raise httpx.ConnectError(f"no route; {SECRET} {TOKEN}")
        match host:
            case "bbb.example.org":
                return await InProcess(self.bbb).handle_async_request(request)
            case "example.org":
                base = {"m.homeserver": {"base_url": "https://matrix.example.org/"}}
                known = request.url.path == "/.well-known/matrix/client"
                return httpx.Response(200, json=base) if known else httpx.Response(404, text="?")
            case "matrix.example.org":
                return self._matrix(request)
            case "meet.example.org":
                return await self._public(request)
        raise httpx.ConnectError("no such host")

    def _matrix(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/_matrix/client/versions":
            return httpx.Response(200, json={"versions": ["v1.11"]})
        if path == "/_matrix/client/v3/login":
            return self._log_in(json.loads(request.content))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return httpx.Response(401, json={"errcode": "M_UNKNOWN_TOKEN"})
        if path == "/_matrix/client/v3/account/whoami":
            device = {"device_id": self.device} if self.device else {}
            return httpx.Response(200, json={"user_id": "@bbb:example.org", **device})
        found = path == f"/_matrix/client/v3/profile/{ADMIN}"
        return httpx.Response(200 if found else 404, json={})

    def _log_in(self, wish: dict[str, object]) -> httpx.Response:
        self.logins.append(wish)
        if wish["password"] != PASSWORD:
            return httpx.Response(403, json={"errcode": "M_FORBIDDEN"})
        self.device = str(wish["device_id"])
        return httpx.Response(200, json={"access_token": TOKEN})

    async def _public(self, request: httpx.Request) -> httpx.Response:
        if self.public != "leads here":
            return httpx.Response(502, text=self.public)
        async with httpx.AsyncClient(trust_env=False) as http:
            inside = await http.get(f"http://127.0.0.1:{self.port}{request.url.path}")
        return httpx.Response(inside.status_code, content=inside.content)


@dataclass
class Desk:
    """Somebody who sets the bot up in an empty directory."""

    world: World
    path: Path
    code: int = -1
    said: str = ""

    def init(self, *lines: str, answers: Path | None = None, **options: bool) -> None:
        words = io.StringIO()
        self.code = main(
            self.path,
            answers=answers,
            anyway=options.get("anyway", False),
            overwrite=options.get("overwrite", False),
            env={"LANG": "fr_FR.UTF-8"},
            terminal=Terminal(io.StringIO("".join(f"{line}\n" for line in lines)), words),
            trials=Trials(self.world.transport(), listen=("127.0.0.1", self.world.port)),
        )
        self.said = words.getvalue()
        assert "canary" not in self.said, "nothing said holds a secret"

    def file(self, **answers: str) -> Path:
        path = self.path.with_name("answers.yaml")
        path.touch(mode=0o600)
        path.write_text("".join(f"{key}: '{value}'\n" for key, value in answers.items()))
        return path

    def settings(self) -> Settings:
        return load(self.path, env={"HOME": "/nowhere"}, run_secrets=self.path.parent / "none")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(World(), tmp_path / "config.yaml")


# --- five right answers --------------------------------------------------------------


def test_five_answers_make_a_configuration(desk: Desk) -> None:
    desk.init(*WELL)

    assert desk.code == 0, desk.said
    settings = desk.settings()
    assert settings.public_url == "https://meet.example.org"
    assert settings.bbb.server.url == "https://bbb.example.org/bigbluebutton/api/"
    assert settings.bbb.server.secret.get_secret_value() == SECRET
    assert settings.matrix is not None
    assert settings.matrix.homeserver == "https://matrix.example.org"
    assert (settings.matrix.user_id, settings.matrix.device_id) == ("@bbb:example.org", "BBBBOT")
    assert settings.matrix.access_token.get_secret_value() == TOKEN
    assert settings.admins == (ADMIN,)
    assert settings.language == "fr"
    assert settings.warnings == ()
    assert desk.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in desk.path.parent.iterdir()] == ["config.yaml"]


def test_what_is_written_is_the_commented_example(desk: Desk) -> None:
    desk.init(*WELL)
    example = (Path(__file__).parents[2] / "config.yaml.example").read_text()
    written = desk.path.read_text()

    changed = set(example.splitlines()) ^ set(written.splitlines())
    assert len(example.splitlines()) == len(written.splitlines())
    assert not any(line.strip().startswith("# ") for line in changed)


def test_the_end_names_the_next_two_commands(desk: Desk) -> None:
    desk.init(*WELL)

    assert f"bbb-bot doctor --config {desk.path}\n  bbb-bot run --config {desk.path}" in desk.said


def test_the_password_is_used_once_and_not_kept(desk: Desk) -> None:
    desk.init(BBB_CONF, "example.org", "@bbb:example.org", PASSWORD, *WELL[3:])

    assert desk.code == 0, desk.said
    assert PASSWORD not in desk.path.read_text()
    (login,) = desk.world.logins
    assert desk.settings().matrix.device_id == login["device_id"]  # type: ignore[union-attr]
    assert str(login["device_id"]).startswith("BBBBOT")


def test_each_login_is_a_device_of_its_own(desk: Desk) -> None:
    """To log in as one that exists would kill its token and its encryption."""
    for _ in range(2):
        desk.init(BBB_CONF, "example.org", "@bbb:example.org", PASSWORD, *WELL[3:], overwrite=True)
    first, second = desk.world.logins

    assert first["device_id"] != second["device_id"]


def test_a_server_with_an_old_hash_is_recognised(desk: Desk) -> None:
    state = desk.world.bbb.state
    state.rules = replace(state.rules, algorithms=frozenset({"sha1"}))
    desk.init(*WELL)

    assert desk.settings().bbb.server.checksum == "sha1"


# --- wrong answers, and another try --------------------------------------------------


def test_each_wrong_answer_gets_its_sentence_and_another_try(desk: Desk) -> None:
    desk.init(
        f"https://bbb.example.org/bigbluebutton/ {SECRET}x",
        BBB_CONF,
        "nowhere.example.org",
        "example.org",
        "a b",
        "syt_wrong",
        TOKEN,
        "meet.example.org",
        "https://meet.example.org",
        "ana",
        ADMIN,
    )

    assert desk.code == 0, desk.said
    for sentence in (
        "BigBlueButton answers, but refuses the secret",
        "no Matrix homeserver answers there: no connection",
        "an access token is one word",
        "the homeserver does not know this access token (any more)",
        "this must be a full address, such as https://meet.example.org",
        "this must be a full Matrix id, such as '@ana:example.org'",
    ):
        assert f"That will not do: {sentence}" in desk.said
    assert desk.said.count("That will not do") == 6


@pytest.mark.parametrize(
    ("change", "lines", "sentence"),
    [
        pytest.param(
            lambda world: world.down.add("bbb.example.org"),
            [BBB_CONF, "", *WELL[1:]],
            "BigBlueButton cannot be asked: no connection",
            id="the video server is down",
        ),
        pytest.param(
            lambda world: setattr(world, "public", "Bad gateway"),
            [*WELL[:4], "", ADMIN],
            "answers (HTTP 502), but does not lead to 127.0.0.1:",
            id="the proxy leads elsewhere",
        ),
        pytest.param(
            lambda world: world.down.add("meet.example.org"),
            [*WELL[:4], "", ADMIN],
            "no connection",
            id="there is no proxy yet",
        ),
        pytest.param(
            lambda world: None,
            [*WELL[:4], "@nobody:example.org", ""],
            "knows nobody called @nobody:example.org",
            id="the admin has no account yet",
        ),
    ],
)
def test_what_may_come_later_can_be_kept_with_enter(
    change: Callable[[World], None], lines: list[str], sentence: str, desk: Desk
) -> None:
    change(desk.world)
    desk.init(*lines)

    assert desk.code == 0, desk.said
    assert sentence in desk.said
    assert "Enter to keep this one" in desk.said


def test_a_token_without_a_device_is_refused(desk: Desk) -> None:
    desk.world.device = None
    desk.init(*WELL[:3])

    assert "this token has no device" in desk.said
    assert desk.code == 1


def test_a_wrong_password_is_refused(desk: Desk) -> None:
    desk.init(*WELL[:2], "@bbb:example.org", "canary-wrong", *WELL[2:])

    assert "refuses user or password" in desk.said
    assert desk.code == 0


@pytest.mark.parametrize("count", range(5))
def test_answers_that_end_too_soon_write_nothing(count: int, desk: Desk) -> None:
    desk.init(*WELL[:count])

    assert desk.code == 1
    assert "Nothing was written: the answers ended" in desk.said
    assert list(desk.path.parent.iterdir()) == []


# --- what is there already -----------------------------------------------------------


@pytest.mark.parametrize(("answer", "code"), [("", 1), ("n", 1), ("y", 0)])
def test_it_asks_before_it_writes_over(answer: str, code: int, desk: Desk) -> None:
    desk.path.write_text("mine\n")
    desk.path.chmod(0o640)
    desk.init(answer, *WELL)

    assert desk.code == code, desk.said
    assert (desk.path.read_text() == "mine\n") == bool(code)
    assert desk.path.stat().st_mode & 0o777 == (0o600 if code == 0 else 0o640)


def test_one_that_appears_meanwhile_is_not_written_over(desk: Desk) -> None:
    desk.path.write_text("mine\n")
    with pytest.raises(FileExistsError):
        write_config(ANSWERS, desk.path)

    assert desk.path.read_text() == "mine\n"
    assert list(desk.path.parent.iterdir()) == [desk.path]


def test_a_directory_that_cannot_be_written_is_said(desk: Desk) -> None:
    blocker = desk.path.with_name("file")
    blocker.touch()
    desk.path = blocker / "config.yaml"
    desk.init(*WELL)

    assert (desk.code, "cannot be written" in desk.said) == (1, True)


# --- by script -----------------------------------------------------------------------

FILE = {
    "bbb_url": "https://bbb.example.org/bigbluebutton/",
    "bbb_secret": SECRET,
    "homeserver": "example.org",
    "access_token": TOKEN,
    "public_url": "https://meet.example.org",
    "admins": ADMIN,
}


def test_answers_from_a_file(desk: Desk) -> None:
    desk.init(answers=desk.file(**FILE))

    assert desk.code == 0, desk.said
    assert desk.settings().admins == (ADMIN,)


def test_user_and_password_from_a_file(desk: Desk) -> None:
    given = {**FILE, "user": "@bbb:example.org", "password": PASSWORD}
    del given["access_token"]
    desk.init(answers=desk.file(**given))

    assert desk.code == 0, desk.said


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"bbb_secret": "canary-wrong"}, "bbb_url, bbb_secret: BigBlueButton answers, but refuses"),
        ({"homeserver": "nowhere.example.org"}, "homeserver: no Matrix homeserver answers there"),
        ({"access_token": "canary-wrong"}, "access_token: the homeserver does not know"),
        ({"public_url": "https://down.example.org"}, "public_url: no connection"),
        ({"admins": "ana"}, "admins: this must be a full Matrix id"),
    ],
)
def test_a_wrong_answer_in_the_file_is_named(
    wrong: dict[str, str], sentence: str, desk: Desk
) -> None:
    desk.init(answers=desk.file(**{**FILE, **wrong}))

    assert desk.code == 1
    assert f"Nothing was written. {sentence}" in desk.said
    assert not desk.path.exists()


def test_anyway_keeps_what_cannot_be_reached_but_nothing_refused(desk: Desk) -> None:
    file = desk.file(**FILE)
    desk.world.down |= {"bbb.example.org", "meet.example.org"}
    desk.init(answers=file, anyway=True)
    assert desk.code == 0, desk.said

    desk.world.down.clear()
    desk.init(answers=desk.file(**FILE, **{"unknown": "x"}), overwrite=True)
    assert desk.code == 2
    desk.init(answers=desk.file(**{**FILE, "bbb_secret": "no"}), anyway=True, overwrite=True)
    assert desk.code == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"bbb_urll": "x"}, "unknown answer; did you mean bbb_url?"),
        ({"bbb_url": ""}, "bbb_url is missing"),
        ({"access_token": ""}, "access_token is missing, or user and password"),
    ],
)
def test_a_file_that_cannot_be_used_is_2(change: dict[str, str], sentence: str, desk: Desk) -> None:
    desk.init(answers=desk.file(**{**FILE, **change}))

    assert (desk.code, sentence in desk.said) == (2, True), desk.said


def test_a_file_of_answers_that_everybody_can_read_is_refused(desk: Desk) -> None:
    file = desk.file(**FILE)
    file.chmod(0o644)
    desk.init(answers=file)

    assert desk.code == 2
    assert "chmod 600" in desk.said


def test_a_file_never_writes_over_without_the_option(desk: Desk) -> None:
    desk.path.write_text("mine\n")
    desk.init(answers=desk.file(**FILE))

    assert (desk.code, desk.path.read_text()) == (1, "mine\n")


# --- small parts ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (BBB_CONF, Pasted("https://bbb.example.org/bigbluebutton/", SECRET)),
        ("URL: https://b/\nSalt: abc", Pasted("https://b/", "abc")),
        ("https://b/bigbluebutton abc", Pasted("https://b/bigbluebutton", "abc")),
        ("https://b/", Pasted("https://b/", "")),
        ("abc\n", Pasted("", "abc")),
        ("\n\n", Pasted("", "")),
    ],
)
def test_paste(text: str, found: Pasted) -> None:
    assert read_paste(text) == found


ANSWERS = Answers(
    Video("https://bbb.example.org/bigbluebutton/", "s"),
    Matrix("https://matrix.example.org", Account("@bbb:example.org", "DEVICE", "token")),
    None,
    "https://meet.example.org",
    Admins(),
    "en",
    "UTC",
)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@settings(max_examples=40)
@given(secret=WORDS, token=WORDS, device=WORDS)
def test_whatever_a_secret_is_made_of_it_is_read_again(
    secret: str, token: str, device: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("round") / "config.yaml"
    answers = Answers(
        Video(ANSWERS.video.url, secret),
        Matrix("https://matrix.example.org", Account("@b:c", device, token)),
        None,
        ANSWERS.public_url,
        Admins(("@a:b", "@c:d")),
        "de",
        "Europe/Paris",
    )
    write_config(answers, path)
    read = load(path, env={"HOME": "/nowhere"}, run_secrets=path.parent / "none")

    assert read.matrix is not None
    assert read.bbb.server.secret.get_secret_value() == secret
    assert read.matrix.access_token.get_secret_value() == token
    assert read.matrix.device_id == device
    assert (read.admins, read.time_zone) == (("@a:b", "@c:d"), "Europe/Paris")


def test_no_answer_shows_a_secret_in_its_repr() -> None:
    assert "'s'" not in repr(ANSWERS)
    assert "token" not in repr(ANSWERS)
    assert "access_token: token" in config_text(ANSWERS)


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de_AT", "LC_ALL": "fr_FR"}, "fr"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "pt_BR"}, "en"),
    ],
)
def test_language(env: dict[str, str], language: str) -> None:
    assert language_of(env) == language


def test_the_zone_of_this_machine_is_one_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tzlocal.get_localzone_name", lambda: "Europe/Paris")
    assert zone_here() == "Europe/Paris"
    monkeypatch.setattr("tzlocal.get_localzone_name", lambda: "Middle/Earth")
    assert zone_here() == "UTC"
