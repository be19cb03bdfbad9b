"""Reads the answers from a file, for installations by script.

bbb_url: https://bbb.example.org/bigbluebutton/
bbb_secret: (the secret)
homeserver: example.org
access_token: (the token)          or: user and password
rocketchat_url: https://chat.example.org
rocketchat_token: (the token)      or: rocketchat_user, rocketchat_password, maybe rocketchat_code
public_url: https://meet.example.org
admins: '@ana:example.org', bo

One of homeserver and rocketchat_url is enough.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from bot.config.document import read_document
from bot.config.keypath import text_of
from bot.config.secret_files import SecretFileProblem, warning_for

REQUIRED = ("bbb_url", "bbb_secret", "public_url")
MATRIX = ("homeserver", "access_token", "user", "password")
ROCKETCHAT = tuple(f"rocketchat_{name}" for name in ("url", "token", "user", "password"))
KEYS = (*REQUIRED, *MATRIX, *ROCKETCHAT, "rocketchat_code", "admins")


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
    answers = {name: answer for name, answer in answers.items() if answer}
    problems += [f"{path}: {lack}" for lack in _lacks(answers)]
    if problems:
        raise AnswersUnusable("\n".join(problems))
    return answers


def _lacks(answers: Mapping[str, str]) -> Iterator[str]:
    """What keeps the file from being whole."""
    yield from (f"{name} is missing" for name in REQUIRED if name not in answers)
    chats = [chat for chat in (MATRIX, ROCKETCHAT) if answers.keys() & set(chat)]
    if not chats:
        yield f"{MATRIX[0]} is missing, or {ROCKETCHAT[0]}"
    for where, token, user, password in chats:
        if where not in answers:
            yield f"{where} is missing"
        if token not in answers and not {user, password} <= answers.keys():
            yield f"{token} is missing, or {user} and {password}"


def _unknown(name: str) -> str:
    near = get_close_matches(name, KEYS, n=1)
    return f"unknown answer; did you mean {near[0]}?" if near else "unknown answer"
