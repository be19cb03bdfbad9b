"""Tries each answer on the real thing, with the doctor's questions, before the next is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from bot.clock import utc_now
from bot.config import BbbServer, Settings, values
from bot.doctor.asking import Asker, Case, NoAnswer, ask, http_client
from bot.doctor.bbb import accepted_algorithm
from bot.doctor.tls import expiry_of
from bot.init import matrix, rocketchat
from bot.init.answers import Account, Chats, Member, Video
from bot.init.landing import Landing
from bot.init.refusal import Refused, valid
from commands.ports import Clock

SECONDS = 15.0
_ONE_REQUEST = 4.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Trials:
    """Each method gives what its answer means, or raises Refused."""

    transport: httpx.AsyncBaseTransport | None = None
    now: Clock = utc_now
    listen: tuple[str, int] = ("127.0.0.1", 8080)
    """Where the bot will stand, behind the public address."""

    def video(self, url: str, secret: str) -> Video:
        """A BigBlueButton server that takes this secret."""
        address = valid(values.bbb_api_address, url)
        video = Video(address.removesuffix("api/"), secret)
        unknown = (
            "BigBlueButton cannot be asked: {why}. Is this the URL that `bbb-conf --secret` prints?"
        )
        return self._try(lambda asker: _try_video(asker, video), unknown, keep=video)

    def chats(self, text: str) -> Chats:
        """A homeserver, a workspace, or one of each, from their addresses or names."""
        found = Chats()
        for word in words_of(text) or (text,):
            one = self._chat(word)
            if (one.homeserver and found.homeserver) or (one.workspace and found.workspace):
                raise Refused("these are two of a kind: one Matrix, one Rocket.Chat, or both")
            found = Chats(found.homeserver or one.homeserver, found.workspace or one.workspace)
        return found

    def _chat(self, text: str) -> Chats:
        address = valid(values.web_address, _with_scheme(text))
        unknown = "no Matrix homeserver answers there: {why}; nor does a Rocket.Chat workspace"
        return self._try(lambda asker: _find_chat(asker, address), unknown)

    def workspace(self, text: str) -> str:
        """The address of a Rocket.Chat workspace."""
        address = valid(values.web_address, _with_scheme(text))
        unknown = "no Rocket.Chat workspace answers there: {why}"
        return self._try(lambda asker: rocketchat.find_workspace(asker, address), unknown)

    def homeserver(self, text: str) -> str:
        """The address of a homeserver's API, from that or from the server's name."""
        address = valid(values.web_address, _with_scheme(text))
        unknown = "no Matrix homeserver answers there: {why}"
        return self._try(lambda asker: matrix.find_homeserver(asker, address), unknown)

    def token(self, homeserver: str, token: str) -> Account:
        """The account and device that this access token belongs to."""
        unknown = "the homeserver cannot be asked: {why}"
        word = _one_word(token)
        return self._try(lambda asker: matrix.whoami(asker, homeserver, word), unknown)

    def login(self, homeserver: str, user_id: str, password: str) -> Account:
        """Log in as a new device; the password is not kept."""
        unknown = "the homeserver cannot be asked: {why}"
        return self._try(lambda asker: matrix.log_in(asker, homeserver, user_id, password), unknown)

    def workspace_token(self, url: str, token: str) -> Member:
        """The account that this personal access token belongs to."""
        unknown = "the workspace cannot be asked: {why}"
        word = _one_word(token)
        return self._try(lambda asker: rocketchat.whose(asker, url, word), unknown)

    def workspace_login(self, url: str, name: str, password: str, code: str = "") -> Member:
        """Log in for a personal access token; the password is not kept. Raises CodeWanted."""
        unknown, user = "the workspace cannot be asked: {why}", name.removeprefix("@")
        return self._try(lambda asker: rocketchat.log_in(asker, url, user, password, code), unknown)

    def public_url(self, text: str) -> str:
        """An address that leads to where the bot will stand."""
        address = valid(values.web_address, text)
        return self._try(lambda asker: self._try_public_url(asker, address), "{why}", keep=address)

    def admins(self, homeserver: str, token: str, text: str) -> tuple[str, ...]:
        """Ids that the homeserver knows, from a list with commas or spaces."""
        people = words_of(text)
        for person in people:
            valid(values.matrix_id, person)
        unknown = "the homeserver cannot be asked: {why}"
        trial = matrix.known_people(homeserver, token, people)
        return self._try(trial, unknown, keep=people)

    def workspace_admins(self, url: str, account: Member, text: str) -> Mapping[str, str]:
        """User names by the ids behind them, from a list with commas or spaces."""
        names = tuple(name.removeprefix("@") for name in words_of(text))
        unknown = "the workspace cannot be asked: {why}"
        return self._try(rocketchat.known_people(url, account, names), unknown)

    async def _try_public_url(self, asker: Asker, address: str) -> str:
        async with Landing.at(*self.listen) as landing:
            answer = await ask(asker, f"{address}/healthz")
            if landing.is_ours(answer.body):
                return address
        host, port = self.listen
        if landing.busy:
            why = f"{host}:{port} is taken, so it cannot be tried whether {address} leads there"
        else:
            why = (
                f"{address} answers (HTTP {answer.status}), but does not lead to {host}:{port}, "
                "where the bot will listen"
            )
        raise Refused(f"{why}: docs/getting-started.md shows the proxy for it", keep=address)

    def _try(
        self,
        trial: Callable[[Asker], Awaitable[Result]],
        unknown: str,
        *,
        keep: Result | None = None,
    ) -> Result:
        """Run one trial; where nobody answers, `unknown` says so with its `{why}`."""

        async def run() -> Result:
            async with (
                asyncio.timeout(SECONDS),
                http_client(self.transport, _ONE_REQUEST) as http,
            ):
                return await trial(Asker(http, self.now))

        try:
            return asyncio.run(run())
        except NoAnswer as trouble:
            raise Refused(unknown.format(why=trouble), keep=keep) from None
        except TimeoutError:
            raise Refused(unknown.format(why="it does not answer in time"), keep=keep) from None


def words_of(text: str) -> tuple[str, ...]:
    """The different words of a list with commas or spaces."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _with_scheme(text: str) -> str:
    return text if "://" in text else f"https://{text}"


def _one_word(token: str) -> str:
    if not token.isascii() or not token.isprintable() or token.split() != [token]:
        raise Refused("an access token is one word of letters, digits and signs")
    return token


async def _find_chat(asker: Asker, address: str) -> Chats:
    with suppress(NoAnswer):
        return Chats(workspace=await rocketchat.find_workspace(asker, address))
    return Chats(homeserver=await matrix.find_homeserver(asker, address))


async def _try_video(asker: Asker, video: Video) -> Video:
    algorithm = await accepted_algorithm(
        Case(asker.http, asker.now, _provisional(video), expiry_of)
    )
    if algorithm is None:
        raise Refused("BigBlueButton answers, but refuses the secret")
    return Video(video.url, video.secret, algorithm)


def _provisional(video: Video) -> Settings:
    """As much of a configuration as the doctor needs to look at the server."""
    server = BbbServer.model_validate({"name": "main", "url": video.url, "secret": video.secret})
    bbb = {"servers": [server]}
    return Settings.model_validate(
        {"public_url": "http://localhost", "data_dir": Path(), "bbb": bbb}
    )
