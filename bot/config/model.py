"""The settings: what may be configured, what it means when left out, and what is refused."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    model_validator,
)

from bot.config import values
from bot.config.errors import Problem, Source
from bot.config.keypath import KeyPath

Secret = Annotated[SecretStr, Field(min_length=1)]
WebAddress = Annotated[str, AfterValidator(values.web_address)]
RocketChatId = Annotated[str, AfterValidator(values.rocketchat_id)]
MatrixId = Annotated[str, AfterValidator(values.matrix_id)]
Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[int, Field(ge=1)]

_SWITCH_WORDS = {"true": "on", "yes": "on", "false": "off", "no": "off"}


def _switch_word(value: object) -> object:
    """People write yes/no and true/false where on/off is meant."""
    text = str(value).lower() if isinstance(value, bool | str) else value
    return _SWITCH_WORDS.get(text, text) if isinstance(text, str) else value


def _header_word(secret: SecretStr) -> SecretStr:
    """A token travels in a header: anything else would fail there, and be shown in the failure."""
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError("must be one word of letters, digits and signs")
    return secret


Recording = Annotated[Literal["off", "on", "auto", "fixed"], BeforeValidator(_switch_word)]
Guests = Annotated[Literal["off", "lobby", "on"], BeforeValidator(_switch_word)]


class Section(BaseModel):
    """A part of the settings: fixed once read, no unknown keys, no value in a complaint."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Listen(Section):
    """Where the join pages are served; a proxy with TLS stands in front."""

    host: str = "127.0.0.1"
    port: Port = 8080

    @property
    def here(self) -> str:
        """The host by which this machine reaches it."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (compared)
        return everywhere.get(self.host, self.host)


class InternalListen(Section):
    """Where `/metrics` is served: never to the internet."""

    host: str = "127.0.0.1"
    port: Port = 9464


class BbbServer(Section):
    """One BigBlueButton server, as `bbb-conf --secret` describes it."""

    # How logs and admins call it.
    name: str = Field(min_length=1)
    # The address of its API, however it was written, with a final slash.
    url: Annotated[str, AfterValidator(values.bbb_api_address)]
    # The shared secret requests are signed with.
    secret: Secret
    # The other secret while it is being changed on the server: tried when `secret` is refused.
    previous_secret: Secret | None = None
    # The hash that signs requests.
    checksum: Literal["sha256", "sha384", "sha512", "sha1"] = "sha256"
    # off keeps the entry but leaves the server alone.
    enabled: bool = True

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """The secrets to try, in this order."""
        return tuple(filter(None, (self.secret, self.previous_secret)))

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a Content-Security-Policy names them."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


class Bbb(Section):
    """The BigBlueButton servers and how they are asked."""

    servers: tuple[BbbServer, ...]
    # Further hosts that a join may be redirected to: the nodes behind a balancer.
    extra_origins: tuple[Annotated[str, AfterValidator(values.origin)], ...] = ()
    # Seconds one question to a server may take in all: people have an answer within 10.
    timeout: float = Field(default=8.0, gt=0, le=9)

    @model_validator(mode="after")
    def _exactly_one_server(self) -> "Bbb":
        enabled = [server for server in self.servers if server.enabled]
        if not enabled:
            raise ValueError("servers: needs one server that is enabled")
        if len(enabled) > 1:
            raise ValueError("servers: several BBB servers are not supported yet; enable one only")
        if len({server.name for server in self.servers}) < len(self.servers):
            raise ValueError("servers: each needs a name of its own")
        return self

    @property
    def server(self) -> BbbServer:
        """The server that is enabled."""
        return next(server for server in self.servers if server.enabled)

    @property
    def origins(self) -> tuple[str, ...]:
        """Every origin that pressing a join button may lead to."""
        return (self.server.origin, *self.extra_origins)


class Matrix(Section):
    """The bot's own Matrix account."""

    homeserver: WebAddress
    user_id: MatrixId
    # The device the token belongs to; encryption is tied to it.
    device_id: str = Field(min_length=1)
    access_token: Annotated[Secret, AfterValidator(_header_word)]
    # Servers and people whose invitations are accepted; empty: everybody on the own server.
    allow_invites_from: tuple[Annotated[str, AfterValidator(values.matrix_id_or_server)], ...] = ()
    # Whether the bot takes part in encrypted rooms.
    encryption: bool = True
    # How its device is signed, so that clients trust it: with keys made here where the account has
    # none (auto), only with the account's own, or not at all.
    cross_signing: Annotated[
        Literal["auto", "recovery_key", "off"], BeforeValidator(_switch_word)
    ] = "auto"
    # Opens the account's secret storage, where cross-signing was set up elsewhere.
    recovery_key: Secret | None = None
    # Messages a second that the homeserver takes from the account (Synapse's rc_message); 0: no
    # limit.
    send_rate: float = Field(default=0.2, ge=0)
    # So many at once; three of them are kept for answers.
    send_burst: int = Field(default=10, ge=5)

    @model_validator(mode="after")
    def _recovery_key_where_needed(self) -> "Matrix":
        if self.cross_signing == "recovery_key" and self.recovery_key is None:
            raise ValueError("cross_signing: recovery_key needs the key recovery_key, or its file")
        return self

    @property
    def server_name(self) -> str:
        """The own server, as it stands in ids."""
        return self.user_id.partition(":")[2]

    @property
    def invited_by(self) -> frozenset[str]:
        """Servers and people whose invitations are accepted."""
        return frozenset(self.allow_invites_from or (self.server_name,))


