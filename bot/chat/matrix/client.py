"""nio's client with its traps mended: time limits on every request, and encryption that heals."""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from nio import AsyncClient, AsyncClientConfig, MegolmEvent, OlmEvent
from nio.responses import ErrorResponse, SyncResponse
from peewee import PeeweeException
from yarl import URL

from bot.chat.base import ChatMisconfigured
from bot.chat.matrix.answers import MatrixError, error_from
from bot.chat.matrix.crypto_store import Store, StoreFiles
from bot.chat.matrix.lean import lean, says_nothing
from bot.chat.shapes import Json
from commands.errors import ChatUnavailable

log = logging.getLogger(__name__)

REQUEST_SECONDS = 30.0

UNREADABLE = (
    "The encryption store in {path} cannot be opened ({error}): it is damaged, or pickle.key is "
    "not the one it was made with. Nothing was changed. Restore both from the same backup; or move "
    "the directory away, log the bot in again, and put the new device id and token into the "
    "configuration."
)


class Client(AsyncClient):  # type: ignore[misc]  # nio has no type information
    """One device of one account. Only transport, room membership and encryption of nio are used.

    What is never used of nio: its sync loop (it spins on errors and loses commands), its callbacks,
    and its power levels (it merges them, so a demotion is not seen).
    """

    def __init__(
        self,
        *,
        homeserver: str,
        user_id: str,
        device_id: str,
        access_token: str,
        store_dir: Path,
        pickle_key: str,
        encryption: bool,
    ) -> None:
        config = AsyncClientConfig(
            max_limit_exceeded=0,  # nio's default is to retry for ever inside each call
            max_timeouts=0,
            request_timeout=REQUEST_SECONDS,
            encryption_enabled=encryption,
            store=Store,
            pickle_key=pickle_key,
        )
        super().__init__(homeserver.rstrip("/"), user_id, device_id, str(store_dir), config)
        self._login = (user_id, device_id, access_token)
        self.store_files = StoreFiles(store_dir, user_id, device_id)
        self._dead_sessions: set[tuple[str, str]] = set()
        self._digested = asyncio.Event()
        self._key_counts: Json | None = None
        self.user_id = user_id

    def open(self) -> None:
        """Open the HTTP session and the crypto store (made when it is not there).

        Raises ChatMisconfigured for a store that cannot be read.
        """
        self.client_session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
            connector=aiohttp.TCPConnector(limit=100),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        try:
            self.store_files.open()
            self.restore_login(*self._login)
        except (PeeweeException, ValueError, OSError) as error:
            raise ChatMisconfigured(UNREADABLE.format(path=self.store_path, error=error)) from error

    async def shut(self) -> None:
        """Close both again."""
        await self.close()
        if self.store:
            self.store.database.close()

    # --- plain requests ---------------------------------------------------------------------------

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> Json:
        """One request under `/_matrix/client/v3`; gives the JSON object of the answer.

        `path` is quoted already (see `at`). Raises MatrixError for an error answer, ChatUnavailable
        when there was none within `seconds` or it was no JSON object.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(method, path, query, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ChatUnavailable(f"{method} of the homeserver: {type(error).__name__}") from error

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> Json:
        assert self.client_session, "not open"
        address = f"{self.homeserver}/_matrix/client/v3{path}"
        if query:
            address += "?" + urlencode(query)
        async with self.client_session.request(
            method,
            URL(address, encoded=True),
            data=None if body is None else json.dumps(body, separators=(",", ":")).encode(),
            headers={
                "Authorization": f"Bearer {self.access_token}",
                "Content-Type": "application/json",
            },
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None),  # the caller's limit holds for everything
        ) as response:
            value = _json(await response.read())
            if response.status != 200:
                raise error_from(response.status, response.headers, value)
        if not isinstance(value, dict):
            raise ChatUnavailable("the homeserver's answer was no JSON object")
        return value

    async def asked(self, call: Any) -> Any:
        """Await one of nio's own requests; its errors become MatrixError and ChatUnavailable."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                answer = await call
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ChatUnavailable(f"the homeserver: {type(error).__name__}") from error
        if isinstance(answer, ErrorResponse):
            status = getattr(answer.transport_response, "status", 0)
            raise MatrixError(status, str(answer.status_code or ""))
        return answer

    # --- the sync answer --------------------------------------------------------------------------

    async def digest(self, answer: Json) -> dict[str, list[Json]]:
        """Let nio read a sync answer: who is in which room, keys, and what it can decrypt.

        Gives the events that nio read in each room, decrypted where it could. It takes invitations
        and account data apart in place: read those before. Raises ChatUnavailable for what has not
        the shape of a sync answer.
        """
        answer, counts = lean(answer), answer.get("device_one_time_keys_count")
        if says_nothing(answer) and counts == self._key_counts:
            return {}
        response = SyncResponse.from_dict(answer)
        if not isinstance(response, SyncResponse):
            raise ChatUnavailable("the sync answer did not have the right shape")
        self.next_batch = ""  # nio skips an answer that ends where it believes to be
        # nio keeps an Olm session and the key that came by it in two commits, and a crash between
        # them would lose the key for ever.
        with self.one_commit():
            await self.receive_response(response)
        self._key_counts = counts
        self._digested.set()
        self._digested = asyncio.Event()
        joined = response.rooms.join.items()
        return {room: [event.source for event in info.timeline.events] for room, info in joined}

    def one_commit(self) -> AbstractContextManager[object]:
        """All that nio writes meanwhile is kept together, or none of it. Await nothing in it."""
        found: AbstractContextManager[object] = (
            self.store.database.atomic() if self.store else nullcontext()
        )
        return found

    async def knows(self, room: str, *, seconds: float) -> None:
        """Wait until a room we joined has come by sync. Raises ChatUnavailable after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while room not in self.rooms:
                    await self._digested.wait()
        except TimeoutError:
            raise ChatUnavailable("the room has not come by sync yet") from None

    def decrypted(self, event: Json, room: str) -> Json:
        """An event fetched by itself, in clear when we have its key, else as it was."""
        parsed = MegolmEvent.parse_event(event) if self.olm else None
        if not isinstance(parsed, MegolmEvent):
            return event
        clear = self.olm._decrypt_megolm_no_error(parsed, room)
        return event if clear is None else dict(clear.source)

    def is_encrypted(self, room: str) -> bool:
        """Whether a room we are in is encrypted. Raises KeyError for any other."""
        return bool(self.rooms[room].encrypted) or room in self.encrypted_rooms

    def _handle_timeline_event(
        self, event: Any, room_id: str, room: Any, encrypted_rooms: set[str]
    ) -> Any:
        """As nio does it; but one strange event must not stop the sync for ever."""
        if event.source.get("type") == "m.room.encryption":
            encrypted_rooms.add(room_id)  # also a malformed one, which nio passes over
        try:
            return super()._handle_timeline_event(event, room_id, room, encrypted_rooms)
        except Exception as error:
            log.warning(
                "an event could not be read",
                extra={
                    "action": "event_unreadable",
                    "room": room_id,
                    "error": type(error).__name__,
                },
            )
            return None

    def _handle_joined_state(self, room_id: str, join_info: Any, encrypted_rooms: set[str]) -> None:
        if any(event.source.get("type") == "m.room.encryption" for event in join_info.state):
            encrypted_rooms.add(room_id)
        super()._handle_joined_state(room_id, join_info, encrypted_rooms)

    # --- encryption, mended -----------------------------------------------------------------------

    def _handle_olm_events(self, response: Any) -> None:
        """nio takes a count of 0 one-time keys for "not said", and never fills the pool again."""
        super()._handle_olm_events(response)
        count = response.device_key_count.signed_curve25519
        if count is not None:
            self.olm.uploaded_key_count = count

    def _handle_decrypt_to_device(self, to_device_event: Any) -> Any:
        """nio lets the error of an unknown one-time key out of the sync: a crash loop."""
        try:
            return super()._handle_decrypt_to_device(to_device_event)
        except Exception as error:
            log.warning(
                "a message to this device could not be read",
                extra={
                    "action": "to_device_unreadable",
                    "error": type(error).__name__,
                    "sender": to_device_event.sender,
                },
            )
            if isinstance(to_device_event, OlmEvent):
                self._dead_sessions.add((to_device_event.sender, to_device_event.sender_key))
                self.olm.users_for_key_query.add(to_device_event.sender)
            return None

    def invalidate_outbound_session(self, room_id: str) -> None:
        """nio keeps a key that is just being handed out: who left then could read on."""
        if self.olm:
            self.olm.outbound_group_sessions.pop(room_id, None)

    def mark_all_sessions(self) -> None:
        """Have nio open new sessions in place of all there are."""
        for devices in self.olm.device_store.values():
            for device in devices.values():
                known = self.olm.session_store.get(device.curve25519)
                if known and not device.deleted and device not in self.olm.wedged_devices:
                    self.olm.wedged_devices.append(device)

    def mark_dead_sessions(self) -> None:
        """After a key query: have nio open new sessions in place of unreadable ones."""
        for sender, key in self._dead_sessions:
            self.olm._mark_device_for_unwedging(sender, key)
        self._dead_sessions.clear()


def at(*parts: str) -> str:
    """A path of quoted parts: `at("rooms", "!a:b", "leave")` is `/rooms/%21a%3Ab/leave`."""
    return "".join("/" + quote(part, safe="") for part in parts)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
