"""Takes samples from acquisition, makes readings and hands them to the outbox.

Nothing waits here: a reading is offered before put() returns, so the pipeline adds nothing to what a power
cut can take, but for windows that are still open.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from hub.pipeline.counter import CounterState, CounterStore
from hub.pipeline.device_pipeline import DevicePipeline
from hub.pipeline.settings import DeviceSettings
from hub.ports import Clock, EventSink, Reading, ReadingSink, Sample

TICK_S = 1.0  # how exactly windows end and silence is noticed
SAVE_COUNTERS_S = 300.0  # a saved counter may be old (counter.py, rule 3), and flash wears
COMPLAIN_EVERY_S = 60.0  # how often rejected values are looked at for the operator
AHEAD_S = 1.0  # a sample from the future by more than this was not taken by our clock
BEHIND_S = 3600.0  # acquisition waits for the outbox, but not for an hour
NOTEWORTHY = frozenset({"restarted", "replaced"})  # what somebody did to the meter; a wrap is everyday
COMPLAINTS = frozenset(
    {"wrong_type", "not_a_number", "below_range", "above_range", "clamped", "wrong_length"}
)


@dataclass(frozen=True, slots=True)
class DeviceState:
    """How one device's samples fare. rejected: "metric: reason" → how often."""

    samples: int
    readings: int
    suppressed: int
    unread: int
    is_stale: bool
    silent_s: float | None
    rejected: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineState:
    """How the pipeline stands: totals, and each device by its key."""

    samples: int
    readings: int
    suppressed: int
    refused_samples: Mapping[str, int]
    devices: Mapping[str, DeviceState]


