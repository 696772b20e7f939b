"""The uplink: takes what the outbox lends, brings it to the cloud, and knows whether the cloud is there.

Rule 1: a row is given back as stored only after the cloud answered that it is.
Rule 2: alarms go before what is new, and what is new does not wait for what is late: the backlog has requests
        of its own, at a set pace. What was stored before the cloud was (again) reached is backlog.
Rule 3: whether the cloud is there is proven by rows it stored, and when there are none by a question that
        needs the same database, the same token and the same way. Never by a ping.
Rule 4: while it is away nothing is sent but one probe, ever less often.
Rule 5: rows for which the cloud lacks something rest in the outbox and hold up nobody.
"""

import asyncio
import logging
import random
from collections.abc import Callable

from hub.ports import BatchSource, Clock, EventSink
from hub.uplink.backoff import Backoff
from hub.uplink.breaker import Breaker
from hub.uplink.delivery_service import deliver
from hub.uplink.directory import Directory, Keepsake
from hub.uplink.exchange import Transport
from hub.uplink.lacking_service import Lacking
from hub.uplink.outbox_service import PatientOutbox, Sleep
from hub.uplink.outcome import STORED, Outcome, Reaction
from hub.uplink.pace import Pace
from hub.uplink.parcel import Parcel
from hub.uplink.session_service import ServerTimeSink, Session
from hub.uplink.settings import UplinkSettings
from hub.uplink.state import UplinkState
from hub.uplink.token import Token
from shared_schema.enums import Lane

log = logging.getLogger("penstock.uplink")

LINGER_S = 0.2  # rows of another lane end the wait too; this keeps the wrong worker from spinning meanwhile
MANY_REFUSED = 20  # rows of one batch with none stored beside them: more than bad luck
REFUSAL_QUIET_S = 300.0  # refused rows come back a few times; one event covers them all


