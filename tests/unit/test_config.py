"""What the configuration accepts, what it refuses and in which words."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import certifi
import pytest

from bot.config import ConfigError, Settings, describe_secret, describe_source, find_config, load

CANARY = "canary-3f9c8a17"

GOOD = """\
public_url: https://meet.example.org/
bbb:
  servers:
    - name: main
      url: https://bbb.example.org
      secret: bbb-secret-value
matrix:
  homeserver: https://matrix.example.org
  user_id: '@bbb:example.org'
  device_id: DEV
  access_token: matrix-token-value
"""

ROCKETCHAT = (
    GOOD[: GOOD.index("matrix:")]
    + """\
rocketchat:
  url: https://chat.example.org
  user_id: aobEdbYhXfu5hkeqG
  access_token: rocketchat-token-value
"""
)

Load = Callable[..., Settings]


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Load a text as config.yaml, with variables and a directory of secrets."""

    def load_text(
        text: str = GOOD, *, mode: int = 0o600, env: Mapping[str, str] | None = None
    ) -> Settings:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        around = {"HOME": "/home/bot", **(env or {})}
        return load(path, env=around, run_secrets=tmp_path / "run-secrets")

    return load_text


@pytest.fixture
def refused(loaded: Load, tmp_path: Path) -> Callable[..., list[str]]:
    """The problems of a configuration that must not load, without the directory's name."""

    def problems(text: str = GOOD, **around: object) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            loaded(text, **around)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()[1:]

    return problems


def secret_file(path: Path, content: str = CANARY, mode: int = 0o600) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return path


def without(line: str) -> str:
    assert line in GOOD
    return GOOD.replace(line, "")


# --- what is accepted ----------------------------------------------------------------


def test_a_small_file_is_enough(loaded: Load) -> None:
    settings = loaded()

    assert settings.public_url == "https://meet.example.org"
    assert settings.prefixes == ("!bbb",)
    assert settings.matrix is not None
    assert settings.matrix.invited_by == {"example.org"}
    assert settings.warnings == ()


@pytest.mark.parametrize(
    "written",
    [
        "https://bbb.example.org",
        "https://bbb.example.org/",
        "https://BBB.example.org/bigbluebutton",
        "https://bbb.example.org/bigbluebutton/",
        "https://bbb.example.org/bigbluebutton/api",
        "https://bbb.example.org/bigbluebutton/api/",
    ],
)
def test_the_address_of_bbb_may_be_written_as(written: str, loaded: Load) -> None:
    settings = loaded(GOOD.replace("https://bbb.example.org", written))

    assert settings.bbb.server.url == "https://bbb.example.org/bigbluebutton/api/"
    assert settings.bbb.origins == ("https://bbb.example.org",)


def test_rocketchat_alone_is_enough(loaded: Load) -> None:
    settings = loaded(ROCKETCHAT)

    assert settings.matrix is None
    assert settings.rocketchat is not None
    assert settings.rocketchat.access_token.get_secret_value() == "rocketchat-token-value"
    assert (settings.rocketchat.send_rate, settings.rocketchat.admins) == (0, ())
    assert "rocketchat-token-value" in settings.secrets()
    assert "rocketchat-token-value" not in repr(settings)


def test_both_chats_may_be_configured(loaded: Load) -> None:
    settings = loaded(GOOD + ROCKETCHAT[ROCKETCHAT.index("rocketchat:") :])

    assert settings.matrix
    assert settings.rocketchat


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://chat.example.org/", "https://chat.example.org"),
        ("https://Chat.example.org/team/", "https://chat.example.org/team"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
    ],
)
def test_the_address_of_a_workspace_may_be_written_as(
    written: str, meant: str, loaded: Load
) -> None:
    settings = loaded(ROCKETCHAT.replace("https://chat.example.org", written))

    assert settings.rocketchat
    assert settings.rocketchat.url == meant


def test_the_token_of_rocketchat_may_stand_in_a_file_beside_the_configuration(
    loaded: Load, tmp_path: Path
) -> None:
    secret_file(tmp_path / "token")
    line = "access_token: rocketchat-token-value"
    settings = loaded(ROCKETCHAT.replace(line, "access_token_file: token"))

    assert settings.rocketchat
    assert settings.rocketchat.access_token.get_secret_value() == CANARY


