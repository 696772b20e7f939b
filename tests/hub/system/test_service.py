import asyncio

import pytest

from hub.system.heartbeat import HeartbeatSettings, Load
from hub.system.service import HeartbeatService
from shared_schema.enums import TimeQuality
from shared_schema.metrics import HEARTBEAT
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_sink import FakeSink


class FakeMachine:
    """Both a Probe and a Thermometer."""

    def __init__(self) -> None:
        self.seen = Load(12.34, 56.78, 90.12)
        self.probed_c: float | None = 40.0
        self.measured_c: float | None = 48.31

    def load(self) -> Load:
        return self.seen

    def temperature_c(self) -> float | None:
        return self.probed_c


class FakeThermometer:
    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    async def temperature_c(self) -> float | None:
        return self._machine.measured_c


def service(
    machine: FakeMachine, sink: FakeSink, clock: FakeClock, interval_s: float = 30.0
) -> HeartbeatService:
    return HeartbeatService(
        HeartbeatSettings("hub-1", interval_s),
        sink,
        clock,
        probe=machine,
        thermometer=FakeThermometer(machine),
        queue_length=lambda: 42,
        network_status=lambda: "on\nline",
    )


async def test_says_how_the_hub_is() -> None:
    clock = FakeClock(monotonic_s=86_400.9)
    row = await service(FakeMachine(), FakeSink(), clock).heartbeat()
    assert (row.device_key, row.kind, row.recorded_at_ms) == ("hub-1", "heartbeat", clock.wall_ms())
    assert dict(zip(HEARTBEAT.field_names, row.values, strict=True)) == {
        "cpu_percent": 12.3,
        "ram_percent": 56.8,
        "storage_percent": 90.1,
        "temperature_c": 48.3,
        "uptime_s": 86_400,
        "queue_length": 42,
        "network_status": "on line",
        **dict.fromkeys(HEARTBEAT.field_names[7:]),
    }


@pytest.mark.parametrize(("probed_c", "celsius"), [(40.0, 40.0), (None, None)])
async def test_falls_back_to_the_sensors(probed_c: float | None, celsius: float | None) -> None:
    machine = FakeMachine()
    machine.measured_c, machine.probed_c = None, probed_c
    row = await service(machine, FakeSink(), FakeClock()).heartbeat()
    assert row.values[3] == celsius


async def test_what_is_not_known_is_none() -> None:
    machine = FakeMachine()
    machine.seen = Load(None, None, None)
    row = await service(machine, FakeSink(), FakeClock(is_known=False)).heartbeat()
    assert row.values[:3] == (None, None, None)
    assert row.time_quality == TimeQuality.PENDING


async def test_beats_at_once_and_then_again() -> None:
    sink, clock = FakeSink(), FakeClock()
    running = asyncio.create_task(service(FakeMachine(), sink, clock, interval_s=0.01).run())
    async with asyncio.timeout(5):
        while len(sink.offered) < 3:
            await sink.arrived.wait()
            sink.arrived.clear()
            clock.advance(0.01)
    running.cancel()
    assert {row.kind for row in sink.offered} == {"heartbeat"}
