"""Runs a fleet: signs its hubs in, lets them make rows for a while, and waits until the cloud has them."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from hub.errors import OperatorNeeded
from hub.uplink.exchange import Transport
from tools.sim_fleet.faults import Faults
from tools.sim_fleet.hub import SimulatedHub, Troubles
from tools.sim_fleet.plan import FleetPlan, Timeline
from tools.sim_fleet.uplink_path import Tally, UplinkPath

STEP_S = 0.05
SHOW_EVERY_S = 0.5
SIGN_IN_AT_ONCE = 40  # so that those who wait for a connection do not wait for long
SIGN_IN_S = 60.0
PATIENCE_S = 30.0  # beyond the longest pause of a hub, without a single row stored
EPOCHS = 2**31


@dataclass(frozen=True, slots=True)
class Moment:
    """How a fleet stands. elapsed_s: real, since the first reading. p95_s: of the batches so far."""

    phase: str
    elapsed_s: float
    hubs_online: int
    rows_made: int
    rows_stored: int
    rows_waiting: int
    rows_rejected: int
    batches: int
    batches_per_s: float
    p95_s: float
    answers_lost: int
    faults: str


Show = Callable[[Moment], None]


class Fleet:
    """secrets: of the hubs, by key, in order. To be run once."""

    def __init__(
        self,
        plan: FleetPlan,
        faults: Faults,
        secrets: Mapping[str, str],
        *,
        transport: Transport,
        url: str,
        now_ms: int,
    ) -> None:
        self.plan = plan
        self.tally = Tally()
        self.troubles = Troubles()
        self._faults = faults
        self._now_ms = now_ms
        self._timeline: Timeline | None = None
        self.hubs = [
            SimulatedHub(
                key, secret, plan, url=url, transport=self._path(number, transport), troubles=self.troubles
            )
            for number, (key, secret) in enumerate(secrets.items())
        ]

    def epoch_of(self, hub: int) -> int:
        """Return the epoch of a hub: another one in every run, as of an outbox that was wiped."""
        return (self._now_ms // 1000 + hub) % EPOCHS

    @property
    def rows_waiting(self) -> int:
        """Rows that were made and that the cloud has neither stored nor refused."""
        return sum(hub.outbox.waiting for hub in self.hubs)

    async def run(self, show: Show, stop: asyncio.Event) -> None:
        """Play the whole plan. stop: ends it early, with what waits left where it is."""
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._sign_in(tasks, show, stop)
            await self._make_rows(show, stop)
            await self._drain(show, stop)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result

    def moment(self, phase: str) -> Moment:
        """Return how it stands."""
        boxes = [hub.outbox for hub in self.hubs]
        elapsed_s = self._elapsed_s()
        return Moment(
            phase,
            max(0.0, elapsed_s),
            sum(hub.is_online for hub in self.hubs),
            sum(box.made for box in boxes),
            sum(box.stored for box in boxes),
            sum(box.waiting for box in boxes),
            sum(box.rejected for box in boxes),
            self.tally.batches,
            self.tally.batches / elapsed_s if elapsed_s > 0 else 0.0,
            self.tally.latencies.percentile_s(0.95),
            self.tally.answers_lost,
            self._faults.names(elapsed_s),
        )

    async def _sign_in(self, tasks: list[asyncio.Task[None]], show: Show, stop: asyncio.Event) -> None:
        for start in range(0, len(self.hubs), SIGN_IN_AT_ONCE):
            group = self.hubs[start : start + SIGN_IN_AT_ONCE]
            tasks += [asyncio.create_task(hub.run()) for hub in group]
            deadline_s = time.monotonic() + SIGN_IN_S
            while not all(hub.is_online for hub in group) and time.monotonic() < deadline_s:
                if await _happens(stop, STEP_S):
                    return
            show(self.moment("signing in"))
            if not any(hub.is_online for hub in self.hubs):
                why = "; ".join(self.troubles.sentences()) or f"no answer within {SIGN_IN_S:g} s"
                raise OperatorNeeded(f"no hub could sign in: {why}")

    async def _make_rows(self, show: Show, stop: asyncio.Event) -> None:
        timeline = self._timeline = Timeline.of(self.plan, time.monotonic(), round(time.time() * 1000))
        for number, hub in enumerate(self.hubs):
            hub.outbox.begin(self.plan.streams_of(number, timeline.start_ms, self.epoch_of(number)))
        due = [(timeline.start_ms, number) for number in range(len(self.hubs))]
        end_s = timeline.began_s + self.plan.seconds
        shown_s = 0.0
        while (now_s := time.monotonic()) < end_s and not stop.is_set():
            now_ms = timeline.at_ms(now_s)
            while due[0][0] <= now_ms:
                number = due[0][1]
                heapq.heapreplace(due, (self.hubs[number].outbox.advance(now_ms), number))
            if now_s - shown_s >= SHOW_EVERY_S:
                shown_s = now_s
                show(self.moment("running"))
            next_s = min(timeline.real_s(due[0][0]), end_s, shown_s + SHOW_EVERY_S)
            await _happens(stop, max(0.0, next_s - time.monotonic()))

    async def _drain(self, show: Show, stop: asyncio.Event) -> None:
        patience_s = self.plan.retry_max_s + PATIENCE_S
        waiting, moved_s, shown_s = self.rows_waiting, time.monotonic(), 0.0
        while waiting and time.monotonic() - moved_s < patience_s and not await _happens(stop, STEP_S):
            if (left := self.rows_waiting) != waiting:
                waiting, moved_s = left, time.monotonic()
            if time.monotonic() - shown_s >= SHOW_EVERY_S:
                shown_s = time.monotonic()
                show(self.moment("emptying"))

    def _elapsed_s(self) -> float:
        """Return real seconds since the first reading; before it -1, when no fault holds."""
        return -1.0 if self._timeline is None else time.monotonic() - self._timeline.began_s

    def _path(self, number: int, transport: Transport) -> UplinkPath:
        return UplinkPath(transport, number, self._faults, self.tally, self._elapsed_s)


async def _happens(event: asyncio.Event, within_s: float) -> bool:
    """Wait for an event, but not for long."""
    waiting: Awaitable[bool] = event.wait()
    with suppress(TimeoutError):
        await asyncio.wait_for(waiting, within_s)
    return event.is_set()