def test_rocketchat_may_come_from_variables_and_a_directory_of_secrets(
    loaded: Load, tmp_path: Path
) -> None:
    secret_file(tmp_path / "run-secrets" / "rocketchat.access_token")
    settings = loaded(
        without(GOOD[GOOD.index("matrix:") :]),
        env={
            "BBB_BOT_ROCKETCHAT__URL": "https://chat.example.org",
            "BBB_BOT_ROCKETCHAT__USER_ID": "aobEdbYhXfu5hkeqG",
            "BBB_BOT_ROCKETCHAT__ADMINS": "rocket.cat, kcyQ4Jpqvm8o3x2Wd",
        },
    )

    assert settings.rocketchat
    assert settings.rocketchat.access_token.get_secret_value() == CANARY
    assert settings.rocketchat.admins == ("rocket.cat", "kcyQ4Jpqvm8o3x2Wd")


def test_a_file_of_authorities_is_looked_for_beside_the_configuration(
    loaded: Load, tmp_path: Path
) -> None:
    shutil.copy(certifi.where(), tmp_path / "ca.pem")
    settings = loaded(ROCKETCHAT + "  ca_file: ca.pem\n")

    assert settings.rocketchat
    assert settings.rocketchat.ca_file == tmp_path / "ca.pem"


def test_a_file_without_certificates_is_refused(
    refused: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    (found,) = refused(ROCKETCHAT + "  ca_file: ca.pem\n")

    assert found.startswith("config.yaml:11: rocketchat.ca_file: cannot be used: the file holds no")


def test_plain_http_is_fine_to_this_machine(loaded: Load) -> None:
    settings = loaded(GOOD.replace("https://bbb.example.org", "http://127.0.0.1:8090"))

    assert settings.bbb.server.url == "http://127.0.0.1:8090/bigbluebutton/api/"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("no", False), ("off", False), ("false", False), ("yes", True), ("on", True), ("true", True)],
)
def test_a_switch_may_be_written_as(written: str, meant: bool, loaded: Load) -> None:
    settings = loaded(f"{GOOD}defaults:\n  lobby: {written}\n  record: {written}\n")

    assert settings.defaults.lobby is meant
    assert settings.defaults.record == ("on" if meant else "off")


@pytest.mark.parametrize("text", ["12:30", "no", "0123", "1e3", "2026-11-21", "~x"])
def test_yaml_keeps_the_text_as_written(text: str, loaded: Load) -> None:
    settings = loaded(GOOD.replace("bbb-secret-value", text))

    assert settings.bbb.server.secret.get_secret_value() == text


def test_a_second_server_may_be_listed_while_it_is_off(loaded: Load) -> None:
    old = "    - {name: old, url: 'https://old.example.org', secret: old-one, enabled: off}\n"
    settings = loaded(GOOD.replace("matrix:\n", f"{old}matrix:\n"))

    assert settings.bbb.server.name == "main"


def test_both_secrets_are_tried_while_one_is_being_changed(loaded: Load) -> None:
    settings = loaded(env={"BBB_BOT_BBB__SERVERS__0__PREVIOUS_SECRET": "the-other"})

    values = [secret.get_secret_value() for secret in settings.bbb.server.secrets]
    assert values == ["bbb-secret-value", "the-other"]


def test_a_section_without_keys_means_its_defaults(loaded: Load) -> None:
    assert loaded(f"{GOOD}limits:\nlog: {{}}\n").limits.commands_per_person == 10


def test_settings_cannot_be_changed(loaded: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        loaded().language = "fr"


# --- which value counts, and where it came from --------------------------------------


def test_a_variable_outweighs_a_secret_in_a_directory_and_that_the_file(
    loaded: Load, tmp_path: Path
) -> None:
    secret_file(tmp_path / "run-secrets" / "matrix.access_token", "from the directory")
    secret_file(tmp_path / "run-secrets" / "bbb.servers.0.secret", "from the directory")
    settings = loaded(env={"BBB_BOT_MATRIX__ACCESS_TOKEN": "from-a-variable"})

    assert settings.secrets() == ["from the directory", "from-a-variable"]


def test_systemd_credentials_are_found_whatever_their_group_may(
    loaded: Load, tmp_path: Path
) -> None:
    secret_file(tmp_path / "credentials" / "matrix.access_token", mode=0o440)
    settings = loaded(env={"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")})

    assert CANARY in settings.secrets()
    assert settings.warnings == ()


