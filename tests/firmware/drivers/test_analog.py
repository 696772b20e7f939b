"""Runs in MicroPython, too."""

from firmware.drivers.analog import Analog
from firmware.drivers.battery import Battery
from firmware.drivers.current_loop import CurrentLoop
from firmware.drivers.line import Line, divided
from tests.firmware.fakes.bench_time import values_of
from tests.firmware.fakes.errors import error_of
from tests.firmware.fakes.fake_adc import CalibratedAdc, FakeAdc

SHUNT_MILLIOHM = 100_000  # 100 ohm: 20 mA are 2 V


def loop(microamps, low=0, high=5_000, metric=1):
    analog = Analog(CalibratedAdc(microamps * 100))
    return CurrentLoop(analog, SHUNT_MILLIOHM, low, high, metric)


def test_division_rounds_to_the_nearest_integer_whatever_the_signs():
    assert [divided(n, 4) for n in (-7, -6, -5, 0, 1, 2, 3)] == [-2, -1, -1, 0, 0, 1, 1]
    assert [divided(n, -4) for n in (7, 6, 5)] == [-2, -1, -1]


def test_a_line_goes_through_its_points_and_beyond():
    line = Line(100, -50, 300, 350)
    assert [line.at(x) for x in (100, 300, 200, 0, 400)] == [-50, 350, 150, -250, 550]
    assert "differ" in error_of(lambda: Line(5, 1, 5, 2))


def test_full_scale_of_read_u16_is_the_reference():
    assert Analog(FakeAdc(65_535)).microvolts() == 3_300_000
    assert Analog(FakeAdc(0), full_scale_uv=2_500_000).microvolts() == 0
    assert Analog(FakeAdc(32_768), full_scale_uv=2_500_000).microvolts() == 1_250_019


def test_calibrated_microvolts_are_preferred():
    assert Analog(CalibratedAdc(1_234_567)).microvolts() == 1_234_567


def test_spikes_of_a_quarter_of_the_conversions_do_not_show():
    assert Analog(FakeAdc(1000, 1002, 65_535, 1000), full_scale_uv=65_535).microvolts() <= 1002


def test_battery_voltage_is_that_before_the_divider():
    battery = Battery(Analog(CalibratedAdc(1_050_000)), upper_ohm=300_000, lower_ohm=100_000)
    assert battery.METRICS == (6,)
    assert values_of(battery) == (420,)


def test_a_flow_node_reports_its_battery_as_its_own_metric():
    assert Battery(Analog(CalibratedAdc(1)), 1, 1, metric=14).METRICS == (14,)


def test_loop_current_becomes_level_by_the_two_ends():
    assert [values_of(loop(ua)) for ua in (4_000, 12_000, 20_000)] == [(0,), (2_500,), (5_000,)]
    assert values_of(loop(20_500)) == (5_156,)


def test_a_level_that_counts_downwards_has_its_ends_the_other_way_round():
    assert values_of(loop(8_000, low=4_000, high=0, metric=21)) == (3_000,)


def test_a_little_below_4_ma_is_an_empty_tank():
    assert values_of(loop(3_850)) == (0,)


def test_an_open_a_shorted_and_a_failing_loop_have_no_value():
    for microamps in (0, 3_600, 21_000, 24_000):
        assert values_of(loop(microamps)) == (None,), microamps
    for microamps in (3_601, 20_999):
        assert values_of(loop(microamps)) != (None,), microamps
