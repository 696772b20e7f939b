"""Runs in MicroPython, too."""

from firmware.drivers.a02yyuw import A02yyuw, DistanceFrames
from firmware.drivers.hcsr04 import Hcsr04
from firmware.drivers.median import median
from tests.firmware.fakes.bench_time import BenchTime
from tests.firmware.fakes.fake_pin import FakePin
from tests.firmware.fakes.fake_uart import FakeUart

FLOOR_MM = 2_500
MAKERS_EXAMPLE = b"\xff\x07\xa1\xa7"  # DFRobot wiki SEN0312: 1953 mm


def frame(distance_mm):
    data = bytes((0xFF, distance_mm >> 8, distance_mm & 0xFF))
    return data + bytes((sum(data) & 0xFF,))


def pulse(echoes_us, blind_mm=20, temperature=None):
    """Return a driver whose echoes are these, and its time and trigger."""
    time, trigger, echo = BenchTime(), FakePin(), FakePin()
    coming = list(echoes_us)

    def time_pulse_us(pin, level, timeout_us):
        assert pin is echo
        assert level == 1
        assert trigger.levels[-2:] == [1, 0]
        length_us = coming.pop(0)
        return -1 if length_us > timeout_us else length_us

    driver = Hcsr04(trigger, echo, time_pulse_us, FLOOR_MM, blind_mm, temperature, time.sleep_ms)
    driver.start()
    return driver, time, trigger


def serial(*timed, request=None, answer=None):
    time = BenchTime()
    uart = FakeUart(time, answer)
    for at_ms, data in timed:
        uart.send(at_ms, data)
    return A02yyuw(uart, FLOOR_MM, request=request, sleep_ms=time.sleep_ms), time, uart


def fed(data):
    frames = DistanceFrames()
    return [mm for mm in [frames.feed(byte) for byte in data] if mm >= 0]


def test_median_is_one_of_the_values():
    assert median([5]) == 5
    assert median([9, 1, 5]) == 5
    assert median([4, 1, 3, 2]) == 2


def test_an_echo_of_5_8_ms_is_one_metre_at_20_degrees():
    driver, time, _ = pulse([5_823] * 5)
    (values, took_ms) = time.read(driver)
    assert values == (FLOOR_MM - 1_000,)
    assert took_ms <= 700


def test_one_wrong_echo_does_not_move_the_level():
    driver, time, _ = pulse([5_823, 200, 5_823, 20_000, 5_823])
    assert time.read(driver)[0] == (FLOOR_MM - 1_000,)


def test_cold_air_is_slower():
    warm, time, _ = pulse([5_823] * 5)
    cold, cold_time, _ = pulse([5_823] * 5, temperature=lambda: -1_000)
    # 325.2 instead of 343.4 m/s
    assert time.read(warm)[0][0] - cold_time.read(cold)[0][0] == -53


def test_a_lost_thermometer_counts_as_20_degrees():
    driver, time, _ = pulse([5_823] * 5, temperature=lambda: None)
    assert time.read(driver)[0] == (FLOOR_MM - 1_000,)


def test_without_three_echoes_there_is_no_level():
    driver, time, _ = pulse([-2, -1, 5_823, 38_000, 5_823])
    assert time.read(driver)[0] == (None,)
    driver, time, _ = pulse([1_000] * 5, blind_mm=200)
    assert time.read(driver)[0] == (None,)


def test_an_echo_from_just_below_the_floor_is_an_empty_tank():
    driver, time, _ = pulse([14_700] * 5)  # 2.52 m
    assert time.read(driver)[0] == (0,)
    driver, time, _ = pulse([16_000] * 5)  # 2.75 m
    assert time.read(driver)[0] == (None,)


def test_the_trigger_rests_low_and_ends_low():
    driver, time, trigger = pulse([5_823] * 5)
    assert trigger.levels == [0]
    time.read(driver)
    assert trigger.levels == [0] + [1, 0] * 5


def test_the_makers_example_is_1953_mm():
    assert fed(MAKERS_EXAMPLE) == [1_953]


def test_a_frame_with_a_wrong_sum_is_passed_over_and_the_next_is_found():
    assert fed(b"\xff\x07\xa1\xa8" + frame(1_000)) == [1_000]


def test_a_frame_is_found_behind_one_that_was_cut():
    for cut in range(1, 4):
        assert fed(frame(1_800)[cut:] + frame(1_000)) == [1_000], cut
        assert fed(frame(1_800)[:cut] + frame(1_000)) == [1_000], cut


def test_low_byte_and_sum_may_look_like_a_start():
    assert fed(frame(0x04FF) * 3) == [0x04FF] * 3
    high, low = 0x05, 0xFB  # the sum is FF
    assert frame(high << 8 | low)[3] == 0xFF
    assert fed(frame(high << 8 | low) * 3) == [0x05FB] * 3


def test_a_start_before_the_start_hides_no_frame():
    # FF FF 07 05 has a right sum as well, and would be 65 m
    assert fed(b"\xff" + frame(0x0705)) == [0x0705]


def test_no_byte_belongs_to_two_frames():
    # the sum FF of the first and what follows it would make another
    assert fed(frame(0x05FB) + MAKERS_EXAMPLE[1:]) == [0x05FB]
    assert fed(frame(1_000) + frame(1_000)[1:]) == [1_000]


def test_serial_level_is_the_median_of_three_frames():
    driver, time, _ = serial((100, frame(1_000)), (200, frame(400)), (300, frame(1_004)))
    values, took_ms = time.read(driver)
    assert values == (FLOOR_MM - 1_000,)
    assert took_ms <= 320


def test_what_was_measured_before_it_was_asked_for_does_not_count():
    driver, time, _ = serial((0, frame(300) * 3), (100, frame(1_000) * 3))
    assert time.read(driver)[0] == (FLOOR_MM - 1_000,)


def test_a_silent_or_garbled_line_ends_in_time_without_a_level():
    for timed in ((), [(at_ms, b"\xff\xff\xff\x00\x07") for at_ms in range(10, 1_200, 50)]):
        driver, time, _ = serial(*timed)
        values, took_ms = time.read(driver)
        assert values == (None,)
        assert took_ms <= 1_200


def test_one_frame_in_time_is_better_than_none():
    driver, time, _ = serial((500, frame(1_000)))
    assert time.read(driver)[0] == (FLOOR_MM - 1_000,)


def test_too_near_and_too_far_do_not_count():
    driver, time, _ = serial((100, frame(0) + frame(29) + frame(4_500)))
    assert time.read(driver)[0] == (None,)


def test_a_module_that_waits_to_be_asked_is_asked():
    driver, time, uart = serial(request=0x55, answer=lambda _: [(90, frame(1_000))])
    assert time.read(driver)[0] == (FLOOR_MM - 1_000,)
    assert uart.written == [b"U"] * 3