def test_a_configuration_that_systemd_hands_over_may_hold_secrets_itself(tmp_path: Path) -> None:
    """The access it grants by ACL shows as group-readable."""
    file = secret_file(tmp_path / "credentials" / "config.yaml", GOOD, mode=0o440)
    env = {"CREDENTIALS_DIRECTORY": str(file.parent), "HOME": str(tmp_path)}

    assert load(file, env=env, run_secrets=tmp_path / "none").warnings == ()
    assert load(file, env={"HOME": str(tmp_path)}, run_secrets=tmp_path / "none").warnings


def test_a_secret_may_stand_in_a_file_named_beside_it(loaded: Load, tmp_path: Path) -> None:
    secret_file(tmp_path / "token", f"{CANARY}\n")
    settings = loaded(GOOD.replace("access_token: matrix-token-value", "access_token_file: token"))

    assert CANARY in settings.secrets()
    assert describe_source(settings, "matrix.access_token") == f"the secret file {tmp_path}/token"


def test_a_variable_may_name_the_file_of_a_secret(loaded: Load, tmp_path: Path) -> None:
    file = secret_file(tmp_path / "token")
    settings = loaded(env={"BBB_BOT_MATRIX__ACCESS_TOKEN_FILE": str(file)})

    assert settings.matrix is not None
    assert settings.matrix.access_token.get_secret_value() == CANARY


def test_a_file_that_a_variable_outweighs_need_not_exist(loaded: Load) -> None:
    text = GOOD.replace("access_token: matrix-token-value", "access_token_file: /nowhere")

    assert CANARY in loaded(text, env={"BBB_BOT_MATRIX__ACCESS_TOKEN": CANARY}).secrets()


def test_everything_may_come_from_variables(tmp_path: Path) -> None:
    settings = load(
        None,
        env={
            "HOME": "/home/bot",
            "BBB_BOT_PUBLIC_URL": "https://meet.example.org",
            "BBB_BOT_PREFIXES": "!bbb, !call",
            "BBB_BOT_LISTEN__PORT": "80",
            "BBB_BOT_LANGUAGE": "",
            "BBB_BOT_BBB__SERVERS__0__NAME": "main",
            "BBB_BOT_BBB__SERVERS__0__URL": "https://bbb.example.org",
            "BBB_BOT_BBB__SERVERS__0__SECRET": "bbb-secret-value",
            "BBB_BOT_MATRIX__HOMESERVER": "https://matrix.example.org",
            "BBB_BOT_MATRIX__USER_ID": "@bbb:example.org",
            "BBB_BOT_MATRIX__DEVICE_ID": "DEV",
            "BBB_BOT_MATRIX__ACCESS_TOKEN": "matrix-token-value",
        },
        run_secrets=tmp_path,
    )

    assert settings.prefixes == ("!bbb", "!call")
    assert settings.listen.port == 80
    assert settings.language == "en"


def test_each_value_knows_where_it_was_written(loaded: Load, tmp_path: Path) -> None:
    settings = loaded(env={"BBB_BOT_LISTEN__PORT": "80"})

    assert describe_source(settings, "bbb.servers[0].url") == f"{tmp_path}/config.yaml:5"
    assert describe_source(settings, "listen.port") == "the variable BBB_BOT_LISTEN__PORT"
    assert describe_source(settings, "language") == "default"


def test_variables_that_kubernetes_makes_are_left_alone(loaded: Load) -> None:
    loaded(
        env={
            "BBB_BOT_SERVICE_HOST": "10.0.0.1",
            "BBB_BOT_PORT_8080_TCP": "tcp://10.0.0.1:8080",
            "BBB_BOT_PORT": "tcp://10.0.0.1:8080",
        }
    )


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        pytest.param({"STATE_DIRECTORY": "/s:/t"}, "/s", id="systemd's first state directory"),
        pytest.param({"BBB_BOT_DATA": "/data"}, "/data", id="what the image says"),
        pytest.param({"XDG_DATA_HOME": "/x"}, "/x/bbb-bot", id="the user's data directory"),
        pytest.param({}, "/home/bot/.local/share/bbb-bot", id="the usual place at home"),
        pytest.param(
            {"STATE_DIRECTORY": "/s", "BBB_BOT_DATA_DIR": "/own"}, "/own", id="the key itself"
        ),
    ],
)
def test_the_data_directory_is(env: dict[str, str], expected: str, loaded: Load) -> None:
    assert loaded(env=env).data_dir == Path(expected)


