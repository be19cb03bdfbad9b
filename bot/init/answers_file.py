"""Reads the answers from a file, for installations by script.

bbb_url: https://bbb.example.org/bigbluebutton/
bbb_secret: (the secret)
homeserver: example.org
access_token: (the token)          or: user and password
public_url: https://meet.example.org
admins: '@ana:example.org'
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from bot.config.document import read_document
from bot.config.keypath import text_of
from bot.config.secret_files import SecretFileProblem, warning_for

REQUIRED = ("bbb_url", "bbb_secret", "homeserver", "public_url")
KEYS = (*REQUIRED, "access_token", "user", "password", "admins")


class AnswersUnusable(Exception):
    """The file cannot be read as answers; the text says where and why, and holds no value."""


def read_answers(path: Path) -> Mapping[str, str]:
    """The answers by key. Raises AnswersUnusable."""
    try:
        document = read_document(path.read_text(encoding="utf-8-sig"), str(path))
        warning_for(path)
    except SecretFileProblem as problem:
        raise AnswersUnusable(f"{path} holds secrets and {problem}") from None
    except UnicodeDecodeError:
        raise AnswersUnusable(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise AnswersUnusable(f"{path} cannot be read ({error.strerror})") from None
    answers: dict[str, str] = {}
    problems = list(map(str, document.problems))
    for where, leaf in document.leaves.items():
        name = text_of(where)
        if name not in KEYS:
            problems.append(f"{leaf.source}: {name}: {_unknown(name)}")
        elif isinstance(leaf.value, list):
            answers[name] = " ".join(leaf.value)
        else:
            answers[name] = str(leaf.value)
    problems += [f"{path}: {name} is missing" for name in REQUIRED if not answers.get(name)]
    if not answers.get("access_token") and not (answers.get("user") and answers.get("password")):
        problems.append(f"{path}: access_token is missing, or user and password")
    if problems:
        raise AnswersUnusable("\n".join(problems))
    return answers


def _unknown(name: str) -> str:
    near = get_close_matches(name, KEYS, n=1)
    return f"unknown answer; did you mean {near[0]}?" if near else "unknown answer"
