"""Puts file, secret files and variables together into settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from bot.config.document import Document, read_document
from bot.config.errors import ConfigError, Problem, Source
from bot.config.explain import explain
from bot.config.keypath import KeyPath, path_of, text_of
from bot.config.leaves import Leaf, Leaves, gaps, nested, with_secret_files
from bot.config.model import Settings
from bot.config.places import default_data_dir, usual_places
from bot.config.secret_files import SecretFileProblem, read_secret, warning_for
from bot.config.shape import key_at
from bot.config.surroundings import (
    RUN_SECRETS,
    from_directories,
    from_variables,
    secret_directories,
)

DEFAULT = Source("default")
DATA_DIR: KeyPath = ("data_dir",)
CA_FILE: KeyPath = ("rocketchat", "ca_file")


@dataclass(slots=True)
class Gathered:
    """What was found so far; a later layer replaces what an earlier one said of the same key."""

    leaves: Leaves = field(default_factory=dict)
    sources: dict[KeyPath, Source] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True  # false when a part of the file could not be read
    warnings: list[Problem] = field(default_factory=list)

    def add(self, leaves: Leaves, *, base: Path) -> None:
        """Lay `leaves` on top; `base` is what relative names of secret files start from."""
        resolved, problems = with_secret_files(leaves, base)
        self.leaves |= resolved
        self.sources |= {path: leaf.source for path, leaf in resolved.items()}
        self.problems += problems


def load(path: Path | None, *, env: Mapping[str, str], run_secrets: Path = RUN_SECRETS) -> Settings:
    """The settings from the file at `path` (None: no file), the directories of secrets and `env`.

    A variable outweighs a secret in a directory, that outweighs the file. Raises ConfigError with
    every problem that was found.
    """
    managed = secret_directories(env, run_secrets)
    gathered = Gathered()
    gathered.add({DATA_DIR: default_data_dir(env)}, base=Path())
    if path is not None:
        _add_file(gathered, path, managed)
    gathered.add(from_directories(managed), base=Path())
    _add_variables(gathered, env)
    _read_secret_files(gathered, managed)
    nowhere = _nowhere(path, env)
    if path is None and not gathered.problems and set(gathered.leaves) == {DATA_DIR}:
        raise ConfigError([Problem(nowhere, "", "bbb-bot init writes one")])
    gathered.problems += gaps(gathered.leaves)
    return _settings(gathered, nowhere)


def describe_source(settings: Settings, key: str) -> str:
    """Where the value of `key` (`bbb.servers[0].url`) was written: `config.yaml:12`, `default`."""
    return str(settings.sources.get(path_of(key), DEFAULT))


def _add_file(gathered: Gathered, path: Path, managed: list[Path]) -> None:
    document = _document(path)
    gathered.sources |= document.sources
    gathered.problems += document.problems
    gathered.complete = document.whole
    _judge_mode(gathered, path, document, managed)
    for key in (DATA_DIR, CA_FILE):
        named = document.leaves.get(key)
        if named and isinstance(named.value, str):
            absolute = path.parent.absolute() / Path(named.value).expanduser()
            document.leaves[key] = Leaf(str(absolute), named.source)
    gathered.add(document.leaves, base=path.parent.absolute())


def _document(path: Path) -> Document:
    try:
        return read_document(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(Source(str(path)), "", "is not UTF-8 text")]) from error
    except OSError as error:
        text = f"cannot be read ({error.strerror})"
        raise ConfigError([Problem(Source(str(path)), "", text)]) from error


def _judge_mode(gathered: Gathered, path: Path, document: Document, managed: list[Path]) -> None:
    """A file that holds a secret itself is judged like a secret file."""
    secrets = [where for where in document.leaves if (key := key_at(where)) and key.is_secret]
    if not secrets:
        return
    source, name = document.leaves[secrets[0]].source, text_of(secrets[0])
    try:
        warning = warning_for(path, managed=managed)
    except SecretFileProblem as refusal:
        gathered.problems.append(Problem(source, name, f"is a secret, but the file {refusal}"))
    else:
        if warning:
            gathered.warnings.append(Problem(source, name, f"is a secret, but the file {warning}"))


def _add_variables(gathered: Gathered, env: Mapping[str, str]) -> None:
    leaves, problems = from_variables(env)
    gathered.problems += problems
    gathered.add(leaves, base=Path())


def _read_secret_files(gathered: Gathered, managed: list[Path]) -> None:
    """Read the files that are still meant once every layer has spoken."""
    for path, leaf in list(gathered.leaves.items()):
        if not isinstance(leaf.value, Path):
            continue
        source = Source(f"the secret file {leaf.value}")
        try:
            text, warning = read_secret(leaf.value, managed=managed)
        except SecretFileProblem as refusal:
            gathered.problems.append(Problem(leaf.source, text_of(path), f"{source} {refusal}"))
            gathered.leaves[path] = Leaf("", leaf.source)
            continue
        gathered.leaves[path] = Leaf(text, source)
        gathered.sources[path] = source
        if warning:
            gathered.warnings.append(Problem(source, text_of(path), warning))


def _settings(gathered: Gathered, nowhere: Source) -> Settings:
    if not gathered.complete:
        raise ConfigError(gathered.problems)
    try:
        settings = Settings.model_validate(nested(gathered.leaves))
    except ValidationError as error:
        refused = explain(error, gathered.sources, nowhere)
        raise ConfigError(_without_echoes(gathered.problems, refused)) from None
    if settings.matrix is None and settings.rocketchat is None:
        text = "is missing, and rocketchat too: the bot needs a chat to sit in"
        gathered.problems.append(Problem(nowhere, "matrix", text))
    if gathered.problems:
        raise ConfigError(gathered.problems)
    return settings.remember(gathered.sources, tuple(gathered.warnings))


def _without_echoes(found: list[Problem], refused: list[Problem]) -> list[Problem]:
    """Drop refusals of values already complained about when they were read."""
    known = {(problem.source, problem.key) for problem in found}
    lines = {problem.source for problem in found if not problem.key}
    fresh = [p for p in refused if (p.source, p.key) not in known and p.source not in lines]
    return found + fresh


def _nowhere(path: Path | None, env: Mapping[str, str]) -> Source:
    """What to name for a key that is written nowhere."""
    if path is not None:
        return Source(str(path))
    looked = ", ".join(map(str, usual_places(env)))
    return Source(f"no configuration file (looked for {looked})")