def test_a_relative_data_directory_starts_at_the_file(loaded: Load, tmp_path: Path) -> None:
    assert loaded(f"{GOOD}data_dir: data\n").data_dir == tmp_path / "data"


# --- the file is found ---------------------------------------------------------------


def test_the_file_is_the_one_named_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path)}
    usual = tmp_path / "xdg" / "bbb-bot" / "config.yaml"
    usual.parent.mkdir(parents=True)
    usual.touch()
    assert find_config(env=env) == usual

    (tmp_path / "config.yaml").touch()
    assert find_config(env=env) == Path("config.yaml")

    (tmp_path / "a.yaml").touch()
    (tmp_path / "b.yaml").touch()
    env["BBB_BOT_CONFIG"] = str(tmp_path / "a.yaml")
    assert find_config(env=env) == tmp_path / "a.yaml"
    assert find_config(tmp_path / "b.yaml", env=env) == tmp_path / "b.yaml"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="given by the variable BBB_BOT_CONFIG"):
        find_config(env={"BBB_BOT_CONFIG": str(tmp_path / "none.yaml")})


# --- what is refused, in words -------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            GOOD + "langauge: fr\n",
            "config.yaml:12: langauge: unknown key; did you mean language?",
            id="an unknown key names its line and the nearest key",
        ),
        pytest.param(
            GOOD.replace(
                "      secret:", "      previous_secret: x\n      sekret: x\n      secret:"
            ),
            "config.yaml:7: bbb.servers[0].sekret: unknown key; did you mean secret?",
            id="an unknown key inside a list",
        ),
        pytest.param(
            GOOD + "access_token: x\n",
            "config.yaml:12: access_token: unknown key; did you mean matrix.access_token or "
            "rocketchat.access_token?",
            id="a known key in the wrong section",
        ),
        pytest.param(
            GOOD.replace("'@bbb:example.org'", "@bbb:example.org"),
            "config.yaml:9: a value that begins with @ must be put in quotes",
            id="an id without quotes",
        ),
        pytest.param(
            GOOD + "prefixes: [!bbb]\n",
            "config.yaml:12: a value that begins with ! must be put in quotes",
            id="a prefix without quotes in a list",
        ),
        pytest.param(
            GOOD.replace("device_id: DEV", "device_id: !room:example.org"),
            "config.yaml:10: matrix.device_id: a value that begins with ! must be put in quotes",
            id="a value without quotes that YAML takes for a tag",
        ),
        pytest.param(
            GOOD + "admins:\n  - #ana\n",
            "config.yaml:13: admins[0]: is empty; a value that begins with # must be put in quotes",
            id="an item that YAML takes for a comment",
        ),
        pytest.param(
            GOOD.replace("bbb-secret-value", "*secret"),
            "config.yaml:6: a value that begins with * must be put in quotes",
            id="a secret that YAML takes for an alias",
        ),
        pytest.param(
            GOOD + "listen:\n\tport: 80\n",
            "config.yaml:13: is indented by a tab: use spaces",
            id="a tab",
        ),
        pytest.param(
            GOOD + "language: fr\nlanguage: de\n",
            "config.yaml:13: language: is here a second time (first on line 12)",
            id="a key given twice",
        ),
        pytest.param(
            GOOD + "admins: &a [[*a]]\n",
            "config.yaml:12: admins[0][0][0][0][0][0][0][0]: is nested too deeply",
            id="a list that contains itself",
        ),
        pytest.param("- a\n- b\n", "config.yaml:1: must consist of lines such as", id="a list"),
        pytest.param(
            GOOD + "language: \x01\n",
            "config.yaml:12: holds a character that YAML does not allow",
            id="a control character",
        ),
        pytest.param(
            without("  access_token: matrix-token-value\n"),
            "config.yaml:7: matrix.access_token: is missing: give matrix.access_token, "
            "matrix.access_token_file or the variable BBB_BOT_MATRIX__ACCESS_TOKEN",
            id="a missing secret names the three ways to give it",
        ),
        pytest.param(
            GOOD.replace("access_token: matrix-token-value", "access_token: ''"),
            "config.yaml:11: matrix.access_token: is empty",
            id="an empty secret",
        ),
        pytest.param(
            without(GOOD[GOOD.index("matrix:") :]),
            "config.yaml: matrix: is missing, and rocketchat too: the bot needs a chat to sit in",
            id="no chat at all",
        ),
        pytest.param(
            ROCKETCHAT.replace("aobEdbYhXfu5hkeqG", "'@bbb'"),
            "config.yaml:9: rocketchat.user_id: must be a user's id in Rocket.Chat, such as "
            "aobEdbYhXfu5hkeqG, not the name: docs/configuration.md tells where it stands",
            id="a name for an id of Rocket.Chat",
        ),
        pytest.param(
            ROCKETCHAT + "  admins: ['@ana']\n",
            "config.yaml:11: rocketchat.admins[0]: must be a user's id in Rocket.Chat",
            id="a name for an admin of Rocket.Chat",
        ),
        pytest.param(
            ROCKETCHAT.replace("https://chat", "http://chat"),
            "config.yaml:8: rocketchat.url: must begin with https://",
            id="plain http to a workspace",
        ),
        pytest.param(
            ROCKETCHAT + "  ca_file: nowhere.pem\n",
            "config.yaml:11: rocketchat.ca_file: cannot be used: the file",
            id="a file of authorities that is not there",
        ),
        pytest.param(
            ROCKETCHAT.replace("  access_token: rocketchat-token-value\n", ""),
            "config.yaml:7: rocketchat.access_token: is missing: give rocketchat.access_token, "
            "rocketchat.access_token_file or the variable BBB_BOT_ROCKETCHAT__ACCESS_TOKEN",
            id="no token for Rocket.Chat",
        ),
        pytest.param(
            GOOD.replace("https://bbb", "http://bbb"),
            "config.yaml:5: bbb.servers[0].url: must begin with https://",
            id="plain http to another machine",
        ),
        pytest.param(
            GOOD.replace("https://bbb", "https://ana:pw@bbb"),
            "config.yaml:5: bbb.servers[0].url: must be an address without user name",
            id="a password in an address",
        ),
        pytest.param(
            GOOD + "listen:\n  port: http\n",
            "config.yaml:13: listen.port: must be a whole number",
            id="a word for a number",
        ),
        pytest.param(
            GOOD + "listen: 80\n",
            "config.yaml:12: listen: must be a section: 'key: value' lines, indented",
            id="a value for a section",
        ),
        pytest.param(
            GOOD + "prefixes: call\n",
            "config.yaml:12: prefixes: must be a list: one '- value' a line",
            id="a value for a list",
        ),
        pytest.param(
            GOOD + "language: es\n",
            "config.yaml:12: language: must be 'en', 'fr' or 'de'",
            id="a language we do not speak",
        ),
        pytest.param(
            GOOD + "time_zone: berlin\n",
            "config.yaml:12: time_zone: is not a known time zone, such as Europe/Paris; "
            "did you mean Europe/Berlin?",
            id="a city for a zone",
        ),
        pytest.param(
            GOOD + "limits:\n  max_duration: 300\n",
            "config.yaml:13: limits.max_duration: must be a length of time, such as 90m",
            id="a length without a unit",
        ),
        pytest.param(
            GOOD + "trusted_proxies: [proxy]\n",
            "config.yaml:12: trusted_proxies[0]: must be an address or a network",
            id="a name for a proxy's address",
        ),
        pytest.param(
            GOOD.replace(
                "matrix:\n",
                "    - {name: b, url: 'https://b.example.org', secret: b-secret}\nmatrix:\n",
            ),
            "config.yaml:2: bbb: servers: several BBB servers are not supported yet; enable one",
            id="two servers",
        ),
        pytest.param(
            GOOD.replace("      secret:", "      secret_file: x\n      secret:"),
            "config.yaml:6: bbb.servers[0].secret_file: give either this or "
            "bbb.servers[0].secret, not both",
            id="a secret and its file",
        ),
    ],
)
def test_a_file_is_refused_for(text: str, problem: str, refused: Callable[..., list[str]]) -> None:
    (found,) = refused(text)

    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("BBB_BOT_LANGAUGE", "means no known key; did you mean BBB_BOT_LANGUAGE?"),
        ("BBB_BOT_MATRIX__USERID", "means no known key; did you mean BBB_BOT_MATRIX__USER_ID?"),
        ("BBB_BOT_MATRIX", "means no known key"),
        ("BBB_BOT_LANGUAGE_FILE", "means no known key; did you mean BBB_BOT_LANGUAGE?"),
    ],
)
def test_an_unknown_variable_is_refused(
    variable: str, problem: str, refused: Callable[..., list[str]]
) -> None:
    assert refused(env={variable: "x"}) == [f"the variable {variable}: {problem}"]


