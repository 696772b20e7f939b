"""Runs in MicroPython, too: a slave on the other end of the wire, sound and not."""

import struct

from firmware.drivers.modbus_frames import crc16, request
from firmware.drivers.modbus_points import Point, blocks
from firmware.drivers.modbus_slave import ModbusSlave
from tests.firmware.fakes.bench_time import BenchTime
from tests.firmware.fakes.errors import error_of
from tests.firmware.fakes.fake_pin import FakePin
from tests.firmware.fakes.fake_uart import FakeUart

UNIT = 17
# MODBUS Application Protocol V1.1b3, 6.3: registers 108..110 hold these
REGISTERS = {0x6B: 0x022B, 0x6C: 0x0000, 0x6D: 0x0064}
VOLTAGE = [50, 3, 0x6B, "u16", "AB", 10, 1]
CURRENT = [51, 3, 0x6D, "i16", "AB", 1, 1]


def sealed(body):
    crc = crc16(body, len(body))
    return body + bytes((crc & 0xFF, crc >> 8))


class FakeSlave:
    """Answers requests for holding and input registers as the protocol says."""

    def __init__(self, registers=None, delay_ms=20):
        self.registers = dict(REGISTERS if registers is None else registers)
        self.delay_ms = delay_ms
        self.spoil = []  # what happens to the next answers: functions from answer to answer

    def __call__(self, asked):
        if asked[0] != UNIT or sealed(asked[:-2]) != asked:
            return []
        answer = self._answer(asked)
        if self.spoil:
            answer = self.spoil.pop(0)(answer)
        return [(self.delay_ms, answer)]

    def _answer(self, asked):
        _, function, address, count = struct.unpack(">BBHH", asked[:6])
        if function not in (3, 4):
            return sealed(bytes((UNIT, function | 0x80, 1)))
        if not set(range(address, address + count)) <= set(self.registers):
            return sealed(bytes((UNIT, function | 0x80, 2)))
        words = b"".join([struct.pack(">H", self.registers[at]) for at in range(address, address + count)])
        return sealed(bytes((UNIT, function, len(words))) + words)


def bench(*points, slave=None, direction=None, parity=None):
    time = BenchTime()
    slave = slave or FakeSlave()
    uart = FakeUart(time, slave)
    driver = ModbusSlave(uart, 9_600, UNIT, points, direction, parity, sleep_ms=time.sleep_ms)
    driver.start()
    return driver, time, uart, slave


def point_value(entry, words):
    return Point(entry).value(b"".join([struct.pack(">H", word) for word in words]), 0)


def float_words(value):
    return struct.unpack(">HH", struct.pack(">f", value))


def test_the_sums_of_the_specification():
    # MODBUS over Serial Line V1.02, 6.2.2: address 2, function 7 -> 1241, transmitted 41 12
    assert crc16(b"\x02\x07", 2) == 0x1241
    assert crc16(b"\x02\x07\x41\x12", 4) == 0
    assert request(17, 3, 0x6B, 3) == b"\x11\x03\x00\x6b\x00\x03\x76\x87"


def test_neighbours_are_read_in_one_request_and_scaled():
    driver, time, uart, _ = bench(CURRENT, [52, 3, 0x6C, "u16", "AB", 1, 1], VOLTAGE)
    assert driver.METRICS == (51, 52, 50)
    assert time.read(driver)[0] == (0x64, 0, 0x022B * 10)
    assert uart.written == [b"\x11\x03\x00\x6b\x00\x03\x76\x87"]


def test_holes_and_other_tables_are_asked_for_by_themselves():
    made = blocks([Point(entry) for entry in (VOLTAGE, CURRENT, [54, 4, 0x6C, "u16", "AB", 1, 1])])
    assert [(block.function, block.address, block.count) for block in made] == [
        (3, 0x6B, 1),
        (3, 0x6D, 1),
        (4, 0x6C, 1),
    ]


def test_overlapping_points_share_a_request():
    made = blocks([Point([1, 3, 10, "u32", "ABCD", 1, 1]), Point([2, 3, 11, "u16", "AB", 1, 1])])
    assert [(block.address, block.count, block.places) for block in made] == [(10, 2, [(0, 0), (1, 2)])]


def test_a_block_ends_at_32_registers():
    made = blocks([Point([1, 3, address, "u16", "AB", 1, 1]) for address in range(40)])
    assert [(block.address, block.count) for block in made] == [(0, 32), (32, 8)]


def test_every_type_and_order():
    assert point_value([1, 3, 0, "u16", "BA", 1, 1], (0x3412,)) == 0x1234
    assert point_value([1, 3, 0, "i16", "AB", 1, 1], (0xFFFE,)) == -2
    assert point_value([1, 3, 0, "u32", "ABCD", 1, 1], (0x1234, 0x5678)) == 0x12345678
    assert point_value([1, 3, 0, "u32", "CDAB", 1, 1], (0x5678, 0x1234)) == 0x12345678
    assert point_value([1, 3, 0, "u32", "BADC", 1, 1], (0x3412, 0x7856)) == 0x12345678
    assert point_value([1, 3, 0, "u32", "DCBA", 1, 1], (0x7856, 0x3412)) == 0x12345678
    assert point_value([1, 3, 0, "i32", "ABCD", 1, 1], (0xFFFF, 0xFFFF)) == -1


