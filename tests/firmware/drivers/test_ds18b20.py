"""Runs in MicroPython, too: two parts on one bus, bit by bit."""

from firmware.drivers.ds18b20 import Ds18b20
from firmware.drivers.onewire import crc8, search
from tests.firmware.fakes import fake_onewire
from tests.firmware.fakes.bench_time import BenchTime
from tests.firmware.fakes.errors import error_of
from tests.firmware.fakes.fake_onewire import FakeDs18b20, FakeOneWire, rom_of

# Application note 27, example: family 02, serial 1CB801 000000 -> A2
NOTE_27 = b"\x02\x1c\xb8\x01\x00\x00\x00\xa2"
TABLE_1 = (  # data sheet, Table 1: temperature and data
    (0x07D0, 12_500),
    (0x0550, 8_500),
    (0x0191, 2_506),
    (0x00A2, 1_013),
    (0x0008, 50),
    (0x0000, 0),
    (0xFFF8, -50),
    (0xFF5E, -1_012),
    (0xFE6F, -2_506),
    (0xFC90, -5_500),
)


def bench(*serials, metrics=(3,), roms=None):
    time = BenchTime()
    bus = FakeOneWire(*[FakeDs18b20(time, serial) for serial in serials])
    driver = Ds18b20(bus, metrics, roms, time.sleep_ms)
    driver.start()
    return driver, bus, time


def hex_of(serial):
    return rom_of(serial).hex()


def two(first_16=0x0191, second_16=0xFF5E):
    driver, bus, time = bench(0x1111, 0x2222, metrics=(3, 30), roms=(hex_of(0x2222), hex_of(0x1111)))
    bus.parts[1].celsius_16, bus.parts[0].celsius_16 = first_16, second_16
    return driver, bus, time


def test_the_sum_of_the_makers_example():
    assert crc8(NOTE_27, 7) == 0xA2
    assert crc8(NOTE_27, 8) == 0
    assert fake_onewire.crc8(NOTE_27[:7]) == 0xA2


def test_search_finds_every_part_always_in_one_order():
    serials = [0x1111, 0x2222, 0x123456, 0xABCDEF012345, 0x1110]
    expected = {rom_of(serial) for serial in serials}
    orders = []
    for turned in (serials, serials[::-1]):
        bus = FakeOneWire(*[FakeDs18b20(BenchTime(), serial) for serial in turned])
        orders.append(search(bus))
    assert set(orders[0]) == expected
    assert orders[0] == orders[1]


def test_search_finds_one_part_and_none():
    assert search(FakeOneWire(FakeDs18b20(BenchTime(), 7))) == [rom_of(7)]
    assert search(FakeOneWire()) == []


def test_search_stops_at_the_most_it_was_asked_for():
    bus = FakeOneWire(*[FakeDs18b20(BenchTime(), serial) for serial in range(1, 7)])
    assert len(search(bus, most=3)) == 3


def test_a_disturbed_search_yields_no_part_that_is_not_there():
    expected = {rom_of(0x1111), rom_of(0x2222)}
    for bit in range(0, 384, 7):
        bus = FakeOneWire(FakeDs18b20(BenchTime(), 0x1111), FakeDs18b20(BenchTime(), 0x2222))
        bus.disturb(bit)
        assert set(search(bus)) == expected, bit


def test_a_line_stuck_low_has_no_parts():
    bus = FakeOneWire()
    bus.is_stuck_low = True
    assert search(bus) == []


def test_two_parts_are_read_each_into_its_metric():
    driver, _, time = two()
    values, took_ms = time.read(driver)
    assert driver.METRICS == (3, 30)
    assert values == (2_506, -1_012)
    assert took_ms == 750


def test_the_temperatures_of_the_data_sheet():
    driver, bus, time = bench(0x1111)
    for raw, centi_c in TABLE_1:
        bus.parts[0].celsius_16 = raw
        assert time.read(driver)[0] == (centi_c,), raw


def test_one_part_is_found_by_itself():
    driver, bus, time = bench(0x1111)
    bus.parts[0].celsius_16 = 0x0190
    assert driver.roms == [rom_of(0x1111)]
    assert time.read(driver)[0] == (2_500,)


def test_another_number_of_parts_than_metrics_is_not_guessed_at():
    driver, _, time = bench(0x1111, 0x2222)
    assert driver.roms == []
    assert time.read(driver)[0] == (None,)


def test_other_families_on_the_bus_are_left_alone():
    time = BenchTime()
    bus = FakeOneWire(FakeDs18b20(time, 1, family=0x10), FakeDs18b20(time, 2))
    driver = Ds18b20(bus, sleep_ms=time.sleep_ms)
    driver.start()
    assert driver.roms == [rom_of(2)]


def test_true_85_degrees_are_believed():
    driver, _, time = two(first_16=0x0550)
    assert time.read(driver)[0] == (8_500, -1_012)


def test_85_degrees_after_a_lost_supply_are_not_believed_and_the_next_read_is_right():
    driver, bus, time = two()
    bus.parts[1].lose_power()
    assert time.read(driver)[0] == (None, -1_012)
    assert time.read(driver)[0] == (2_506, -1_012)


def test_a_supply_that_fails_in_the_conversion_yields_no_value():
    driver, bus, time = two()

    async def brown_out(wait_ms):
        bus.parts[1].lose_power()
        time.now_ms += wait_ms

    driver._sleep_ms = brown_out
    assert time.read(driver)[0] == (None, -1_012)


def test_a_wrong_sum_is_read_again():
    for bit in range(72):
        driver, bus, time = two()
        bus.disturb(bit)
        assert time.read(driver)[0] == (2_506, -1_012), bit


def test_a_part_whose_sum_is_always_wrong_has_no_value():
    driver, bus, time = two()
    bus.disturb(*range(0, 216, 5))
    assert time.read(driver)[0] == (None, -1_012)


def test_a_part_that_is_gone_has_no_value_and_the_other_has():
    driver, bus, time = two()
    del bus.parts[0]
    assert time.read(driver)[0] == (2_506, None)
    bus.parts.clear()
    assert time.read(driver) == ((None, None), 0)


def test_a_line_stuck_low_is_no_temperature_of_0_degrees():
    driver, bus, time = two()
    bus.is_stuck_low = True
    assert time.read(driver)[0] == (None, None)


def test_codes_and_metrics_go_in_pairs():
    assert error_of(lambda: bench(1, metrics=(3, 30), roms=(hex_of(1),))) == "1 codes for 2 metrics"
