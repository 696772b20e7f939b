"""Runs in MicroPython, too."""

from firmware.drivers.pulse_counters import IrqCounter
from firmware.drivers.pulse_flow import PulseFlow
from tests.firmware.fakes.bench_time import BenchTime, values_of
from tests.firmware.fakes.errors import error_of
from tests.firmware.fakes.fake_pin import FakePin
from tests.firmware.fakes.heap import without_heap

HALL = 450_000  # 450 pulses a litre
REED = 100  # a pulse every 10 litres


class FakeCounter:
    def __init__(self, pulses=0):
        self.pulses = pulses

    def value(self):
        return self.pulses


def bench(constant=HALL, counted=0, total_pulses=0):
    time, counter = BenchTime(), FakeCounter(counted)
    flow = PulseFlow(counter, constant, lambda: time.now_ms, total_pulses)
    flow.start()
    return flow, counter, time


def test_flow_is_the_mean_since_the_last_read():
    flow, counter, time = bench()
    assert values_of(flow) == (None, 0)
    counter.pulses += 450 * 2
    time.now_ms += 60_000
    assert values_of(flow) == (2_000, 20)
    time.now_ms += 60_000
    assert values_of(flow) == (0, 20)


def test_what_was_counted_before_the_start_belongs_to_nobody():
    flow, _, _ = bench(counted=1_000)
    assert values_of(flow)[1] == 0


def test_a_slow_meter_counts_tens_of_litres():
    flow, counter, time = bench(REED)
    values_of(flow)
    counter.pulses += 3
    time.now_ms += 600_000
    assert values_of(flow) == (3_000, 300)


def test_the_total_goes_on_where_the_caller_kept_it():
    flow, counter, _ = bench()
    counter.pulses += 449
    values_of(flow)
    woken, counter, _ = bench(total_pulses=flow.total_pulses)
    counter.pulses += 1
    assert values_of(woken)[1] == 10
    assert woken.total_pulses == 450


def test_a_counter_that_wraps_loses_nothing():
    flow, counter, _ = bench(counted=0xFFFF_FFFE)
    counter.pulses = 448
    assert values_of(flow)[1] == 10


def test_a_counter_of_an_esp32_may_be_negative_by_direction():
    flow, counter, _ = bench(counted=-10)
    counter.pulses = 440
    assert values_of(flow)[1] == 10


def test_two_reads_at_one_moment_have_no_flow():
    flow, _, _ = bench()
    values_of(flow)
    assert values_of(flow) == (None, 0)


def test_large_totals_stay_exact():
    flow, _, _ = bench(total_pulses=450 * 123_456_789_012)
    assert values_of(flow)[1] == 1_234_567_890_120


def test_a_meter_without_a_constant_is_refused():
    assert "pulses_per_1000_l" in error_of(lambda: bench(constant=0))


def test_interrupts_count_edges():
    pin = FakePin()
    counter = IrqCounter(pin, trigger=1, is_hard=True)
    for _ in range(5):
        pin.edge()
    assert counter.value() == 5
    assert pin.is_hard


def test_an_interrupt_allocates_nothing():
    pin = FakePin()
    counter = IrqCounter(pin, trigger=1)
    handler = pin.handler
    without_heap(handler, pin)
    assert counter.value() == 1