def test_scaling_rounds_once():
    assert point_value([1, 3, 0, "u16", "AB", 1, 10], (2_305,)) == 231
    assert point_value([1, 3, 0, "i16", "AB", 1, 10], (0x10000 - 2_306,)) == -231


def test_floats_become_integers_without_a_float():
    for value, scaled in ((230.5, 23_050), (-0.25, -25), (0.0, 0), (1e-40, 0), (16_777_215.0, 1_677_721_500)):
        assert point_value([50, 3, 0, "f32", "ABCD", 100, 1], float_words(value)) == scaled, value
    # 123456.7 is 123456.703125 as a single; times 1000 in single precision it would be 123456704
    assert point_value([55, 3, 0, "f32", "ABCD", 1000, 1], float_words(123_456.7)) == 123_456_703


def test_a_float_that_is_no_number_has_no_value():
    for bits in (0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7F7F_FFFF):  # the last is 3.4e38
        assert point_value([50, 3, 0, "f32", "ABCD", 1, 1], (bits >> 16, bits & 0xFFFF)) is None


def test_a_declined_block_is_not_asked_again_and_takes_no_other_with_it():
    driver, time, uart, _ = bench(VOLTAGE, [54, 3, 0x200, "u16", "AB", 1, 1])
    assert time.read(driver)[0] == (0x022B * 10, None)
    assert len(uart.written) == 2
    assert time.now_ms <= 80  # an exception is short, and not waited for as for registers


def test_an_answer_that_is_spoilt_once_is_asked_for_again():
    spoilers = (
        lambda answer: answer[:-1] + bytes((answer[-1] ^ 1,)),
        lambda answer: answer[:4],
        lambda answer: b"",
        lambda answer: sealed(b"\x12" + answer[1:-2]),
        lambda answer: sealed(b"\x11\x04" + answer[2:-2]),
        lambda answer: sealed(b"\x11\x03\x04" + answer[3:-2]),
        lambda answer: b"\x00" + answer,
    )
    for at, spoiler in enumerate(spoilers):
        driver, time, uart, slave = bench(VOLTAGE)
        slave.spoil = [spoiler]
        assert time.read(driver)[0] == (0x022B * 10,), at
        assert len(uart.written) == 2, at


def test_a_silent_slave_costs_two_tries_and_ends_in_time():
    driver, time, uart, slave = bench(VOLTAGE)
    slave.spoil = [lambda _: b""] * 2
    values, took_ms = time.read(driver)
    assert values == (None,)
    assert len(uart.written) == 2
    assert 600 <= took_ms <= 800


def test_a_slave_that_falls_silent_is_not_asked_for_the_rest():
    driver, time, uart, slave = bench(
        VOLTAGE, [54, 3, 0x6D, "u16", "AB", 1, 1], [53, 4, 0x6D, "u16", "AB", 1, 1]
    )
    slave.spoil = [lambda answer: answer] + [lambda _: b""] * 2
    assert time.read(driver)[0] == (0x022B * 10, None, None)
    assert len(uart.written) == 3


def test_parity_is_set_where_it_was_asked_for():
    assert bench(VOLTAGE)[2].settings == []
    assert bench(VOLTAGE, parity=0)[2].settings == [(9_600, 8, 0, 1)]


def test_a_late_answer_is_not_taken_for_the_next_one():
    driver, time, _, slave = bench(VOLTAGE)
    slave.delay_ms = 1_000  # both come when both tries are over
    assert time.read(driver)[0] == (None,)
    slave.delay_ms = 20
    slave.registers[0x6B] = 1
    time.now_ms += 1_000
    assert time.read(driver)[0] == (10,)


def test_a_whole_answer_is_not_waited_for_any_longer():
    driver, time, _, _ = bench(VOLTAGE)
    assert time.read(driver)[1] <= 40


def test_the_driver_of_the_line_is_on_only_while_sending():
    direction = FakePin()
    driver, time, uart, _ = bench(VOLTAGE, direction=direction)
    assert direction.levels == [0]
    time.read(driver)
    assert direction.levels == [0, 1, 0]
    assert uart.flushes == 1


def test_a_point_that_cannot_be_is_refused_with_what_is_wrong():
    for entry, words in (
        ([50, 3, 0, "u16", "AB", 1], "7 entries"),
        ([50, 3, 0, "u8", "AB", 1, 1], "type"),
        ([50, 3, 0, "u32", "AB", 1, 1], "order"),
        ([50, 6, 0, "u16", "AB", 1, 1], "function"),
        ([50, 3, 0, "u16", "AB", 1, 0], "denominator"),
        ([50, 3, 65_535, "u32", "ABCD", 1, 1], "address"),
        ([50, 3, 0, "u16", "AB", 0.1, 1], "numerator"),
    ):
        assert words in error_of(lambda: Point(entry)), entry  # noqa: B023 - called at once
