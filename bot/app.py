"""The one place that wires everything: settings in, a running bot out; stopped in reverse order."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.chat.base import Adapter, ChatMisconfigured
from bot.clock import utc_now
from bot.config import Settings
from bot.core import Bot, Secrets
from bot.keys import Keys, open_data_dir, open_keys
from bot.memory import share_one_heap, spare_the_collector
from bot.metrics import Metrics
from bot.supervisor import READY, STOPPING, WATCHDOG, Supervisor
from bot.web.app import make_app, make_internal_app
from bot.web.gateway import Gateway
from commands.ports import Limits, Pace, Policy
from storage.open import open_store
from storage.records import Person
from storage.store import Store, StoreError

log = logging.getLogger(__name__)

CONFIG_WRONG = 78


class CannotStart(Exception):
    """The bot cannot run like this; the text says why and what to do."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigError, CannotStart."""
    share_one_heap()
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    supervisor = Supervisor(os.environ)
    async with AsyncExitStack() as stack:
        bot = await start(settings, stack)
        spare_the_collector()
        log.info("running", extra={"action": "started", "public_url": settings.public_url})
        supervisor.tell(READY)
        await _until(stop, bot, supervisor)
        supervisor.tell(STOPPING)
        log.info("stopping", extra={"action": "stopping"})


async def _until(stop: asyncio.Event, bot: Bot, supervisor: Supervisor) -> None:
    """Return at the signal. Raises CannotStart when no chat can ever work again like this."""
    while not stop.is_set():
        troubles = [adapter.trouble for adapter in bot.adapters]
        if all(troubles):
            raise CannotStart("\n".join(filter(None, troubles)), CONFIG_WRONG)
        supervisor.tell(WATCHDOG)
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await stop.wait()


async def start(settings: Settings, stack: AsyncExitStack) -> Bot:
    """Start every part; `stack` stops them in reverse order. Raises ConfigError, CannotStart."""
    data = open_data_dir(settings.data_dir)
    keys = open_keys(data)
    metrics = Metrics()
    store = await _opened(data)
    stack.push_async_callback(store.close)
    servers = servers_of(settings, metrics)
    stack.push_async_callback(servers.close)
    bot = Bot(
        store=store,
        adapters=list(_adapters(settings, keys)),
        servers=servers,
        policy=policy_of(settings),
        keys=Secrets(keys.link, keys.pseudonym),
        clock=utc_now,
        metrics=metrics,
    )
    # The pages stand first and fall last: a health check is answered while the chats connect.
    stack.push_async_callback(bot.stop)
    await serve_pages(bot, pages_of(settings), stack)
    try:
        await bot.start()
    except ChatMisconfigured as error:
        raise CannotStart(str(error), CONFIG_WRONG) from error
    return bot


async def _opened(data: Path) -> Store:
    try:
        return await open_store(data)
    except StoreError as error:
        raise CannotStart(str(error)) from error


def servers_of(settings: Settings, metrics: Metrics) -> ServerPool:
    """The BBB servers of the configuration."""
    server = settings.bbb.server
    client = Client(
        name=server.name,
        url=server.url,
        secrets=[secret.get_secret_value() for secret in server.secrets],
        bot_version=version("bbb-bot"),
        home=urlsplit(settings.public_url).hostname or "",
        algorithm=server.checksum,
        seconds=settings.bbb.timeout,
        observe=lambda call, seconds: metrics.bbb_seconds.labels(call).observe(seconds),
    )
    return ServerPool(
        {server.name: client},
        chosen=server.name,
        origins=settings.bbb.origins,
        resting=lambda name, rests: metrics.bbb_resting.labels(name).set(rests),
    )


