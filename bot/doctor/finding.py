"""What a check found out, and what to do about it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from bot.config import ConfigError, Source

CONFIG = "config"
EXIT_FAILED = 1
EXIT_CONFIG = 78  # as sysexits.h; the systemd unit does not restart on it


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. `id` begins with the name of its check; no text holds a secret."""

    level: Level
    id: str
    text: str
    remedy: str = ""


def ok(name: str, text: str) -> Finding:
    """All is well with this."""
    return Finding(Level.OK, name, text)


def warn(name: str, text: str, remedy: str) -> Finding:
    """The bot works, but this should be put right."""
    return Finding(Level.WARN, name, text, remedy)


def fail(name: str, text: str, remedy: str) -> Finding:
    """The bot does not work until this is put right."""
    return Finding(Level.FAIL, name, text, remedy)


def findings_of(error: ConfigError) -> list[Finding]:
    """A configuration that does not load, as findings."""
    return [fail(CONFIG, str(problem), _remedy(problem.source)) for problem in error.problems]


def _remedy(source: Source) -> str:
    if source.line is None:
        return "write one with bbb-bot init, or name yours with --config"
    return f"correct {source}; see docs/configuration.md"


def exit_code(findings: Sequence[Finding]) -> int:
    """0: well, or only warnings; 1: a check failed; 78: the configuration cannot be used."""
    failed = [finding.id for finding in findings if finding.level is Level.FAIL]
    if CONFIG in failed:
        return EXIT_CONFIG
    return EXIT_FAILED if failed else 0


def render(findings: Sequence[Finding], *, as_json: bool) -> str:
    """The findings as lines for a person, or as a JSON list of objects."""
    if as_json:
        return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2)
    width = max((len(finding.id) for finding in findings), default=0)
    return "\n".join([*(_line(finding, width) for finding in findings), _closing(findings)])


def _line(finding: Finding, width: int) -> str:
    line = f"{finding.level:<4}  {finding.id:<{width}}  {finding.text}"
    return f"{line}\n{'':<{width + 8}}→ {finding.remedy}" if finding.remedy else line


def _closing(findings: Sequence[Finding]) -> str:
    failed = sum(finding.level is Level.FAIL for finding in findings)
    warned = sum(finding.level is Level.WARN for finding in findings)
    if failed:
        return f"{failed} to put right."
    return f"It works; {warned} to look at." if warned else "All is well."
