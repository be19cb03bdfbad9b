"""The command line: every subcommand, its options and exit codes; the work is done elsewhere.

Exit codes: 0 well, also after SIGTERM; 1 a check or a tour failed; 2 wrong usage; 78 the
configuration is wrong; 130 Ctrl-C. Imports stand inside the commands, so that `--help` is quick.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from bot.config import Settings

CONFIG_WRONG = 78

app = typer.Typer(
    name="bbb-bot",
    help="BigBlueButton calls for Matrix and Rocket.Chat: opened, joined and followed there.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

ConfigPath = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration; else the usual places are looked in."),
]


def main() -> None:
    """The console script."""
    app()


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"bbb-bot {version('bbb-bot')}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Say it and exit."),
    ] = False,
) -> None:
    pass


@app.command()
def run(config: ConfigPath = None) -> None:
    """Run the bot until SIGTERM or Ctrl-C."""
    from bot.app import serve

    settings = _settings(config)
    _log(settings)
    _checked(lambda: serve(settings))


@app.command()
def init(
    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration to write.")
    ] = Path("config.yaml"),
    answers: Annotated[
        Path | None,
        typer.Option("--answers", metavar="FILE", help="Take the answers from here; ask nothing."),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="With --answers: keep what may come later.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write over a configuration that is there.")
    ] = False,
) -> None:
    """Write a configuration: five questions, each answer tried at once."""
    from bot.init.command import main as initialise

    raise typer.Exit(
        initialise(config, answers=answers, anyway=anyway, overwrite=overwrite, env=os.environ)
    )


@app.command()
def demo(
    tour: Annotated[bool, typer.Option("--tour", help="Play a story and exit.")] = False,
    fault: Annotated[
        str | None, typer.Option("--fault", help="Break one part of the tour, by name.")
    ] = None,
    chat: Annotated[str, typer.Option("--chat", help="local, or matrix for a Synapse.")] = "local",
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="Of the web chat; the next free one."),
    ] = 8080,
    language: Annotated[str, typer.Option("--lang", help="en, fr or de.")] = "en",
) -> None:
    """Try everything on this machine: no account, no server, nothing kept."""
    from bot.demo.main import main as play

    raise typer.Exit(play(tour=tour, fault=fault, chat=chat, port=port, language=language))


@app.command()
def doctor(
    names: Annotated[list[str] | None, typer.Argument(help="Only these checks.")] = None,
    config: ConfigPath = None,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no other machine.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Name what can be asked for.")] = False,
) -> None:
    """Check configuration, data, video server and chat; each finding comes with its remedy."""
    import asyncio

    from bot import doctor as checks
    from bot.config import ConfigError

    if listed:
        typer.echo("\n".join(checks.names()))
        return
    try:
        settings = _load(config)
        findings = asyncio.run(checks.examine(settings, names, offline=offline))
    except ConfigError as error:
        findings = checks.findings_of(error)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(checks.render(findings, as_json=as_json))
    raise typer.Exit(checks.exit_code(findings))


@app.command()
def healthcheck(config: ConfigPath = None) -> None:
    """Ask the running bot whether it is alive: exit 0 or 1 (for container health checks)."""
    from bot.healthcheck import alive

    listen = _settings(config).listen
    if not alive(listen.here, listen.port):
        _fail(f"No bot answers on {listen.here}:{listen.port}. Is it running? Its log says more.")


@app.command()
def backup(
    target: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The new file, such as b.tar.gz."),
    ],
    config: ConfigPath = None,
) -> None:
    """Write database, keys and Matrix crypto store into one new file, also while the bot runs."""
    from bot.backup import BackupError, back_up

    settings = _settings(config)
    try:
        kept = back_up(settings.data_dir, target)
    except BackupError as error:
        _fail(str(error))
    typer.echo(f"Backed up {len(kept)} files to {target}: keep it as safe as the bot's secrets.")


@app.command("recovery-key")
def recovery_key(config: ConfigPath = None) -> None:
    """Make a recovery key for the bot's Matrix account and show it, once."""
    from bot.config import ConfigError
    from bot.recovery_key import NoRecoveryKey, make_recovery_key

    settings = _settings(config)
    try:
        key = make_recovery_key(settings)
    except ConfigError as error:
        _fail(str(error), CONFIG_WRONG)
    except NoRecoveryKey as error:
        _fail(str(error))
    typer.echo(f"{key}\n\nIt is shown this once. It opens the account's keys: keep it safe.")


@app.command("simulate-bbb")
def simulate_bbb(
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="Where to listen, on this machine only."),
    ],
    secret: Annotated[str, typer.Option("--secret", help="The shared secret it checks.")],
    speed: Annotated[float, typer.Option("--speed", help="How much faster its clock runs.")] = 1.0,
    version: Annotated[str, typer.Option("--version", help="2.6 or 3.0.")] = "3.0",
) -> None:
    """Be a BigBlueButton server for tests: the real API, no audio or video."""
    from bot.demo.bbb.run import main as simulate

    simulate(port=port, secret=secret, speed=speed, version=version)


def _load(config: Path | None) -> "Settings":
    from bot.config import find_config, load

    return load(find_config(config, env=os.environ), env=os.environ)


def _settings(config: Path | None) -> "Settings":
    from bot.config import ConfigError

    try:
        return _load(config)
    except ConfigError as error:
        _fail(str(error), CONFIG_WRONG)


def _checked(serve: Callable[[], None]) -> None:
    from bot.app import CannotStart
    from bot.config import ConfigError

    try:
        serve()
    except ConfigError as error:
        _fail(str(error), CONFIG_WRONG)
    except CannotStart as error:
        _fail(str(error), error.exit_code)


def _fail(text: str, code: int = 1) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)


def _log(settings: "Settings") -> None:
    from bot.logs import set_up

    set_up(form=settings.log.format, level=settings.log.level, secrets=settings.secrets())
    for warning in settings.warnings:
        typer.echo(f"warning: {warning}", err=True)