class PipelineService:
    """The pipelines of all devices behind one SampleSink. counters: where totals survive a restart."""

    def __init__(
        self,
        devices: Iterable[DeviceSettings],
        outbox: ReadingSink,
        clock: Clock,
        events: EventSink,
        counters: CounterStore | None = None,
    ) -> None:
        self._pipelines = {device.device_key: DevicePipeline(device) for device in devices}
        self._outbox = outbox
        self._clock = clock
        self._events = events
        self._store = counters
        self._saved: dict[str, CounterState] = {}
        self._refused: dict[str, int] = {}
        self._refused_before: dict[str, int] = {}
        self._looked_at: dict[str, dict[tuple[str, str], int]] = {}
        self._save_at_s = self._complain_at_s = 0.0

    async def put(self, sample: Sample) -> None:
        """Accept one sample; wait only while the outbox is full."""
        pipeline = self._pipelines.get(sample.device_key)
        if pipeline is None:
            self._refuse(sample, "unknown_device")
            return
        if not -BEHIND_S <= sample.taken_at_s - self._clock.monotonic_s() <= AHEAD_S:
            self._refuse(sample, "impossible_time")
            return
        staleness = pipeline.staleness
        was_stale = staleness.is_stale
        reading = pipeline.accept(sample, self._clock.stamp(sample.taken_at_s))
        if was_stale and not staleness.is_stale:
            self._events.clear_event("stale_data", device_key=sample.device_key)
        if reading is not None:
            await self._outbox.offer((reading,))

    async def restore(self) -> None:
        """Go on from the counters' saved states; called before the first sample."""
        if self._store is None:
            return
        self._saved = await asyncio.to_thread(self._store.load)
        for key, pipeline in self._pipelines.items():
            prefix = key + "/"
            own = {name.removeprefix(prefix): s for name, s in self._saved.items() if name.startswith(prefix)}
            pipeline.restore(own)

    async def run(self) -> None:
        """Close windows, notice silence, save counters; for ever."""
        while True:
            now_s = self._clock.monotonic_s()
            await self.tick(now_s)
            await self.keep_house(now_s)
            await asyncio.sleep(TICK_S)

    async def keep_house(self, now_s: float) -> None:
        """Save counters and complain about values, when it is time."""
        if now_s >= self._save_at_s or self._has_rebased():
            self._save_at_s = now_s + SAVE_COUNTERS_S
            await self.save_counters()
        if now_s >= self._complain_at_s:
            self._complain_at_s = now_s + COMPLAIN_EVERY_S
            self._complain()

    async def tick(self, now_s: float) -> None:
        """Let every device see the time."""
        now = self._clock.stamp(now_s)
        rows: list[Reading] = []
        for key, pipeline in self._pipelines.items():
            was_stale = pipeline.staleness.is_stale
            rows += pipeline.tick(now, now_s)
            if pipeline.staleness.is_stale and not was_stale:
                silent = (
                    f"{key} sent nothing for {pipeline.staleness.stale_after_s:g} s (see its bus and power)"
                )
                self._events.raise_event("warning", "stale_data", silent, device_key=key)
        if rows:
            await self._outbox.offer(rows)

    async def drain(self) -> None:
        """Hand over open windows and save the counters; called once, when acquisition has stopped."""
        now_s = self._clock.monotonic_s()
        rows = [reading for pipeline in self._pipelines.values() for reading in pipeline.cut(now_s)]
        if rows:
            await self._outbox.offer(rows)
        await self.save_counters()

    async def save_counters(self) -> None:
        """Save the counters' states where they changed."""
        states = self._counters()
        if self._store is None or states == self._saved:
            return
        await asyncio.to_thread(self._store.save, states)
        self._saved = states

    def state(self) -> PipelineState:
        """Return how every device fares."""
        now_s = self._clock.monotonic_s()
        tallies = [pipeline.tally for pipeline in self._pipelines.values()]
        return PipelineState(
            samples=sum(tally.samples for tally in tallies),
            readings=sum(tally.readings for tally in tallies),
            suppressed=sum(tally.suppressed for tally in tallies),
            refused_samples=dict(self._refused),
            devices={key: _state_of(pipeline, now_s) for key, pipeline in self._pipelines.items()},
        )

    def _refuse(self, sample: Sample, reason: str) -> None:
        self._refused[reason] = self._refused.get(reason, 0) + 1
        refused = f"a sample of {sample.device_key} was refused: {reason.replace('_', ' ')}"
        self._events.raise_event("error", reason, refused)

    def _counters(self) -> dict[str, CounterState]:
        # Counters of devices that are not configured now are kept: they may come back.
        states = dict(self._saved)
        for key, pipeline in self._pipelines.items():
            states.update({f"{key}/{metric}": state for metric, state in pipeline.counters.items()})
        return states

    def _has_rebased(self) -> bool:
        """Return whether a counter wrapped, restarted or was replaced since the last save."""
        if self._store is None:
            return False
        return any(
            (saved := self._saved.get(f"{key}/{metric}")) is None or saved[:3] != state[:3]
            for key, pipeline in self._pipelines.items()
            for metric, state in pipeline.counters.items()
        )

    def _complain(self) -> None:
        """Tell the operator whose values were rejected lately, who is well again, and what meter changed."""
        for key, pipeline in self._pipelines.items():
            if rejected := self._grown(pipeline, COMPLAINTS):
                self._events.raise_event("warning", "values_rejected", f"{key}: {rejected}", device_key=key)
            else:
                self._events.clear_event("values_rejected", device_key=key)
            if changed := self._grown(pipeline, NOTEWORTHY):
                news = f"{key}: {changed}; its total goes on"
                self._events.raise_event("info", "counter_changed", news, device_key=key)
            self._looked_at[key] = dict(pipeline.tally.rejected)
        for reason, count in self._refused.items():
            if count == self._refused_before.get(reason):
                self._events.clear_event(reason)
            self._refused_before[reason] = count

    def _grown(self, pipeline: DevicePipeline, reasons: Collection[str]) -> str:
        """Return in words which of these reasons were counted since the last look."""
        before = self._looked_at.get(pipeline.settings.device_key, {})
        grown = [
            f"{metric} {reason.replace('_', ' ')}"
            for (metric, reason), count in pipeline.tally.rejected.items()
            if reason in reasons and count > before.get((metric, reason), 0)
        ]
        return ", ".join(grown)


def _state_of(pipeline: DevicePipeline, now_s: float) -> DeviceState:
    tally, heard_at_s = pipeline.tally, pipeline.staleness.heard_at_s
    return DeviceState(
        samples=tally.samples,
        readings=tally.readings,
        suppressed=tally.suppressed,
        unread=tally.unread,
        is_stale=pipeline.staleness.is_stale,
        silent_s=None if heard_at_s is None else now_s - heard_at_s,
        rejected={f"{metric}: {reason}": count for (metric, reason), count in tally.rejected.items()},
    )
