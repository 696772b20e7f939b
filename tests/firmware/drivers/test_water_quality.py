"""Runs in MicroPython, too."""

from firmware.drivers.analog import Analog
from firmware.drivers.ph import Ph
from firmware.drivers.tds import Tds, shown_ppm
from tests.firmware.fakes.bench_time import values_of
from tests.firmware.fakes.errors import error_of
from tests.firmware.fakes.fake_adc import CalibratedAdc

IDENTITY = ((0, 0), (1000, 1000))
# An amplifier of gain -3 around 1.5 V, and the ideal electrode of 59.16 mV a pH at 25 degrees (Nernst).
BUFFERS = ((1_500_000, 700), (1_500_000 + 3 * 3 * 59_160, 400))


def tds(microvolts, calibration=IDENTITY, temperature=None):
    return values_of(Tds(Analog(CalibratedAdc(microvolts)), calibration, temperature))


def ph(microvolts, temperature=None, buffers=BUFFERS):
    return values_of(Ph(Analog(CalibratedAdc(microvolts)), buffers, 2_500, temperature))


def test_tds_follows_the_makers_curve():
    for millivolts in range(0, 2_300, 50):
        volts = millivolts / 1000
        expected = (133.42 * volts**3 - 255.86 * volts**2 + 857.39 * volts) / 2
        assert abs(shown_ppm(millivolts * 1000, 2_500) - expected) <= 1, millivolts


def test_warm_water_conducts_better_and_that_is_taken_off():
    # 2 % a degree: 1.2 V at 35 degrees are 1.0 V at 25
    assert shown_ppm(1_200_000, 3_500) == shown_ppm(1_000_000, 2_500)
    assert shown_ppm(800_000, 1_500) == shown_ppm(1_000_000, 2_500)
    assert tds(1_200_000, temperature=lambda: 3_500) == tds(1_000_000)


def test_two_solutions_calibrate_the_probe():
    low, high = shown_ppm(400_000, 2_500), shown_ppm(1_600_000, 2_500)
    calibration = ((low, 84), (high, 1_413))
    assert tds(400_000, calibration) == (84,)
    assert tds(1_600_000, calibration) == (1_413,)


def test_no_tds_without_the_temperature_that_was_promised_or_above_the_probes_range():
    assert tds(1_000_000, temperature=lambda: None) == (None,)
    assert tds(2_300_001) == (None,)


def test_tds_is_never_negative():
    assert tds(1_000, ((10, 0), (690, 707))) == (0,)


def test_both_buffers_give_their_own_ph():
    assert ph(BUFFERS[0][0]) == (700,)
    assert ph(BUFFERS[1][0]) == (400,)


def test_slope_grows_with_the_absolute_temperature():
    # 3 pH above neutral at 5 degrees: 54.20 + 0.99 mV a pH by Nernst, R T ln 10 / F
    slope_uv = 8.314462618 * 278.15 * 2.302585093 / 96_485.33212 * 1_000_000
    at_ph_10 = 1_500_000 - int(3 * 3 * slope_uv)
    assert abs(ph(at_ph_10, lambda: 500)[0] - 1_000) <= 1
    assert abs(ph(at_ph_10)[0] - 1_000) > 10


def test_neutral_needs_no_temperature():
    for centi_c in (100, 2_500, 4_500):
        assert ph(1_500_000, lambda: centi_c) == (700,)  # noqa: B023 - called at once


def test_buffers_of_ph_4_and_9_calibrate_as_well():
    buffers = ((1_000_000, 401), (2_000_000, 918))
    assert [ph(uv, buffers=buffers) for uv in (1_000_000, 2_000_000)] == [(401,), (918,)]


def test_no_ph_from_a_dry_electrode_or_without_its_temperature():
    assert ph(0) == (None,)
    assert ph(3_200_000) == (None,)
    assert ph(1_500_000, lambda: None) == (None,)


def test_buffers_with_one_voltage_are_refused():
    assert "electrode" in error_of(lambda: ph(0, buffers=((5, 400), (5, 700))))