def _adapters(settings: Settings, keys: Keys) -> Iterator[Adapter]:
    """One for each chat that is configured; only those pay for a chat's libraries (7 to 22 MiB)
    who are in it.
    """
    if matrix := settings.matrix:
        from bot.chat.matrix.adapter import MatrixAdapter

        yield MatrixAdapter(
            homeserver=matrix.homeserver,
            user_id=matrix.user_id,
            device_id=matrix.device_id,
            access_token=matrix.access_token.get_secret_value(),
            store_dir=settings.data_dir / "matrix",
            identity_file=settings.data_dir / "cross-signing.json",
            pickle_key=keys.pickle.hex(),
            prefixes=settings.prefixes,
            encryption=matrix.encryption,
            cross_signing=matrix.cross_signing,
            recovery_key=matrix.recovery_key.get_secret_value() if matrix.recovery_key else None,
            allow_invites_from=sorted(matrix.invited_by),
            language=settings.language,
        )
    if rocketchat := settings.rocketchat:
        from bot.chat.rocketchat.adapter import RocketChatAdapter

        yield RocketChatAdapter(
            url=rocketchat.url,
            user_id=rocketchat.user_id,
            access_token=rocketchat.access_token.get_secret_value(),
            message_key=keys.message,
            prefixes=settings.prefixes,
            ca_file=rocketchat.ca_file,
        )


@dataclass(frozen=True, slots=True)
class PagesAt:
    """Where the pages stand; `internal` None serves no metrics. A port 0 takes any free one."""

    host: str
    port: int
    internal: tuple[str, int] | None = None
    trusted_proxies: Sequence[str] = ()


def pages_of(settings: Settings) -> PagesAt:
    """Where the configuration wants the pages."""
    inside = settings.internal_listen
    return PagesAt(
        settings.listen.host,
        settings.listen.port,
        (inside.host, inside.port),
        settings.trusted_proxies,
    )


async def serve_pages(bot: Bot, at: PagesAt, stack: AsyncExitStack) -> Gateway:
    """Serve the join pages, and the metrics on a listener of their own."""
    stop = asyncio.Event()
    pages = make_app(
        bot.joining,
        public_url=bot.world.policy.public_url,
        origins=bot.world.servers.origins(),
        trusted_proxies=at.trusted_proxies,
        clock=bot.world.clock,
        stop=stop,
        parts=bot.health,
        metrics=bot.metrics,
        prefix=bot.world.policy.prefixes[0],
        language=bot.world.policy.language,
        zone=bot.world.policy.time_zone,
    )
    gateway = Gateway(pages, host=at.host, port=at.port, stop=stop)
    await _listen(gateway, at.host, at.port, stack)
    if at.internal is not None:
        host, port = at.internal
        inside = Gateway(make_internal_app(bot.metrics), host=host, port=port, stop=stop)
        await _listen(inside, host, port, stack)
    return gateway


async def _listen(gateway: Gateway, host: str, port: int, stack: AsyncExitStack) -> None:
    try:
        await gateway.start()
    except OSError as error:
        of_the_system = (error.errno or 0) > 0  # of a host name that cannot be found it is not
        why = os.strerror(error.errno or 0) if of_the_system else error.strerror
        reason = f"Cannot listen on {host}:{port} ({why})."
        raise CannotStart(f"{reason} Choose another port, or stop what has it.") from error
    stack.push_async_callback(gateway.stop)


def policy_of(settings: Settings) -> Policy:
    """What the core needs of the configuration."""
    defaults, limits = settings.defaults, settings.limits
    return Policy(
        public_url=settings.public_url,
        prefixes=settings.prefixes,
        language=settings.language,
        time_zone=settings.time_zone,
        admins=frozenset(_admins(settings)),
        record=defaults.record,
        moderators=defaults.moderators,
        guests=defaults.guests,
        consent=defaults.consent,
        lobby=defaults.lobby,
        max_participants=defaults.max_participants,
        welcome=defaults.welcome,
        logout_url=defaults.logout_url or "",
        limits=Limits(**limits.model_dump()),
        paces=dict(_paces(settings)),
    )


def _admins(settings: Settings) -> Iterator[Person]:
    for person in settings.admins:
        yield Person("matrix", person)
    for person in settings.rocketchat.admins if settings.rocketchat else ():
        yield Person("rocketchat", person)


def _paces(settings: Settings) -> Iterator[tuple[str, Pace]]:
    for platform, chat in (("matrix", settings.matrix), ("rocketchat", settings.rocketchat)):
        if chat and chat.send_rate:
            yield platform, Pace(chat.send_rate, chat.send_burst)
