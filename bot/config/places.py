"""Where the configuration and the data are looked for."""

from collections.abc import Mapping
from pathlib import Path

from bot.config.errors import ConfigError, Problem, Source
from bot.config.leaves import Leaf

FILE_NAME = "config.yaml"


def find_config(explicit: Path | None = None, *, env: Mapping[str, str]) -> Path | None:
    """The configuration file: as given, `BBB_BOT_CONFIG`, or the first of the usual places.

    None when there is none in the usual places: then everything comes from the surroundings.
    Raises ConfigError when a file was named and is not there.
    """
    for path, named_by in _named(explicit, env):
        if not path.is_file():
            raise ConfigError([Problem(Source(str(path)), "", f"is not a file ({named_by})")])
        return path
    return next((path for path in usual_places(env) if path.is_file()), None)


def usual_places(env: Mapping[str, str]) -> list[Path]:
    """Where a configuration file is looked for when none was named, first to last."""
    user = Path(env.get("XDG_CONFIG_HOME") or _home(env) / ".config")
    return [Path(FILE_NAME), user / "bbb-bot" / FILE_NAME, Path("/etc/bbb-bot") / FILE_NAME]


def default_data_dir(env: Mapping[str, str]) -> Leaf:
    """The directory that systemd or the image gives, else the user's own."""
    for variable in ("STATE_DIRECTORY", "BBB_BOT_DATA"):
        if env.get(variable):
            # systemd separates several directories by colons
            return Leaf(env[variable].split(":")[0], Source(f"the variable {variable}"))
    user = Path(env.get("XDG_DATA_HOME") or _home(env) / ".local" / "share")
    return Leaf(str(user / "bbb-bot"), Source("default"))


def _named(explicit: Path | None, env: Mapping[str, str]) -> list[tuple[Path, str]]:
    if explicit is not None:
        return [(explicit, "given by --config")]
    variable = env.get("BBB_BOT_CONFIG")
    return [(Path(variable), "given by the variable BBB_BOT_CONFIG")] if variable else []


def _home(env: Mapping[str, str]) -> Path:
    return Path(env["HOME"]) if env.get("HOME") else Path.home()