def test_a_server_by_number_needs_the_one_before(refused: Callable[..., list[str]]) -> None:
    found = refused(env={"BBB_BOT_BBB__SERVERS__2__NAME": "x"})

    assert (
        "the variable BBB_BOT_BBB__SERVERS__2__NAME: bbb.servers[2]: "
        "needs bbb.servers[1] before it" in found
    )


def test_all_problems_are_told_at_once_in_the_order_of_the_file(
    refused: Callable[..., list[str]],
) -> None:
    text = (
        GOOD.replace("public_url", "publik_url")
        .replace("'@bbb:example.org'", "@bbb:example.org")
        .replace("DEV", "!dev")
    )
    found = refused(f"{text}admins: [@ana:example.org]\nlog:\n  level: loud\n")

    assert found == [
        "config.yaml: public_url: is missing",
        "config.yaml:1: publik_url: unknown key; did you mean public_url?",
        "config.yaml:9: a value that begins with @ must be put in quotes",
        "config.yaml:10: matrix.device_id: a value that begins with ! must be put in quotes",
        "config.yaml:12: a value that begins with @ must be put in quotes",
        "config.yaml:14: log.level: must be 'debug', 'info', 'warning' or 'error'",
    ]


def test_without_any_file_the_usual_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no configuration file \(looked for config.yaml, "
    ) as it:
        load(None, env={"HOME": str(tmp_path)}, run_secrets=tmp_path)

    assert len(it.value.problems) == 1
    assert str(it.value).endswith(": bbb-bot init writes one")


