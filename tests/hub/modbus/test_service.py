"""The whole bus service on a simulated line."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest

from hub.errors import NeverResend, OperatorNeeded, TryAgain
from hub.modbus.holes import HoleMemory
from hub.modbus.line_io import line_for
from hub.modbus.points import Point
from hub.modbus.profiles_io import load_profile
from hub.modbus.requests import read
from hub.modbus.service import ModbusBusService
from hub.modbus.settings import BreakerSettings, BusSettings, Transmitter
from tests.fakes.event_list import EventList
from tests.hub.modbus.recorder import MonotonicClock, Recorder, until
from tools.sim.bus import SimulatedBus
from tools.sim.slave import SimulatedSlave, from_profile

BAUD = 115_200
QUICK = BreakerSettings(cycles=2, seconds=0.3, first_pause_s=0.1, longest_pause_s=0.4)


class Rig:
    """A service on a bus, and everything it said."""

    def __init__(
        self, bus: SimulatedBus, transmitters: Sequence[Transmitter], memory: HoleMemory | None = None
    ) -> None:
        self.sink, self.events, self.clock = Recorder(), EventList(), MonotonicClock()
        self.saved = 0
        settings = BusSettings("field", port=bus.port, baud=bus.line.baud, parity="none", timeout_s=0.15)
        self.service = ModbusBusService(
            settings,
            transmitters,
            sink=self.sink,
            clock=self.clock,
            events=self.events,
            line=line_for(settings),
            memory=memory,
            remember=self._remember,
            breaker=QUICK,
        )

    def _remember(self) -> None:
        self.saved += 1


@asynccontextmanager
async def running(
    bus: SimulatedBus, transmitters: Sequence[Transmitter], memory: HoleMemory | None = None
) -> AsyncIterator[Rig]:
    """Run a service while the context lasts."""
    rig = Rig(bus, transmitters, memory)
    task = asyncio.create_task(rig.service.run())
    try:
        yield rig
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def slave(unit: int, **settings: object) -> SimulatedSlave:
    """Return a slave with registers that say who they are."""
    return SimulatedSlave(f"s{unit}", unit, holding={n: 1000 * unit + n for n in range(60)}, **settings)  # type: ignore[arg-type]


def transmitter(unit: int, addresses: Sequence[int] = (0, 1, 2), interval_s: float = 0.1) -> Transmitter:
    """Return a transmitter with single registers at addresses."""
    points = tuple(Point(f"m{address}", address=address) for address in addresses)
    return Transmitter(f"d{unit}", unit, interval_s, points, model=f"model-{unit}")


async def test_samples_carry_the_values_in_the_order_of_the_points() -> None:
    names = ["nivus-flow", "eastron-sdm630", "carlo-gavazzi-em340", "xylem-magflux", "hamilton-ph-arc"]
    slaves = [from_profile(name, name, unit) for unit, name in enumerate(names, 1)]
    with SimulatedBus(slaves, BAUD) as bus:
        profiles = [load_profile(name) for name in names]
        devices = [
            Transmitter(p.name, unit, 0.3, p.points, p.limits, p.name) for unit, p in enumerate(profiles, 1)
        ]
        async with running(bus, devices) as rig:
            await until(lambda: all(rig.sink.of(name) for name in names))
            for profile in profiles:
                values = rig.sink.of(profile.name)[0].values
                assert len(values) == len(profile.points)
                assert None not in values
            voltage = rig.sink.of("eastron-sdm630")[0].values[0]
            assert voltage is not None
            assert 100 < voltage < 300
    assert bus.counters.too_soon == 0


async def test_a_sample_is_stamped_when_the_slave_began_to_answer_on_the_hubs_clock() -> None:
    with SimulatedBus([slave(1)], 9600) as bus:
        async with running(bus, [transmitter(1, range(50), 0.5)]) as rig:
            await until(lambda: rig.sink.samples)
            taken_at_s = rig.sink.samples[0].taken_at_s
            reply_s = 105 * 10 / 9600
            asked_s = bus.counters.slave(1).first_poll_s
            assert asked_s is not None
            begun_s = asked_s + 5000.0 + bus.line.gap_s
            assert abs(taken_at_s - begun_s) < reply_s / 2


async def test_several_devices_behind_one_address_share_its_requests() -> None:
    one = Transmitter("one", 1, 0.1, (Point("a", address=0), Point("b", address=4)))
    two = Transmitter("two", 1, 0.1, (Point("c", address=3), Point("d", address=1)))
    with SimulatedBus([slave(1)], BAUD) as bus:
        async with running(bus, [one, two]) as rig:
            await until(lambda: len(rig.sink.of("two")) >= 3)
            assert rig.sink.of("one")[0].values == (1000, 1004)
            assert rig.sink.of("two")[0].values == (1003, 1001)
            sizes = {len(rig.sink.of("one")), len(rig.sink.of("two"))}
            assert max(sizes) - min(sizes) <= 1
            assert bus.counters.requests <= max(sizes) + 3


async def test_a_dead_slave_is_told_once_and_comes_back() -> None:
    with SimulatedBus([slave(1), slave(2)], BAUD) as bus:
        async with running(bus, [transmitter(1), transmitter(2)]) as rig:
            await until(lambda: len(rig.sink.of("d2")) >= 3)
            bus.fault("dead", 2)
            await until(lambda: ("slave_dead", "d2") in rig.events.open)
            seen = len(rig.sink.of("d1"))
            await until(lambda: len(rig.sink.of("d1")) >= seen + 15)
            assert rig.events.codes().count("slave_dead") == 1
            state = next(entry for entry in rig.service.state().slaves if entry.unit == 2)
            assert state.breaker == "open"
            assert state.errors["timeout"] >= 2
            bus.fault("dead", 2, 0)
            before = len(rig.sink.of("d2"))
            await until(lambda: len(rig.sink.of("d2")) > before)
            assert ("slave_dead", "d2") not in rig.events.open


async def test_healthy_slaves_miss_nothing_while_one_is_dead() -> None:
    units = range(1, 6)
    with SimulatedBus([slave(unit) for unit in units], BAUD) as bus:
        bus.fault("dead", 3)
        async with running(bus, [transmitter(unit, interval_s=0.4) for unit in units]) as rig:
            await until(lambda: len(rig.sink.of("d1")) >= 12)
            for entry in rig.service.state().slaves:
                if entry.unit != 3:
                    assert entry.missed == 0


async def test_noise_costs_a_second_try_and_no_wrong_value() -> None:
    with SimulatedBus([slave(1)], BAUD, seed=3) as bus:
        bus.fault("noise", 1, 0.3)
        async with running(bus, [transmitter(1, range(20), 0.05)]) as rig:
            await until(lambda: len(rig.sink.samples) >= 40)
            right = tuple(range(1000, 1020))
            assert all(sample.values == right for sample in rig.sink.samples)
            assert rig.service.state().slaves[0].errors["crc"] > 0


async def test_a_reply_that_comes_too_late_never_becomes_a_value() -> None:
    first = Transmitter("first", 1, 0.1, (Point("a", address=0), Point("b", address=1)))
    second = Transmitter("second", 1, 0.15, (Point("c", address=30), Point("d", address=31)))
    with SimulatedBus([slave(1)], BAUD) as bus:
        async with running(bus, [first, second]) as rig:
            await until(lambda: rig.sink.of("first") and rig.sink.of("second"))
            for _ in range(6):
                bus.fault("slow_ms", 1, 190.0)
                await asyncio.sleep(0.12)
                bus.fault("slow_ms", 1, 0.0)
                await asyncio.sleep(0.25)
            settled = len(rig.sink.samples)
            await until(lambda: len(rig.sink.samples) >= settled + 5)
            assert rig.service.state().slaves[0].errors["timeout"] > 0
            right = {"first": (1000, 1001), "second": (1030, 1031)}
            assert all(sample.values == right[sample.device_key] for sample in rig.sink.samples)


async def test_a_hole_is_found_once_remembered_and_never_asked_again() -> None:
    memory = HoleMemory()
    with SimulatedBus([slave(1, holes=[("holding", 6, 3)])], BAUD) as bus:
        device = transmitter(1, [0, 2, 5, 9, 11])
        async with running(bus, [device], memory) as rig:
            await until(lambda: rig.sink.samples and None not in rig.sink.samples[-1].values)
            assert rig.sink.samples[-1].values == (1000, 1002, 1005, 1009, 1011)
            assert rig.saved >= 1
            refused = bus.counters.slave(1).exceptions
            seen = len(rig.sink.samples)
            await until(lambda: len(rig.sink.samples) >= seen + 5)
            assert bus.counters.slave(1).exceptions == refused
    with SimulatedBus([slave(1, holes=[("holding", 6, 3)])], BAUD) as bus:
        async with running(bus, [device], memory) as rig:
            await until(lambda: len(rig.sink.samples) >= 3)
            assert bus.counters.slave(1).exceptions == 0


async def test_a_point_that_a_slave_does_not_have_is_taken_out_and_told() -> None:
    with SimulatedBus([slave(1, holes=[("holding", 5, 1)])], BAUD) as bus:
        async with running(bus, [transmitter(1, [3, 4, 5, 6])]) as rig:
            await until(lambda: rig.sink.samples and rig.sink.samples[-1].values == (1003, 1004, None, 1006))
            assert ("point_refused:m5", "d1") in rig.events.open
            assert rig.service.state().slaves[0].refused_points == ("m5",)


async def test_a_slave_that_shifts_registers_is_read_in_pieces_from_then_on() -> None:
    contents = {0: 100, 1: 200, 8: 3000, 9: 40_000}
    shifting = SimulatedSlave("s1", 1, holding=contents, holes=[("holding", 4, 2)])
    shifting.registers.shifts = True
    with SimulatedBus([shifting], BAUD) as bus:
        async with running(bus, [transmitter(1, [0, 1, 8, 9])]) as rig:
            await until(lambda: rig.events.open)
            assert rig.events.codes() == ["silent_shift"]
            wrong = len(rig.sink.samples)
            await until(lambda: len(rig.sink.samples) > wrong + 3)
            assert rig.sink.samples[-1].values == (100, 200, 3000, 40_000)
            assert rig.sink.samples[0].values != (100, 200, 3000, 40_000)


async def test_the_port_goes_and_comes_back_under_another_name() -> None:
    with SimulatedBus([slave(1)], BAUD) as bus:
        async with running(bus, [transmitter(1)]) as rig:
            await until(lambda: len(rig.sink.samples) >= 3)
            old = bus.device
            bus.pull()
            await until(lambda: ("bus_down:field", None) in rig.events.open)
            with pytest.raises(TryAgain, match="bus is down"):
                await rig.service.submit(read(1, "holding", 0, 1))
            bus.plug()
            assert bus.device != old
            seen = len(rig.sink.samples)
            await until(lambda: len(rig.sink.samples) > seen)
            assert rig.events.open == {}
            assert rig.service.state().missed > 0


async def test_a_write_is_read_back() -> None:
    with SimulatedBus([slave(1)], BAUD) as bus:
        async with running(bus, [transmitter(1, [40])]) as rig:
            await until(lambda: rig.sink.samples)
            assert await rig.service.write(1, "holding", 40, (77,)) == (77,)
            assert await rig.service.write(1, "holding", 50, (1, 2, 3)) == (1, 2, 3)
            assert await rig.service.write(1, "coil", 3, (1, 0, 1)) == (1, 0, 1)
            await until(lambda: rig.sink.samples[-1].values == (77,))
            assert rig.service.state().commands == 6


async def test_a_write_that_does_not_stick_needs_an_operator() -> None:
    stubborn = slave(1)
    with SimulatedBus([stubborn], BAUD) as bus:
        async with running(bus, [transmitter(1)]) as rig:
            await until(lambda: rig.sink.samples)
            stubborn.registers.written["holding"] = _Forgetful()
            with pytest.raises(OperatorNeeded, match="but it holds"):
                await rig.service.write(1, "holding", 40, (77,))


class _Forgetful(dict[int, int]):
    def update(self, *_: object, **__: object) -> None:
        """Take nothing."""


async def test_a_command_that_is_refused_says_so() -> None:
    with SimulatedBus([slave(1, holes=[("holding", 100, 50)])], BAUD) as bus:
        async with running(bus, [transmitter(1)]) as rig:
            await until(lambda: rig.sink.samples)
            with pytest.raises(NeverResend, match="illegal data address"):
                await rig.service.submit(read(1, "holding", 120, 2))
            with pytest.raises(TryAgain, match="no reply"):
                await rig.service.submit(read(99, "holding", 0, 1))


async def test_commands_do_not_wait_behind_the_polls_of_a_full_bus() -> None:
    units = range(1, 7)
    with SimulatedBus([slave(unit) for unit in units], 38_400) as bus:
        async with running(bus, [transmitter(unit, range(50), 0.1) for unit in units]) as rig:
            await until(lambda: len(rig.sink.samples) >= 6)
            for _ in range(5):
                before = bus.counters.requests
                await rig.service.submit(read(3, "holding", 0, 1))
                # At most the request underway and the one that was sent in the meantime.
                assert bus.counters.requests - before <= 3


async def test_polls_stay_on_the_grid() -> None:
    with SimulatedBus([slave(1)], BAUD) as bus:
        async with running(bus, [transmitter(1, interval_s=0.1)]) as rig:
            await until(lambda: len(rig.sink.samples) >= 25)
            moments = [sample.taken_at_s for sample in rig.sink.samples]
            steps = [(b - a) / 0.1 for a, b in pairwise(moments)]
            # However late single polls are on a busy machine, none shifts those after it.
            whole = (moments[-1] - moments[0]) / 0.1
            assert abs(whole - round(whole)) < 0.5
            assert min(steps) > 0
            assert round(whole) == len(steps) + rig.service.state().missed
