"""Talks to the cloud as the hub: keeps the token and the directory of devices, and repeats what is worth it.

Owns what one request takes; leaves batches to delivery_service and patience to service.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from hub.errors import PenstockError
from hub.ports import Clock, EventSink
from hub.uplink import directory
from hub.uplink.directory import Directory, Keepsake
from hub.uplink.exchange import Answer, Failure, Request, Transport
from hub.uplink.outcome import STORED, Outcome, Reaction, outcome_of, server_date_ms
from hub.uplink.rows import insert_of
from hub.uplink.token import Token
from shared_schema.metrics import Kind

log = logging.getLogger("penstock.uplink")

ServerTimeSink = Callable[[int, float, float], None]

RENEWAL_PAUSE_S = 60.0  # between attempts to renew a token that still serves
FRESH_S = 30.0  # a directory younger than this is not read again because rows were refused


class Session:
    """One hub's dealings with its cloud.

    file: where the directory is kept, so that a restart does not depend on reading it.
    shut_out: why the hub may do nothing in this cloud, as far as reading the directory has shown.
    on_server_time: told each Date of the cloud as Unix ms in whole seconds, with the monotonic moments of the
    question and of the answer.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        events: EventSink,
        *,
        token: Token,
        known: Directory,
        file: Keepsake | None = None,
        on_server_time: ServerTimeSink | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._events = events
        self._token = token
        self._directory = known
        self._file = file
        self._on_server_time = on_server_time
        self._token_lock = asyncio.Lock()
        self._directory_lock = asyncio.Lock()
        self._directory_read_s: float | None = None
        self.server_offset_ms: int | None = None
        self.shut_out: Outcome | None = None

    @property
    def ids(self) -> Mapping[str, int]:
        """Number by device key, as last read from the cloud or from disk."""
        return self._directory.ids

    async def restore(self) -> None:
        """Take over the directory that was kept on disk."""
        if self._file is None:
            return
        try:
            kept = await self._file.read()
        except PenstockError as error:
            log.warning("starting without the kept directory of devices: %s", error)
            return
        fate = self._directory.read_json(kept) if kept is not None else directory.KEPT
        if fate == directory.DAMAGED:
            log.warning("the kept directory of devices is damaged; it will be read anew")
        elif fate == directory.FOREIGN:
            log.info("cloud.url is another one than before: the directory of devices will be read from there")

    async def open(self) -> Outcome:
        """Make sure that there is a token, and a directory that was read since the start."""
        if self._directory_read_s is None:
            outcome = await self.refresh_directory()
            # Inserting may work where reading does not, and the kept numbers are as good as ever.
            if outcome.reaction is not Reaction.REST or not self.ids:
                return outcome
        return await self._ensure_token()

    async def insert(self, kind: Kind, body: bytes) -> Outcome:
        """Send rows. The outcome is never RENEW."""
        _, outcome = await self._ask(lambda bearer: insert_of(kind, body, bearer))
        return outcome

    async def prove(self) -> Outcome:
        """Ask something cheap that needs the database and the token."""
        _, outcome = await self._ask(directory.probe)
        return outcome

    async def refresh_directory(self) -> Outcome:
        """Read the numbers of all devices this hub may send for."""
        async with self._directory_lock:
            before = dict(self.ids)
            outcome = await self._read_directory()
            if outcome.reaction is Reaction.STORED:
                self._directory_read_s = self._clock.monotonic_s()
                if before != self.ids:
                    await self._keep_directory()
            self.shut_out = outcome if outcome.reaction is Reaction.OPERATOR else None
            return outcome

    async def has_other_devices(self) -> bool:
        """Return whether the directory has changed; reads it unless it is fresh."""
        now_s = self._clock.monotonic_s()
        if self._directory_read_s is not None and now_s - self._directory_read_s < FRESH_S:
            return False
        before = dict(self.ids)
        await self.refresh_directory()
        return before != self.ids

    async def _read_directory(self) -> Outcome:
        step: Outcome | Request
        request_of = self._directory.first_page
        while True:
            came, outcome = await self._ask(request_of)
            if came is None or outcome.reaction is not Reaction.STORED:
                return outcome
            step = self._directory.take(came)
            if isinstance(step, Outcome):
                return step
            request_of = step.with_bearer

    async def _keep_directory(self) -> None:
        if self._file is None:
            return
        try:
            await self._file.replace(self._directory.to_json())
        except PenstockError as error:
            self._events.raise_event("warning", "directory_not_kept", str(error))
        else:
            self._events.clear_event("directory_not_kept")

    async def _ask(self, request_of: Callable[[str], Request]) -> tuple[Answer | Failure | None, Outcome]:
        """Send a request with the token; once more after a broken connection, once more with a new token."""
        outcome = await self._ensure_token()
        if outcome.reaction is not Reaction.STORED:
            return None, outcome
        bearer = self._token.bearer
        came, outcome = await self._send(request_of(bearer))
        if outcome.resend:
            came, outcome = await self._send(request_of(bearer))
        if outcome.reaction is not Reaction.RENEW:
            return came, outcome
        self._token.refuse(bearer)
        renewed = await self._ensure_token()
        if renewed.reaction is not Reaction.STORED:
            return None, renewed
        came, outcome = await self._send(request_of(self._token.bearer))
        if outcome.reaction is Reaction.RENEW:
            self._token.refuse(self._token.bearer)
            reason = (
                f"{outcome.reason}; the cloud does not believe the tokens it issues: check its signing keys"
            )
            outcome = Outcome(Reaction.OPERATOR, outcome.code, reason)
        return came, outcome

    async def _ensure_token(self) -> Outcome:
        async with self._token_lock:
            now_s = self._clock.monotonic_s()
            if not self._token.is_due(now_s):
                return STORED
            if wait_s := self._token.wait_s(now_s):
                reason = "the token was refused again within a minute of its renewal"
                return Outcome(Reaction.AGAIN, "token_refused", reason, after_s=wait_s)
            came, _ = await self._send(self._token.request(now_s))
            outcome = self._token.take(came, self._clock.monotonic_s())
            if self._token.falls_back(outcome):
                log.info("the refresh token was refused, asking with the secret: %s", outcome.reason)
                came, _ = await self._send(self._token.request(self._clock.monotonic_s()))
                outcome = self._token.take(came, self._clock.monotonic_s())
            now_s = self._clock.monotonic_s()
            if outcome.reaction is not Reaction.STORED and self._token.is_usable(now_s):
                self._token.put_off(now_s, RENEWAL_PAUSE_S)
                return STORED
            return outcome

    async def _send(self, request: Request) -> tuple[Answer | Failure, Outcome]:
        came = await self._transport.exchange(request)
        if isinstance(came, Answer) and came.status < 300 and (date_ms := server_date_ms(came)) is not None:
            self._note_server_time(date_ms, came)
        return came, outcome_of(came)

    def _note_server_time(self, date_ms: int, answer: Answer) -> None:
        self.server_offset_ms = date_ms - self._clock.stamp(answer.received_s).recorded_at_ms
        if self._on_server_time is not None:
            self._on_server_time(date_ms, answer.sent_s, answer.received_s)
