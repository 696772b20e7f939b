"""Runs in MicroPython, too."""

from firmware.drivers.keller_ld import KellerLd
from tests.firmware.fakes.bench_time import BenchTime
from tests.firmware.fakes.fake_i2c import FakeI2c


class FakeKeller:
    """Measures on AC, within 8 ms."""

    def __init__(self, time, pressure, temperature, status=0x40):
        self._time = time
        self._ready_at_ms = None
        self.pressure = pressure
        self.temperature = temperature
        self.status = status
        self.conversion_ms = 8

    def command(self, data):
        if data == b"\xac":
            self._ready_at_ms = self._time.now_ms + self.conversion_ms

    def answer(self):
        is_busy = self._ready_at_ms is None or self._time.now_ms < self._ready_at_ms
        status = self.status | (0x20 if is_busy else 0)
        return bytes((status, self.pressure >> 8, self.pressure & 0xFF)) + bytes(
            (self.temperature >> 8, self.temperature & 0xFF)
        )


def bench(pressure=32_768, temperature=24_384, status=0x40, address=0x40):
    time = BenchTime()
    i2c = FakeI2c(0x40, FakeKeller(time, pressure, temperature, status))
    return KellerLd(i2c, 0, 10_197, (1, 3), address, time.sleep_ms), i2c, time


def test_half_of_the_range_is_half_of_the_level():
    driver, _, time = bench()
    driver.start()
    # (24384 / 16 - 24) * 0.05 - 50 = 25 degrees
    assert time.read(driver) == ((5_099, 2_500), 9)
    assert driver.METRICS == (1, 3)


def test_the_ends_of_the_range():
    assert bench(16_384)[2].read(bench(16_384)[0])[0][0] == 0
    driver, _, time = bench(49_152)
    assert time.read(driver)[0][0] == 10_197


def test_a_slow_conversion_is_waited_for_and_an_endless_one_is_not():
    driver, i2c, time = bench()
    i2c.part.conversion_ms = 20
    assert time.read(driver) == ((5_099, 2_500), 27)
    i2c.part.conversion_ms = 1_000
    assert time.read(driver) == ((None, None), 27)


def test_a_part_that_reports_a_fault_or_is_not_there_has_no_values():
    for status in (0x44, 0x48, 0x50, 0xC0, 0x00):
        driver, _, time = bench(status=status)
        assert time.read(driver)[0] == (None, None), status
    driver, _, time = bench(address=0x41)
    assert time.read(driver)[0] == (None, None)
