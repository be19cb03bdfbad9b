"""Puts the interview together: what is there already, the answers, the file, what comes next."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from bot.config import ConfigError, Listen
from bot.init.answers import Answers
from bot.init.answers_file import AnswersUnusable, read_answers
from bot.init.interview import interview, settle
from bot.init.refusal import NotWritten
from bot.init.terminal import NoMoreAnswers, Terminal
from bot.init.trials import Trials
from bot.init.writing import write_config

NOT_WRITTEN = 1
USAGE = 2
NEXT = """
Written: {path}, for your eyes only (mode 0600). Next:

  bbb-bot doctor{option}
  bbb-bot run{option}
"""


def main(
    path: Path,
    *,
    answers: Path | None,
    anyway: bool,
    overwrite: bool,
    env: Mapping[str, str],
    terminal: Terminal | None = None,
    trials: Trials | None = None,
) -> int:
    """The exit code: 0 written, 1 not written, 2 the file of answers cannot be used."""
    terminal, trials = terminal or Terminal(), trials or Trials(listen=_listen(env))
    try:
        if not overwrite and path.exists():
            if answers or not _may_overwrite(terminal, path):
                terminal.say(
                    f"{path} is there already and stays as it is (--overwrite replaces it)."
                )
                return NOT_WRITTEN
            overwrite = True
        found = _answers(terminal, trials, env, answers, anyway=anyway)
        write_config(found, path, overwrite=overwrite)
    except AnswersUnusable as error:
        terminal.say(str(error))
        return USAGE
    except NotWritten as error:
        terminal.say(f"Nothing was written. {error}")
        return NOT_WRITTEN
    except NoMoreAnswers:
        terminal.say("\nNothing was written: the answers ended before the last question.")
        return NOT_WRITTEN
    except ConfigError as error:
        terminal.say(f"Nothing was written. {error}")
        return NOT_WRITTEN
    except OSError as error:
        terminal.say(f"{path} cannot be written ({error.strerror}); nothing was changed.")
        return NOT_WRITTEN
    terminal.say(NEXT.format(path=path, option=_option(path)))
    return 0


def _answers(
    terminal: Terminal,
    trials: Trials,
    env: Mapping[str, str],
    file: Path | None,
    *,
    anyway: bool,
) -> Answers:
    if file is None:
        return interview(terminal, trials, env)
    return settle(read_answers(file), trials, env, anyway=anyway)


def _may_overwrite(terminal: Terminal, path: Path) -> bool:
    said = terminal.ask(f"{path} is there already. Write over it at the end? [y/N] ")
    return said.lower() in ("y", "yes")


def _listen(env: Mapping[str, str]) -> tuple[str, int]:
    """Where the bot will stand; an image says that by variables."""
    usual = Listen()
    port = env.get("BBB_BOT_LISTEN__PORT", "")
    host = env.get("BBB_BOT_LISTEN__HOST") or usual.host
    return host, int(port) if port.isdecimal() else usual.port


def _option(path: Path) -> str:
    """The option that names the file, where it is not found by itself."""
    return "" if path == Path("config.yaml") else f" --config {shlex.quote(str(path))}"
