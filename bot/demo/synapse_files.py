"""The files that a Synapse on loopback needs in its directory: settings, log settings, signing key.

Keys, defaults and traps are those of Synapse 1.163.2.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
SERVER_NAME = "localhost"

LIFTED = {"per_second": 100_000, "burst_count": 100_000}
LIFTED_LIMITS: dict[str, Any] = {
    "rc_message": LIFTED,
    "rc_registration": LIFTED,
    "rc_admin_redaction": LIFTED,
    "rc_joins_per_room": LIFTED,
    "rc_room_creation": LIFTED,
    "rc_profile": LIFTED,
    "rc_login": {"address": LIFTED, "account": LIFTED, "failed_attempts": LIFTED},
    "rc_joins": {"local": LIFTED, "remote": LIFTED},
    "rc_invites": {"per_room": LIFTED, "per_user": LIFTED, "per_issuer": LIFTED},
}
"""Every limit that can be lifted. A forgotten one looks like a hang: clients wait in silence."""


@dataclass(frozen=True, slots=True)
class Files:
    """What the files say. `database` is a file in the directory, or ":memory:".

    With `previews` Synapse fetches posted URLs, also from loopback; that needs beautifulsoup4.
    """

    directory: Path
    database: str = ":memory:"
    limits_lifted: bool = True
    previews: bool = False
    extra: str = ""
    registration_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def output(self) -> Path:
        """What the process prints."""
        return self.directory / "output.txt"

    def write(self, port: int) -> Path:
        """Write what is not there yet (a restart finds its own keys); give the settings file."""
        self.directory.mkdir(parents=True, exist_ok=True)
        limits = LIFTED_LIMITS if self.limits_lifted else {}
        config = self.directory / "homeserver.yaml"
        _write_once(self.directory / "signing.key", _signing_key())
        _write_once(self.directory / "log.yaml", json.dumps(self._logging()))
        _write_once(config, _yaml(self._settings(port) | limits) + self.extra)
        return config

    def last_words(self) -> str:
        """The end of what the process printed and logged, at most 2,000 characters."""
        files = (self._log, self.output)
        texts = (file.read_text(errors="replace") for file in files if file.exists())
        return "\n".join(texts)[-2000:]

    @property
    def _log(self) -> Path:
        return self.directory / "homeserver.log"

    def _logging(self) -> dict[str, Any]:
        return {
            "version": 1,
            "handlers": {"file": {"class": "logging.FileHandler", "filename": str(self._log)}},
            "root": {"level": "WARNING", "handlers": ["file"]},
            "disable_existing_loggers": False,
        }

    def _settings(self, port: int) -> dict[str, Any]:
        listener = {
            "port": port,
            "type": "http",
            "tls": False,
            "bind_addresses": [LOOPBACK],
            "resources": [{"names": ["client", "federation"], "compress": False}],
        }
        in_memory = self.database == ":memory:"
        database = self.database if in_memory else str(self.directory / self.database)
        return {
            "server_name": SERVER_NAME,
            "public_baseurl": f"http://{LOOPBACK}:{port}/",
            "pid_file": str(self.directory / "homeserver.pid"),
            "signing_key_path": str(self.directory / "signing.key"),
            "media_store_path": str(self.directory / "media"),
            "log_config": str(self.directory / "log.yaml"),
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": database}},
            "registration_shared_secret": self.registration_secret,
            "macaroon_secret_key": secrets.token_urlsafe(24),
            "form_secret": secrets.token_urlsafe(24),
            "bcrypt_rounds": 4,  # registering is fast
            "presence": {"enabled": False},
            "caches": {"sync_response_cache_duration": "0s"},  # else one /sync answer comes twice
            "trusted_key_servers": [],
            "federation_domain_whitelist": [],
            "allow_public_rooms_over_federation": False,
            "enable_registration": False,
            "report_stats": False,
            "suppress_key_server_warning": True,
            "url_preview_enabled": self.previews,
            "url_preview_ip_range_blacklist": ["192.0.2.0/24"],  # required; loopback stays open
        }


def _signing_key() -> str:
    return f"ed25519 a_test {base64.b64encode(secrets.token_bytes(32)).decode().rstrip('=')}\n"


def _write_once(file: Path, text: str) -> None:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(text)


def _yaml(settings: dict[str, Any]) -> str:
    """One line of JSON per key, which is YAML too; of two equal keys Synapse takes the last."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())