class UplinkService:
    """Everything between the outbox and the cloud. sleep and chance are for tests."""

    def __init__(
        self,
        source: BatchSource,
        transport: Transport,
        clock: Clock,
        events: EventSink,
        settings: UplinkSettings,
        *,
        directory_file: Keepsake | None = None,
        on_server_time: ServerTimeSink | None = None,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._events = events
        self._settings = settings
        self._sleep = sleep
        self._chance = chance
        now_s = clock.monotonic_s()
        self._outbox = PatientOutbox(source, events, sleep)
        self._session = Session(
            transport,
            clock,
            events,
            token=Token(settings.device_key, settings.device_secret, settings.token_renew_s),
            known=Directory(settings.cloud_url),
            file=directory_file,
            on_server_time=on_server_time,
        )
        self._lacking = Lacking(self._session, self._outbox, clock, events, self._new_backoff, chance=chance)
        self._breaker = Breaker(self._new_backoff(), now_s)
        self._refusals = self._new_backoff()
        self._pace = Pace(settings.backlog_rows_per_s, now_s)
        self._online = asyncio.Event()
        self._tripped = asyncio.Event()
        self._limit = settings.rows_per_request
        self._troubles: set[str] = set()
        self._backlog_busy = 0
        self._back_since_s: float | None = None
        self._refused_at_s: float | None = None
        self._last_success_s: float | None = None
        self._last_error = ""
        self._rows_stored = 0
        self._rows_rejected = 0
        self._retries = 0
        self._outages = 0
        self._backlog_peak = 0
        self._catch_up_s: float | None = None

    def state(self) -> UplinkState:
        """Return how the uplink stands now."""
        traffic = self._transport.traffic()
        return UplinkState(
            is_online=self._online.is_set(),
            requests=traffic.requests,
            bytes_sent=traffic.bytes_sent,
            bytes_received=traffic.bytes_received,
            rows_stored=self._rows_stored,
            rows_rejected=self._rows_rejected,
            retries=self._retries,
            outages=self._outages,
            last_success_s=self._last_success_s,
            last_error=self._last_error,
            backlog_peak=self._backlog_peak,
            catch_up_s=self._catch_up_s,
            server_offset_ms=self._session.server_offset_ms,
        )

    async def run(self) -> None:
        """Work until cancelled."""
        await self._session.restore()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._supervise())
            group.create_task(self._prove_when_idle())
            group.create_task(self._lacking.attend(self._sleep))
            for _ in range(self._settings.live_in_flight):
                group.create_task(self._send_live())
            for _ in range(self._settings.backlog_in_flight):
                group.create_task(self._send_backlog())

    async def _send_live(self) -> None:
        is_awake = False
        while True:
            await self._online.wait()
            batch = await self._outbox.take(self._limit, Lane.ALARM, Lane.LIVE)
            if batch is not None:
                is_awake = False
                await self._handle_calmly(Parcel(batch))
                continue
            await self._wait_for_rows(is_awake)
            is_awake = True

    async def _send_backlog(self) -> None:
        is_awake = False
        while True:
            await self._online.wait()
            if pause_s := self._pace.wait_s(self._clock.monotonic_s()):
                await self._sleep(pause_s)
                continue
            self._backlog_busy += 1
            try:
                is_empty = not await self._send_one_late()
            finally:
                self._backlog_busy -= 1
            if not is_empty:
                is_awake = False
                continue
            self._note_caught_up()
            await self._wait_for_rows(is_awake)
            is_awake = True

    async def _send_one_late(self) -> bool:
        batch = await self._outbox.take(self._limit, Lane.BACKLOG)
        if batch is None:
            return False
        self._pace.spend(len(batch), self._clock.monotonic_s())
        self._note_backlog()
        await self._handle_calmly(Parcel(batch))
        return True

    async def _wait_for_rows(self, is_awake: bool) -> None:
        """Wait. is_awake: the last wait ended with nothing to take."""
        if is_awake:
            await self._sleep(LINGER_S)
        await self._outbox.wait_for_rows()

    async def _handle_calmly(self, parcel: Parcel) -> None:
        """Handle a parcel, and pause after one of which the cloud would have nothing.

        Finding the bad rows one by one is cheap while they are few. When all are, the clock is wrong or the
        schema is, and asking two thousand times a batch why would not mend it.
        """
        await self._handle(parcel)
        if parcel.stored:
            self._refusals.reset()
        elif len(parcel.rejected) >= MANY_REFUSED:
            await self._sleep(self._refusals.next_s(self._chance()))

    async def _handle(self, parcel: Parcel) -> Outcome:
        """Deliver a parcel and tell the outbox. Return STORED unless the cloud is not to be asked further."""
        before = len(parcel.stored), len(parcel.rejected)
        try:
            if not self._lacking.lacks_table(parcel.batch.kind):
                await deliver(parcel, self._session, self._settings.requests_per_refused_batch)
        except asyncio.CancelledError:
            await self._outbox.settle_in_parting(parcel)
            raise
        if parcel.was_too_large:
            self._limit = max(1, len(parcel.batch) // 2)
        trouble = parcel.trouble
        await self._lacking.settle(parcel)
        self._count(parcel, *before)
        if trouble is None or trouble.is_answered:
            if parcel.is_asked:
                self._last_success_s = self._clock.monotonic_s()
            return STORED
        self._lost(trouble)
        return trouble

    def _count(self, parcel: Parcel, stored_before: int, rejected_before: int) -> None:
        self._rows_stored += len(parcel.stored) - stored_before
        rejected = len(parcel.rejected) - rejected_before
        self._rows_rejected += rejected
        now_s = self._clock.monotonic_s()
        if rejected:
            reason = next(reversed(parcel.rejected.values()))
            message = (
                f"the cloud refused {rejected} of {len(parcel.batch)} rows of {parcel.batch.kind}: {reason}"
            )
            self._events.raise_event("warning", "rows_refused", message)
            self._refused_at_s = now_s
        elif self._refused_at_s is not None and now_s - self._refused_at_s > REFUSAL_QUIET_S:
            self._events.clear_event("rows_refused")
            self._refused_at_s = None

    async def _supervise(self) -> None:
        """Probe while the cloud is away."""
        while True:
            if not self._breaker.is_open:
                self._tripped.clear()
                await self._tripped.wait()
            if pause_s := self._breaker.wait_s(self._clock.monotonic_s()):
                await self._sleep(pause_s)
            self._note_backlog()
            await self._probe()

    async def _probe(self) -> None:
        outcome = await self._session.open()
        if outcome.reaction is Reaction.STORED:
            batch = await self._outbox.take(self._limit, Lane.ALARM, Lane.LIVE, Lane.BACKLOG)
            parcel = None if batch is None else Parcel(batch)
            if parcel is not None:
                outcome = await self._handle(parcel)
            if parcel is None or not parcel.is_asked:
                outcome = await self._session.prove()
        if outcome.is_answered:
            await self._came_back()
        else:
            self._trip(outcome)

    def _lost(self, trouble: Outcome) -> None:
        """React to a request that found the cloud unwell. A straggler of a known outage is no news."""
        if not self._breaker.is_open:
            self._outages += 1
            self._trip(trouble)

    def _trip(self, trouble: Outcome) -> None:
        self._breaker.trip(self._clock.monotonic_s(), self._chance(), trouble.after_s)
        self._online.clear()
        self._tripped.set()
        self._retries += 1
        self._last_error = trouble.reason
        self._catch_up_s = self._back_since_s = None
        level = "error" if trouble.reaction is Reaction.OPERATOR else "warning"
        if trouble.code not in self._troubles:
            self._troubles.add(trouble.code)
            self._events.raise_event(level, trouble.code, trouble.reason)

    async def _came_back(self) -> None:
        now_s = self._clock.monotonic_s()
        away_s = self._breaker.close(now_s)
        log.info("the cloud is reached after %.0f s", away_s)
        self._last_success_s = self._back_since_s = now_s
        for code in self._troubles:
            self._events.clear_event(code)
        self._troubles.clear()
        await self._outbox.mark_backlog()
        self._online.set()

    async def _prove_when_idle(self) -> None:
        while True:
            await self._online.wait()
            now_s = self._clock.monotonic_s()
            due_s = (self._last_success_s or now_s) + self._settings.proof_s
            if now_s < due_s:
                await self._sleep(due_s - now_s)
                continue
            outcome = await self._session.prove()
            if outcome.is_answered:
                self._last_success_s = self._clock.monotonic_s()
            else:
                self._lost(outcome)

    def _note_backlog(self) -> None:
        self._backlog_peak = max(self._backlog_peak, self._outbox.rows())

    def _note_caught_up(self) -> None:
        if self._back_since_s is not None and not self._backlog_busy:
            self._catch_up_s = self._clock.monotonic_s() - self._back_since_s
            self._back_since_s = None

    def _new_backoff(self) -> Backoff:
        return Backoff(self._settings.retry_base_s, self._settings.retry_max_s)
