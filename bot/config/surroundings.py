"""Reads values from around the process: `BBB_BOT_…` variables and directories of secrets."""

import re
from collections.abc import Mapping
from pathlib import Path

from bot.config.errors import Problem, Source
from bot.config.keypath import KeyPath, path_of, text_of, variable_of
from bot.config.leaves import Leaf, Leaves
from bot.config.shape import key_at, nearest, secret_named_by

PREFIX = "BBB_BOT_"
RUN_SECRETS = Path("/run/secrets")

# BBB_BOT_CONFIG and BBB_BOT_DATA name places; the others steer the tests.
_OTHER_USES = frozenset({"CONFIG", "DATA", "REQUIRE_TOOLS", "CHROMIUM"})
# What Kubernetes sets in every container beside a service called bbb-bot.
_KUBERNETES = re.compile(r"SERVICE_(HOST|PORT)(_\w+)?|PORT(_\w+)?")


def from_variables(env: Mapping[str, str]) -> tuple[Leaves, list[Problem]]:
    """The values of all `BBB_BOT_…` variables; an empty variable counts as not set."""
    leaves: Leaves = {}
    problems = []
    for variable, value in sorted(env.items()):
        name = variable.removeprefix(PREFIX)
        if name == variable or not value or name in _OTHER_USES or _KUBERNETES.fullmatch(name):
            continue
        path, source = _path_of_variable(name), Source(f"the variable {variable}")
        if key_at(path) or secret_named_by(path):
            leaves[path] = Leaf(_listed(path, value), source)
        else:
            problems.append(Problem(source, "", _unknown(path)))
    return leaves, problems


def from_directories(directories: list[Path]) -> Leaves:
    """Secrets in files named like their key (`matrix.access_token`); other files are not ours."""
    leaves: Leaves = {}
    for file in (file for directory in directories for file in _files_in(directory)):
        path = path_of(re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", file.name))
        key = key_at(path)
        if key and key.is_secret:
            leaves.setdefault(path, Leaf(file, Source(f"the secret file {file}")))
    return leaves


def secret_directories(env: Mapping[str, str], run_secrets: Path) -> list[Path]:
    """Where systemd (`LoadCredential=`) and container engines put secrets."""
    credentials = env.get("CREDENTIALS_DIRECTORY")
    return [*([Path(credentials)] if credentials else []), run_secrets]


def _files_in(directory: Path) -> list[Path]:
    try:
        return sorted(file for file in directory.iterdir() if file.is_file())
    except OSError:  # not there, or not ours to look into: then no secret of ours is in it
        return []


def _path_of_variable(name: str) -> KeyPath:
    return tuple(int(step) if step.isdigit() else step for step in name.lower().split("__"))


def _listed(path: KeyPath, value: str) -> str | list[str]:
    key = key_at(path)
    if key is None or not key.is_list:
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


def _unknown(path: KeyPath) -> str:
    near = " or ".join(map(variable_of, nearest(path)))
    return f"means no known key{f'; did you mean {near}?' if near else ''}"


def location_of_secret(path: KeyPath) -> str:
    """The three ways to give a secret, in words."""
    name = text_of(path)
    return f"give {name}, {name}_file or the variable {variable_of(path)}"
