import asyncio
from collections.abc import Sequence

import pytest

from hub.pipeline.counter import CounterState
from hub.pipeline.service import PipelineService
from hub.pipeline.settings import DeviceSettings, PointSettings
from hub.ports import Sample
from shared_schema.enums import Quality
from shared_schema.metrics import FLOW, TANK
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_events import FakeEvents
from tests.fakes.fake_sink import FakeSink

TANK_ONE = DeviceSettings("tank-1", TANK, (PointSettings("water_level_cm"), PointSettings("ph")), 10.0)
SLOW_TANK = DeviceSettings("tank-2", TANK, (PointSettings("water_level_cm"),), 10.0, window_s=600.0)
METER = DeviceSettings("meter-1", FLOW, (PointSettings("cumulative_volume_l", wrap=1000.0),), 10.0)


class FakeStore:
    """A CounterStore in memory."""

    def __init__(self) -> None:
        self.states: dict[str, CounterState] = {}
        self.saves = 0

    def load(self) -> dict[str, CounterState]:
        return dict(self.states)

    def save(self, states: dict[str, CounterState]) -> None:
        self.states, self.saves = dict(states), self.saves + 1


class Bench:
    """A pipeline between fakes."""

    def __init__(self, *devices: DeviceSettings, store: FakeStore | None = None) -> None:
        self.clock, self.sink, self.events = FakeClock(), FakeSink(), FakeEvents()
        self.service = PipelineService(devices, self.sink, self.clock, self.events, store)

    async def put(self, key: str, *values: float | None, late_s: float = 0.0) -> None:
        await self.service.put(Sample(key, self.clock.monotonic_s() - late_s, values))

    async def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.service.tick(self.clock.monotonic_s())


async def test_a_reading_is_offered_before_put_returns() -> None:
    bench = Bench(TANK_ONE)
    await bench.put("tank-1", 100.0, 7.0, late_s=0.25)
    assert [row.values[0] for row in bench.sink.offered] == [100.0]
    assert bench.sink.offered[0].recorded_at_ms == bench.clock.wall_ms() - 250


async def test_waits_while_the_outbox_is_full() -> None:
    bench = Bench(TANK_ONE)
    bench.sink.room.clear()
    putting = asyncio.create_task(bench.put("tank-1", 100.0, 7.0))
    await asyncio.sleep(0)
    assert not putting.done()
    bench.sink.room.set()
    await putting
    assert len(bench.sink.offered) == 1


async def test_silence_is_an_event_until_the_device_is_back() -> None:
    bench = Bench(TANK_ONE)
    await bench.put("tank-1", 100.0, 7.0)
    await bench.wait(30.0)
    assert bench.events.active == {}
    await bench.wait(1.0)
    await bench.wait(1.0)
    assert bench.events.active == {("stale_data", "tank-1"): "warning"}
    assert bench.events.raised == ["stale_data"]
    assert [row.quality for row in bench.sink.offered] == [Quality.GOOD, Quality.BAD]
    assert bench.service.state().devices["tank-1"].is_stale
    await bench.put("tank-1", 100.0, 7.0)
    assert bench.events.active == {}


async def test_polls_that_fail_do_not_hide_silence() -> None:
    bench = Bench(TANK_ONE)
    await bench.put("tank-1", 100.0, 7.0)
    for _ in range(4):
        await bench.wait(10.0)
        await bench.put("tank-1", None, None)
    assert ("stale_data", "tank-1") in bench.events.active
    assert bench.service.state().devices["tank-1"].unread == 4


@pytest.mark.parametrize(
    ("key", "late_s", "reason"),
    [
        ("tank-9", 0.0, "unknown_device"),
        ("tank-1", -5.0, "impossible_time"),
        ("tank-1", 7200.0, "impossible_time"),
        ("tank-1", float("nan"), "impossible_time"),
    ],
)
async def test_refuses_samples_that_cannot_be_and_counts_them(key: str, late_s: float, reason: str) -> None:
    bench = Bench(TANK_ONE)
    await bench.put(key, 100.0, 7.0, late_s=late_s)
    assert bench.sink.offered == []
    assert bench.service.state().refused_samples == {reason: 1}
    assert (reason, None) in bench.events.active
    for _ in range(2):
        bench.clock.advance(61.0)
        await bench.service.keep_house(bench.clock.monotonic_s())
    assert (reason, None) not in bench.events.active