def test_variables_without_a_file_are_missed_by_name(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "BBB_BOT_PUBLIC_URL": "https://meet.example.org"}

    with pytest.raises(ConfigError, match=r"no configuration file .*: bbb: is missing"):
        load(None, env=env, run_secrets=tmp_path)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("language: fran\xe7ais".encode("latin-1"))

    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(path, env={}, run_secrets=tmp_path)


# --- secrets -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_a_secret_file_open_to_everybody_is_refused(
    mode: int, refused: Callable[..., list[str]], tmp_path: Path
) -> None:
    file = secret_file(tmp_path / "token", mode=mode)

    assert refused(env={"BBB_BOT_MATRIX__ACCESS_TOKEN_FILE": str(file)}) == [
        "the variable BBB_BOT_MATRIX__ACCESS_TOKEN_FILE: matrix.access_token: the secret file "
        "token can be read or written by everybody: chmod 600 token"
    ]


def test_a_secret_file_open_to_its_group_is_warned_of(loaded: Load, tmp_path: Path) -> None:
    file = secret_file(tmp_path / "token", mode=0o640)
    (warning,) = loaded(env={"BBB_BOT_MATRIX__ACCESS_TOKEN_FILE": str(file)}).warnings

    assert "can be read or written by its group: chmod 600" in str(warning)


def test_a_container_secret_with_the_engines_mode_is_only_warned_of(
    loaded: Load, tmp_path: Path
) -> None:
    secret_file(tmp_path / "run-secrets" / "matrix.access_token", mode=0o444)
    (warning,) = loaded().warnings

    assert "give the secret matrix.access_token the mode 0400" in str(warning)


def test_a_configuration_with_a_secret_open_to_everybody_is_refused(
    refused: Callable[..., list[str]],
) -> None:
    (found,) = refused(mode=0o644)

    assert found.startswith("config.yaml:6: bbb.servers[0].secret: is a secret, but the file can")


def test_a_configuration_with_a_secret_open_to_its_group_is_warned_of(loaded: Load) -> None:
    (warning,) = loaded(mode=0o640).warnings

    assert "is a secret, but the file can be read or written by its group" in str(warning)