class RocketChat(Section):
    """The bot's own Rocket.Chat account."""

    # The workspace, as browsers reach it; may have a path.
    url: WebAddress
    user_id: RocketChatId
    # A personal access token of that account: unlike one of a login, it does not end.
    access_token: Annotated[Secret, AfterValidator(_header_word)]
    # People who may use `admin` commands and hear of trouble, by id.
    admins: tuple[RocketChatId, ...] = ()
    # The authorities that vouch for the workspace, where they are not the machine's own.
    ca_file: Annotated[Path, AfterValidator(values.authorities)] | None = None
    # Messages a second that the workspace takes from the account; 0: no limit, as the role `bot`
    # has it.
    send_rate: float = Field(default=0.0, ge=0)
    # So many at once; three of them are kept for answers.
    send_burst: int = Field(default=10, ge=5)


class Defaults(Section):
    """What a room is like where neither the channel nor the command says otherwise."""

    record: Recording = "off"
    moderators: Literal["admins", "everyone", "creator"] = "admins"
    # People without an account in the chat.
    guests: Guests = "off"
    # Who has to agree before joining a call that may be recorded.
    consent: Literal["everyone", "guests", "off"] = "everyone"
    # Whether everybody who is no moderator waits to be let in.
    lobby: bool = False
    # None: as many as the server allows.
    max_participants: Positive | None = None
    # Where BBB leads when a call is left; None: back to the room's page.
    logout_url: WebAddress | None = None
    # The first line in BBB's public chat; empty: the server's own.
    welcome: str = Field(default="", max_length=500)


class Limits(Section):
    """How much one person and one channel may ask for."""

    # A minute.
    commands_per_person: Positive = 10
    commands_per_channel: Positive = 30
    # An hour: new rooms and private calls.
    creates_per_person: Positive = 5
    # An hour: people asked into calls by direct message.
    invitations_per_person: Positive = 20
    rooms_per_channel: Positive = 20
    # A minute: presses of the button that leads into a call.
    joins_per_person: Positive = 20
    joins_per_room: Positive = 600
    # The most that `max:` and `for` may say.
    max_participants: Positive = 500
    max_duration: Annotated[timedelta, BeforeValidator(values.duration)] = timedelta(hours=5)


class Log(Section):
    """How the bot tells what it does; always on standard error."""

    # auto: text on a terminal, JSON elsewhere.
    format: Literal["auto", "text", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Section):
    """Everything that is configured. Knows where each value came from; shows no secret."""

    # The address of the join pages, as people reach it; may have a path.
    public_url: WebAddress
    # Where database, keys and crypto store live.
    data_dir: Path
    language: Literal["en", "fr", "de"] = "en"
    time_zone: Annotated[str, AfterValidator(values.zone)] = "UTC"
    # What a command begins with.
    prefixes: tuple[Annotated[str, AfterValidator(values.prefix)], ...] = Field(
        default=("!bbb",), min_length=1
    )
    # People in Matrix who may use `admin` commands and hear of trouble, by id.
    admins: tuple[MatrixId, ...] = ()
    listen: Listen = Listen()
    internal_listen: InternalListen = InternalListen()
    # Proxies whose word about the visitor's address is taken.
    trusted_proxies: tuple[Annotated[str, AfterValidator(values.network)], ...] = (
        "127.0.0.1",
        "::1",
    )
    bbb: Bbb
    matrix: Matrix | None = None
    rocketchat: RocketChat | None = None
    defaults: Defaults = Defaults()
    limits: Limits = Limits()
    log: Log = Log()

    _sources: Mapping[KeyPath, Source] = PrivateAttr(default_factory=lambda: MappingProxyType({}))
    _warnings: tuple[Problem, ...] = PrivateAttr(default=())

    @property
    def sources(self) -> Mapping[KeyPath, Source]:
        """Where each value that was given came from."""
        return self._sources

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is accepted but should be put right."""
        return self._warnings

    def secrets(self) -> list[str]:
        """Every secret value, for the filter that keeps them out of the log."""
        return [secret.get_secret_value() for secret in _secrets_in(self)]

    def remember(
        self, sources: Mapping[KeyPath, Source], warnings: tuple[Problem, ...]
    ) -> "Settings":
        """These settings, knowing where they came from."""
        self._sources = MappingProxyType(dict(sources))
        self._warnings = warnings
        return self


def describe_secret(secret: SecretStr) -> str:
    """What may be said of a secret."""
    return f"set, {len(secret.get_secret_value())} characters"


def _secrets_in(value: object) -> Iterator[SecretStr]:
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, Section):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets_in(item)