async def test_the_state_tells_what_became_of_every_sample() -> None:
    bench = Bench(TANK_ONE, SLOW_TANK)
    await bench.put("tank-1", 100.0, 7.0)
    await bench.put("tank-1", 100.0, 99.0)
    await bench.put("tank-2", 5.0)
    state = bench.service.state()
    assert (state.samples, state.readings, state.suppressed) == (3, 2, 0)
    assert state.devices["tank-1"].rejected == {"ph: above_range": 1}
    assert state.devices["tank-2"].silent_s == 0.0


async def test_what_open_windows_hold_is_handed_over_at_the_end() -> None:
    bench = Bench(SLOW_TANK)
    await bench.put("tank-2", 5.0)
    assert bench.sink.offered == []
    await bench.service.drain()
    assert [row.values[0] for row in bench.sink.offered] == [5.0]


async def test_totals_survive_a_restart() -> None:
    store = FakeStore()
    bench = Bench(METER, store=store)
    await bench.service.restore()
    for raw in (990.0, 40.0, 60.0):
        await bench.put("meter-1", raw)
        bench.clock.advance(10.0)
    await bench.service.drain()
    after = Bench(METER, store=store)
    await after.service.restore()
    await after.put("meter-1", 70.0)
    assert after.sink.offered[0].values[1] == 1070.0


async def test_counters_of_devices_that_are_not_configured_now_are_kept() -> None:
    store = FakeStore()
    store.states = {"meter-9/entries": CounterState(1.0, 2.0, 3.0, 4.0)}
    bench = Bench(METER, store=store)
    await bench.service.restore()
    await bench.put("meter-1", 10.0)
    await bench.service.drain()
    assert set(store.states) == {"meter-9/entries", "meter-1/cumulative_volume_l"}


async def test_counters_are_saved_when_they_wrap_and_otherwise_seldom() -> None:
    store = FakeStore()
    bench = Bench(METER, store=store)

    async def poll(raws: Sequence[float]) -> int:
        before = store.saves
        for raw in raws:
            bench.clock.advance(1.0)
            await bench.put("meter-1", raw)
            await bench.service.keep_house(bench.clock.monotonic_s())
        return store.saves - before

    assert await poll([900.0]) == 1
    assert await poll([910.0, 920.0, 930.0]) == 0
    assert await poll([5.0, 10.0]) == 1
    bench.clock.advance(301.0)
    assert await poll([12.0, 13.0]) == 1


async def test_complains_while_values_are_rejected() -> None:
    bench = Bench(TANK_ONE)
    await bench.put("tank-1", 100.0, 99.0)
    await bench.service.keep_house(bench.clock.monotonic_s())
    assert bench.events.active == {("values_rejected", "tank-1"): "warning"}
    bench.clock.advance(61.0)
    await bench.put("tank-1", 100.0, 7.0)
    await bench.service.keep_house(bench.clock.monotonic_s())
    assert bench.events.active == {}


async def test_tells_of_a_meter_that_was_replaced() -> None:
    bench = Bench(METER)
    for raw in (900.0, 700.0, 710.0):
        await bench.put("meter-1", raw)
        bench.clock.advance(10.0)
    await bench.service.keep_house(bench.clock.monotonic_s())
    assert bench.events.active == {("counter_changed", "meter-1"): "info"}
    assert bench.sink.offered[-1].quality == Quality.GOOD


async def test_runs_until_it_is_cancelled() -> None:
    bench = Bench(SLOW_TANK)
    await bench.put("tank-2", 5.0)
    bench.clock.advance(700.0)
    running = asyncio.create_task(bench.service.run())
    async with asyncio.timeout(5):
        await bench.sink.arrived.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.sink.offered[0].values[0] == 5.0