def test_a_configuration_without_a_secret_may_be_open(loaded: Load) -> None:
    text = GOOD.replace("      secret: bbb-secret-value\n", "")
    text = text.replace("  access_token: matrix-token-value\n", "")
    env = {
        "BBB_BOT_BBB__SERVERS__0__SECRET": "bbb-secret-value",
        "BBB_BOT_MATRIX__ACCESS_TOKEN": "matrix-token-value",
    }

    assert loaded(text, mode=0o644, env=env).warnings == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "must hold one line, the secret", id="empty"),
        pytest.param(
            f"URL: https://b\nSecret: {CANARY}\n", "must hold one line", id="several lines"
        ),
        pytest.param(None, "cannot be read (No such file or directory)", id="not there"),
    ],
)
def test_a_secret_file_is_refused_that_is(
    content: str | None, reason: str, refused: Callable[..., list[str]], tmp_path: Path
) -> None:
    if content is not None:
        secret_file(tmp_path / "token", content)
    (found,) = refused(env={"BBB_BOT_MATRIX__ACCESS_TOKEN_FILE": str(tmp_path / "token")})

    assert reason in found
    assert CANARY not in found


def test_no_secret_is_ever_shown(loaded: Load) -> None:
    settings = loaded(GOOD.replace("bbb-secret-value", CANARY))

    for shown in (repr(settings), str(settings), repr(settings.bbb.server), f"{settings.bbb}"):
        assert CANARY not in shown
    assert CANARY not in settings.model_dump_json()
    assert describe_secret(settings.bbb.server.secret) == f"set, {len(CANARY)} characters"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GOOD.replace("bbb-secret-value", f"'{CANARY}"), id="a quote is missing"),
        pytest.param(GOOD.replace("bbb-secret-value", f"@{CANARY}"), id="begins with @"),
        pytest.param(GOOD.replace("bbb-secret-value", f"*{CANARY}"), id="begins with *"),
        pytest.param(GOOD.replace("bbb-secret-value", f"!{CANARY}"), id="begins with !"),
        pytest.param(GOOD.replace("bbb-secret-value", f"&{CANARY}"), id="begins with &"),
        pytest.param(GOOD.replace("bbb-secret-value", f"[{CANARY}"), id="begins with ["),
        pytest.param(GOOD.replace("bbb-secret-value", f"{{{CANARY}"), id="begins with {"),
        pytest.param(GOOD.replace("bbb-secret-value", f"%{CANARY}"), id="begins with %"),
        pytest.param(GOOD.replace("bbb-secret-value", f"a: {CANARY}"), id="has a colon"),
        pytest.param(GOOD.replace("bbb-secret-value", f"[{CANARY}]"), id="is a list"),
        pytest.param(
            GOOD.replace("secret: bbb", f"secret: {CANARY}\n      secret: {CANARY}"),
            id="is there twice",
        ),
        pytest.param(GOOD.replace("https://bbb", f"https://x:{CANARY}@bbb"), id="in an address"),
        pytest.param(GOOD.replace("https://bbb", f"https://[{CANARY}"), id="in a broken address"),
        pytest.param(GOOD.replace("name: main", f"secert: {CANARY}"), id="under a wrong key"),
        pytest.param(GOOD.replace("matrix-token", f"ä{CANARY}"), id="is no header's word"),
        pytest.param(
            ROCKETCHAT.replace("rocketchat-token", f"ä{CANARY}"), id="is no header's word either"
        ),
        pytest.param(GOOD + f"listen:\n  port: {CANARY}\n", id="for a number"),
        pytest.param(GOOD + f"language: {CANARY}\n", id="for a word from a list"),
        pytest.param(GOOD + f"time_zone: {CANARY}\n", id="for a time zone"),
        pytest.param(GOOD + f"matrx: {CANARY}\n", id="for an unknown section"),
    ],
)
def test_no_complaint_repeats_a_secret_that(text: str, loaded: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(text)

    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_the_secrets_in_the_process_environment_are_not_needed(loaded: Load) -> None:
    """`load` reads the mapping it is given, never the process."""
    os.environ["BBB_BOT_NOT_A_KEY"] = "x"
    try:
        loaded()
    finally:
        del os.environ["BBB_BOT_NOT_A_KEY"]
