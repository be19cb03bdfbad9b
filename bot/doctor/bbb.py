"""Checks of the BigBlueButton server: it answers, its version, its secret and checksum algorithm.

The bot's own client hides which algorithm or secret a server would have taken; the doctor tries
them one by one, with `isMeetingRunning` of a random id: `SUCCESS`, or `checksumError`.
"""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring

from bot.bbb.sign import Algorithm, signed_query
from bot.config import BbbServer, describe_secret, describe_source
from bot.doctor.asking import Answer, Case, NoAnswer, ask
from bot.doctor.finding import Finding, fail, ok, warn

ALGORITHMS: tuple[Algorithm, ...] = ("sha256", "sha512", "sha384", "sha1")
SOUND_VERSION = (3, 0, 21)  # GHSA-43hc-5g2m-cqff: before, calls may pass without a checksum
_NOT_A_WORD = re.compile(r"[^\w.+-]")


@dataclass(frozen=True, slots=True)
class Said:
    """What BigBlueButton said, as far as the checks need it; texts are fit for a terminal."""

    success: bool
    refused_signature: bool
    key: str
    version: str


class Unwilling(NoAnswer):
    """BigBlueButton understood, and answers FAILED; the text names its key."""


async def check_bbb(case: Case) -> AsyncIterator[Finding]:
    """Reachable, then version, then secret and algorithm."""
    try:
        root = await _ask_root(case)
    except NoAnswer as trouble:
        yield _unreachable(case, str(trouble))
        return
    yield ok("bbb.reachable", "BigBlueButton answers")
    yield judge_version(root.version)
    try:
        yield await _check_secret(case)
    except NoAnswer as trouble:
        yield _unreachable(case, str(trouble))


def judge_version(version: str) -> Finding:
    """What to think of the version a server reveals; most reveal none (empty)."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if not numbers:
        return ok("bbb.version", "the server does not tell its version")
    if numbers < SOUND_VERSION:
        text = f"{version} lets calls pass without the secret (GHSA-43hc-5g2m-cqff)"
        return warn("bbb.version", text, "update BigBlueButton to 3.0.21 or later")
    return ok("bbb.version", version)


async def _ask_root(case: Case) -> Said:
    """The API's root needs no secret; balancers differ in whether it ends in a slash."""
    address = case.settings.bbb.server.url
    answer = await ask(case, address.removesuffix("/"))
    if answer.status in (301, 302, 307, 308, 404):
        answer = await ask(case, address)
    said = _understood(answer)
    if not said.success:
        raise NoAnswer(f"it answers FAILED ({said.key})")
    return said


async def accepted_algorithm(case: Case) -> Algorithm | None:
    """What the server takes the current secret with, the configured one first; None: it refuses.

    Raises NoAnswer; Unwilling when the server answers FAILED for another reason.
    """
    server = case.settings.bbb.server
    for algorithm in dict.fromkeys((server.checksum, *ALGORITHMS)):
        said = await _ask_signed(case, server, server.secret.get_secret_value(), algorithm)
        if said.success:
            return algorithm
        if not said.refused_signature:
            raise Unwilling(f"the server answers FAILED ({said.key})")
    return None


async def _check_secret(case: Case) -> Finding:
    """Try the secret as configured, then with other algorithms, then the other secret."""
    server = case.settings.bbb.server
    try:
        algorithm = await accepted_algorithm(case)
    except Unwilling as refusal:
        return fail("bbb.secret", str(refusal), "look into bbb-web.log on the server")
    if algorithm == server.checksum:
        text = f"accepted ({describe_secret(server.secret)}), signed with {server.checksum}"
        return ok("bbb.secret", text)
    if algorithm:
        return _other_algorithm(case, algorithm)
    if server.previous_secret:
        previous = server.previous_secret.get_secret_value()
        if (await _ask_signed(case, server, previous, server.checksum)).success:
            return _other_secret(case)
    return _wrong_secret(case)


async def _ask_signed(case: Case, server: BbbServer, secret: str, algorithm: Algorithm) -> Said:
    """`isMeetingRunning` of a meeting that cannot exist."""
    wanted = {"meetingID": f"doctor-{secrets.token_hex(8)}"}
    query = signed_query("isMeetingRunning", wanted, secret, algorithm)
    answer = await ask(case, f"{server.url}isMeetingRunning?{query}")
    if answer.status in (401, 403):  # b3lb says it in plain text
        return Said(success=False, refused_signature=True, key="checksumError", version="")
    return _understood(answer)


def _understood(answer: Answer) -> Said:
    """Read BBB's XML. Raises NoAnswer where it is something else."""
    try:
        root = fromstring(answer.body)
    except (ParseError, ValueError, LookupError):  # not XML, entities, an unknown encoding
        raise NoAnswer(_not_bbb(answer)) from None
    code = (root.findtext("returncode") or "").strip()
    if root.tag != "response" or code not in ("SUCCESS", "FAILED"):
        raise NoAnswer(_not_bbb(answer))
    key = _word(root.findtext("messageKey") or "without a reason")
    version = _word(root.findtext("bbbVersion") or "")
    return Said(code == "SUCCESS", key == "checksumError", key, version)


def _not_bbb(answer: Answer) -> str:
    return f"what answers there is not BigBlueButton (HTTP {answer.status})"


def _word(text: str) -> str:
    return _NOT_A_WORD.sub(" ", text).strip()[:60]


def _source(case: Case, name: str) -> str:
    """The key and where it is written, to be named in a remedy."""
    bbb = case.settings.bbb
    key = f"bbb.servers[{bbb.servers.index(bbb.server)}].{name}"
    return f"{key} ({describe_source(case.settings, key)})"


def _unreachable(case: Case, reason: str) -> Finding:
    remedy = (
        f"{_source(case, 'url')} must be the URL that `bbb-conf --secret` prints; "
        "check network, firewall and `bbb-conf --status` on the server"
    )
    return fail("bbb.reachable", f"BigBlueButton cannot be asked: {reason}", remedy)


def _other_algorithm(case: Case, algorithm: str) -> Finding:
    configured = case.settings.bbb.server.checksum
    text = f"the secret is right, but the server takes {algorithm}, not {configured}"
    return fail("bbb.secret", text, f"set {_source(case, 'checksum')} to {algorithm}")


def _other_secret(case: Case) -> Finding:
    text = "refused, but the previous secret is accepted"
    remedy = f"once the server has the new one, all is well; else correct {_source(case, 'secret')}"
    return warn("bbb.secret", text, remedy)


def _wrong_secret(case: Case) -> Finding:
    text = f"the server refuses the secret ({describe_secret(case.settings.bbb.server.secret)})"
    remedy = f"put the Secret that `bbb-conf --secret` prints into {_source(case, 'secret')}"
    return fail("bbb.secret", text, remedy)
