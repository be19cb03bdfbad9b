"""config.yaml + environment + secret files -> settings; a wrong key is named with its line."""

from bot.config.errors import ConfigError, Problem, Source
from bot.config.loading import describe_source, load
from bot.config.model import (
    Bbb,
    BbbServer,
    Defaults,
    InternalListen,
    Limits,
    Listen,
    Log,
    Matrix,
    RocketChat,
    Settings,
    describe_secret,
)
from bot.config.places import find_config

__all__ = [
    "Bbb",
    "BbbServer",
    "ConfigError",
    "Defaults",
    "InternalListen",
    "Limits",
    "Listen",
    "Log",
    "Matrix",
    "Problem",
    "RocketChat",
    "Settings",
    "Source",
    "describe_secret",
    "describe_source",
    "find_config",
    "load",
]
