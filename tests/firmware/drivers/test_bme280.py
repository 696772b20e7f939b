"""Runs in MicroPython, too."""

from firmware.drivers.bme280 import Bme280
from firmware.drivers.bme280_compensation import Calibration
from tests.firmware.fakes.bench_time import BenchTime
from tests.firmware.fakes.fake_bme280 import FakeBme280, calibration
from tests.firmware.fakes.fake_i2c import FakeI2c

# Bosch BST-BMP280-DS001 revision 1.14, 3.12: the worked example, with its results 25.08 degrees, t_fine
# 128422 and 100653.27 Pa. The BME280 has the same formulas and no example of its own.
T = (27_504, 26_435, -1_000)
P = (36_477, -10_685, 3_024, 2_855, 140, -7, 15_500, -14_600, 6_000)
RAW_T, RAW_P = 519_888, 415_148
FINE = 128_422
# Humidity has no published example: words as parts have them, one with negative H4 and H5.
H = (75, 367, 0, 310, 50, 30)
H_NEGATIVE = (75, 361, 0, -310, -50, -30)
RAW_H = 30_281


def bench(humidity_words=H, number=0x60, address=0x76):
    time = BenchTime()
    part = FakeBme280(time, calibration(T, P, humidity_words), RAW_T, RAW_P, RAW_H, number)
    i2c = FakeI2c(0x76, part)
    driver = Bme280(i2c, address, time.sleep_ms)
    driver.start()
    return driver, i2c, time


def words(humidity_words=H):
    registers = calibration(T, P, humidity_words)
    return Calibration(
        bytes([registers[0x88 + at] for at in range(26)]), bytes([registers[0xE1 + at] for at in range(7)])
    )


def percent_in_floats(raw, fine, h):
    """Source: BST-BME280-DS002 revision 1.6, appendix 8.1, in floating point."""
    h1, h2, h3, h4, h5, h6 = h
    x = fine - 76_800.0
    x = (raw - (h4 * 64.0 + h5 / 16_384.0 * x)) * (
        h2 / 65_536.0 * (1.0 + h6 / 67_108_864.0 * x * (1.0 + h3 / 67_108_864.0 * x))
    )
    x = x * (1.0 - h1 * x / 524_288.0)
    return min(max(x, 0.0), 100.0)


def test_the_words_are_where_the_data_sheet_says():
    for humidity_words in (H, H_NEGATIVE):
        read = words(humidity_words)
        assert (read.t, read.p, read.h) == (T, P, humidity_words)


def test_temperature_and_pressure_of_the_makers_example():
    read = words()
    assert read.fine_temperature(RAW_T) == FINE
    assert (FINE * 5 + 128) >> 8 == 2_508
    # The example is in floats; the formula in integers cuts at several places.
    assert abs(read.pascals_256(RAW_P, FINE) / 256 - 100_653.27) < 0.02


def test_humidity_agrees_with_the_formula_in_floats():
    for humidity_words in (H, H_NEGATIVE):
        for raw in range(0, 65_536, 1_013):
            for fine in (-50_000, 30_000, FINE, 300_000):
                expected = percent_in_floats(raw, fine, humidity_words)
                assert abs(words(humidity_words).percent_1024(raw, fine) / 1024 - expected) < 0.02, raw


def test_a_read_gives_all_three_scaled():
    driver, i2c, time = bench()
    values, took_ms = time.read(driver)
    assert driver.METRICS == (30, 31, 32)
    percent = percent_in_floats(RAW_H, FINE, H)
    assert values == (2_508, int(percent * 10 + 0.5), 10_065)
    assert took_ms == 10
    assert i2c.part.measurements == 1


def test_every_read_measures_anew():
    driver, i2c, time = bench()
    before = time.read(driver)[0]
    i2c.part.temperature += 16 * 1_000
    assert time.read(driver)[0][0] > before[0]
    assert i2c.part.measurements == 2


def test_a_bmp280_has_no_humidity():
    driver, _, time = bench(number=0x58)
    assert time.read(driver)[0] == (2_508, None, 10_065)


def test_another_part_or_none_has_no_values():
    for driver, _, time in (bench(number=0x55), bench(address=0x77)):
        assert time.read(driver) == ((None, None, None), 0)


def test_a_part_that_was_away_is_found_again():
    driver, i2c, time = bench()
    i2c.is_away = True
    assert time.read(driver)[0] == (None, None, None)
    i2c.is_away = False
    i2c.part.lose_power()
    assert time.read(driver)[0][0] == 2_508


def test_a_slow_measurement_is_waited_for():
    driver, i2c, time = bench()
    i2c.part.measurement_ms = 25
    values, took_ms = time.read(driver)
    assert (values[0], values[2], took_ms) == (2_508, 10_065, 30)


def test_a_part_that_never_finishes_is_waited_for_in_vain_but_not_for_ever():
    driver, i2c, time = bench()
    i2c.part.is_stuck = True
    values, took_ms = time.read(driver)
    assert values == (None, None, None)
    assert took_ms <= 60


def test_a_value_that_was_not_measured_is_none():
    driver, i2c, time = bench()
    i2c.part.pressure = 0x80000
    i2c.part.humidity = 0x8000
    assert time.read(driver)[0] == (2_508, None, None)
    i2c.part.temperature = 0x80000
    assert time.read(driver)[0] == (None, None, None)


def test_words_that_were_not_there_yet_are_read_again():
    driver, i2c, time = bench()
    registers, i2c.part._registers = i2c.part._registers, {0xD0: 0x60}
    driver.start()
    i2c.part._registers = registers
    assert time.read(driver)[0][0] == 2_508
