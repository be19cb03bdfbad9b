"""`bbb-bot init` finds the bot's Rocket.Chat account, by token and by password, in each version."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bot.config import load
from tests.fakes.rocketchat import PROFILES, RocketChat, User
from tests.unit.test_init import ADMIN, BBB_CONF, FILE, TOKEN, Desk, World

PASSWORD = "canary-password-77"
PUBLIC = "https://meet.example.org"


@dataclass
class WithWorkspace(World):
    """The same world, with a real way to this machine."""

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "127.0.0.1":
            return await super()._answer(request)
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            answer = await http.request(
                request.method, request.url, headers=request.headers, content=request.content
            )
        return httpx.Response(answer.status_code, content=answer.content)


@dataclass
class Office:
    """A workspace with a bot and Ana in it, and a desk to set the bot up at."""

    server: RocketChat
    bot: User
    ana: User
    desk: Desk = field(init=False)

    async def init(self, *lines: str, **options: object) -> Desk:
        await asyncio.to_thread(self.desk.init, *lines, **options)  # type: ignore[arg-type]
        return self.desk

    @property
    def tokens(self) -> set[str]:
        return set(self.bot.tokens) - {self.bot.token}


@pytest.fixture(params=PROFILES)
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    async with RocketChat(request.param) as server:
        bot = server.add_user(
            "bbb", roles=("bot", "user"), token="canary-pat-" + "x" * 32, password=PASSWORD
        )
        found = Office(server, bot, server.add_user("ana"))
        found.desk = Desk(WithWorkspace(), tmp_path / "config.yaml")
        yield found


@pytest.fixture
async def newest(tmp_path: Path) -> AsyncIterator[Office]:
    async with RocketChat("8.x") as server:
        bot = server.add_user(
            "bbb", roles=("bot", "user"), token="canary-pat-" + "x" * 32, password=PASSWORD
        )
        found = Office(server, bot, server.add_user("ana"))
        found.desk = Desk(WithWorkspace(), tmp_path / "config.yaml")
        yield found


# --- answers that are right ----------------------------------------------------------


async def test_a_token_alone_tells_whose_it_is(office: Office) -> None:
    desk = await office.init(BBB_CONF, office.server.url, office.bot.token, PUBLIC, "@ana")

    assert desk.code == 0, desk.said
    settings = desk.settings()
    assert settings.matrix is None
    assert settings.rocketchat is not None
    assert settings.rocketchat.url == office.server.url
    assert settings.rocketchat.user_id == office.bot.id
    assert settings.rocketchat.access_token.get_secret_value() == office.bot.token
    assert settings.rocketchat.admins == (office.ana.id,)
    assert f"admins: ['{office.ana.id}']  # ana\n" in desk.path.read_text()
    assert f"bbb, whose id is {office.bot.id}." in desk.said
    assert settings.warnings == ()


async def test_a_password_makes_a_token_of_its_own_and_is_not_kept(office: Office) -> None:
    desk = await office.init(BBB_CONF, office.server.url, "@bbb", PASSWORD, PUBLIC, "")

    assert desk.code == 0, desk.said
    settings = desk.settings()
    assert settings.rocketchat is not None
    assert {settings.rocketchat.access_token.get_secret_value()} == office.tokens, (
        "one new token, and the session of the login has ended"
    )
    made = office.bot.tokens[settings.rocketchat.access_token.get_secret_value()]
    assert (made.expires, made.without_2fa) == (None, True)
    assert PASSWORD not in desk.path.read_text()


async def test_the_code_of_a_second_factor_is_asked_for(office: Office) -> None:
    office.bot.totp = "123456"
    lines = [BBB_CONF, office.server.url, "@bbb", PASSWORD, "123456", PUBLIC, ""]
    desk = await office.init(*lines)

    assert desk.code == 0, desk.said
    assert "The code of its second factor" in desk.said
    assert len(office.tokens) == 1


async def test_both_chats_have_an_account_and_admins_of_their_own(newest: Office) -> None:
    desk = await newest.init(
        BBB_CONF,
        f"example.org {newest.server.url}",
        TOKEN,
        newest.bot.token,
        PUBLIC,
        f"{ADMIN}, ana",
    )

    assert desk.code == 0, desk.said
    settings = desk.settings()
    assert settings.matrix is not None
    assert settings.rocketchat is not None
    assert settings.matrix.homeserver == "https://matrix.example.org"
    assert settings.admins == (ADMIN,)
    assert settings.rocketchat.admins == (newest.ana.id,)
    assert "Matrix ids or Rocket.Chat user names" in desk.said


async def test_without_matrix_its_lines_are_switched_off(newest: Office) -> None:
    desk = await newest.init(BBB_CONF, newest.server.url, newest.bot.token, PUBLIC, "")
    written = desk.path.read_text()

    assert "\n#matrix:\n" in written
    assert "\n  #homeserver: https://matrix.example.org\n" in written
    assert load(desk.path, env={}, run_secrets=desk.path.parent / "none").matrix is None


# --- answers that are wrong ----------------------------------------------------------


async def test_each_wrong_answer_gets_its_sentence_and_another_try(office: Office) -> None:
    office.bot.totp = "123456"
    desk = await office.init(
        BBB_CONF,
        "nowhere.example.org",
        f"{office.server.url}, example.org matrix.example.org",
        office.server.url,
        "a b",
        "canary-wrong",
        "@bbb",
        "canary-wrong-password",
        "@bbb",
        PASSWORD,
        "654321",
        office.bot.token,
        PUBLIC,
        "nobody",
        "ana",
    )

    assert desk.code == 0, desk.said
    for sentence in (
        "no Matrix homeserver answers there: no connection",
        "these are two of a kind",
        "an access token is one word",
        "the workspace does not know this token (any more)",
        "the workspace refuses user name or password",
        "this code is not right",
        "the workspace knows nobody called nobody",
    ):
        assert f"That will not do: {sentence}" in desk.said
    assert desk.said.count("That will not do") == 7
    assert office.tokens == set(), "no session is left over"


async def test_an_account_that_may_make_no_token_hears_how_to_get_one(office: Office) -> None:
    office.bot.roles = {"bot"}
    desk = await office.init(
        BBB_CONF, office.server.url, "@bbb", PASSWORD, office.bot.token, PUBLIC, ""
    )

    assert desk.code == 0, desk.said
    assert "the account may not make a personal access token" in desk.said
    assert "docs/setup-rocketchat.md" in desk.said
    assert office.tokens == set(), "the session of the login has ended"


async def test_a_workspace_that_asks_to_slow_down(newest: Office) -> None:
    newest.bot.roles = {"user"}
    wrong = ["canary-wrong"] * 11
    desk = await newest.init(BBB_CONF, newest.server.url, *wrong)

    assert "the workspace cannot be asked: it asks to wait a minute" in desk.said
    assert desk.code == 1


# --- by script -----------------------------------------------------------------------

ELSEWHERE = ("homeserver", "access_token", "admins")


def answers_of(office: Office, **changes: str) -> dict[str, str]:
    given = {key: value for key, value in FILE.items() if key not in ELSEWHERE}
    account = {"rocketchat_url": office.server.url, "rocketchat_token": office.bot.token}
    return {key: value for key, value in {**given, **account, **changes}.items() if value}


async def test_answers_from_a_file(newest: Office) -> None:
    file = newest.desk.file(**answers_of(newest, admins="ana"))
    desk = await newest.init(answers=file)

    assert desk.code == 0, desk.said
    assert desk.settings().rocketchat is not None
    assert desk.settings().matrix is None


async def test_both_chats_from_a_file(newest: Office) -> None:
    given = answers_of(newest, homeserver="example.org", access_token=TOKEN, admins=f"{ADMIN} ana")
    desk = await newest.init(answers=newest.desk.file(**given))

    assert desk.code == 0, desk.said
    assert desk.settings().admins == (ADMIN,)
    assert desk.settings().rocketchat.admins == (newest.ana.id,)  # type: ignore[union-attr]


async def test_user_password_and_code_from_a_file(newest: Office) -> None:
    newest.bot.totp = "123456"
    login = {"rocketchat_user": "bbb", "rocketchat_password": PASSWORD}
    given = answers_of(newest, rocketchat_token="", rocketchat_code="123456", **login)
    desk = await newest.init(answers=newest.desk.file(**given))

    assert desk.code == 0, desk.said
    assert len(newest.tokens) == 1


@pytest.mark.parametrize(
    ("wrong", "code", "sentence"),
    [
        ({"rocketchat_url": "http://127.0.0.1:1"}, 1, "rocketchat_url: no Rocket.Chat workspace"),
        ({"rocketchat_token": "canary-no"}, 1, "rocketchat_token: the workspace does not know"),
        ({"admins": "nobody"}, 1, "admins: the workspace knows nobody called nobody"),
        ({"rocketchat_url": ""}, 2, "rocketchat_url is missing"),
        ({"rocketchat_token": ""}, 2, "rocketchat_token is missing, or rocketchat_user and"),
        ({"rocketchat_ulr": "x"}, 2, "unknown answer; did you mean rocketchat_url?"),
    ],
)
async def test_a_wrong_answer_in_the_file_is_named(
    wrong: dict[str, str], code: int, sentence: str, newest: Office
) -> None:
    desk = await newest.init(answers=newest.desk.file(**answers_of(newest, **wrong)))

    assert (desk.code, sentence in desk.said) == (code, True), desk.said
    assert not desk.path.exists()


async def test_a_file_without_any_chat_is_2(newest: Office) -> None:
    given = answers_of(newest, rocketchat_url="", rocketchat_token="")
    desk = await newest.init(answers=newest.desk.file(**given))

    assert desk.code == 2
    assert "homeserver is missing, or rocketchat_url" in desk.said


async def test_an_admin_who_is_deactivated(newest: Office) -> None:
    newest.server.deactivate(newest.ana)
    desk = await newest.init(answers=newest.desk.file(**answers_of(newest, admins="ana")))

    assert "admins: the account of ana is deactivated" in desk.said


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda office: office.server.deactivate(office.bot), id="deactivated"),
        pytest.param(lambda office: office.server.revoke(office.bot), id="revoked"),
    ],
)
async def test_a_token_that_is_gone(change: Callable[[Office], None], newest: Office) -> None:
    change(newest)
    desk = await newest.init(answers=newest.desk.file(**answers_of(newest)))

    assert "the workspace does not know this token (any more)" in desk.said
