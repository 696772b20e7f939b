"""A slave's answers, function by function. References: Application Protocol V1.1b3."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.sim.registers import Registers


def ask(registers, function, start, value):
    return registers.answer(struct.pack(">BHH", function, start, value))


@pytest.fixture
def registers():
    registers = Registers()
    registers.measured["holding"] = {index: 100 + index for index in range(20)}
    registers.measured["input"] = {index: 200 + index for index in range(20)}
    registers.measured["coil"] = {0: 1, 2: 1, 9: 1}
    registers.measured["discrete"] = {1: 1}
    return registers


def words(reply):
    assert reply[1] == len(reply) - 2
    return list(struct.unpack(f">{reply[1] // 2}H", reply[2:]))


def test_reads_holding_and_input_registers_from_their_own_tables(registers):
    assert words(ask(registers, 3, 5, 3)) == [105, 106, 107]
    assert words(ask(registers, 4, 5, 3)) == [205, 206, 207]


def test_reads_bits_packed_from_the_lowest(registers):
    assert ask(registers, 1, 0, 10) == bytes((1, 2, 0b101, 0b10))
    assert ask(registers, 2, 0, 3) == bytes((2, 1, 0b10))


def test_registers_nobody_set_are_zero(registers):
    assert words(ask(registers, 3, 1000, 2)) == [0, 0]


@pytest.mark.parametrize("function", [1, 2, 3, 4])
def test_refuses_counts_beyond_the_specification(registers, function):
    most = 2000 if function < 3 else 125
    assert ask(registers, function, 0, most)[0] == function
    assert ask(registers, function, 0, most + 1) == bytes((function | 0x80, 3))
    assert ask(registers, function, 0, 0) == bytes((function | 0x80, 3))


def test_refuses_addresses_beyond_the_last(registers):
    assert ask(registers, 3, 65_535, 1)[0] == 3
    assert ask(registers, 3, 65_535, 2) == bytes((0x83, 2))


def test_honours_a_smaller_limit_of_the_device():
    assert ask(Registers(max_registers=10), 3, 0, 11) == bytes((0x83, 3))


def test_refuses_a_read_that_touches_a_hole_and_no_other(registers):
    registers.dig("holding", 5, 2)
    assert ask(registers, 3, 4, 2) == bytes((0x83, 2))
    assert ask(registers, 3, 6, 1) == bytes((0x83, 2))
    assert words(ask(registers, 3, 0, 5)) == [100, 101, 102, 103, 104]
    assert words(ask(registers, 3, 7, 1)) == [107]
    assert words(ask(registers, 4, 5, 2)) == [205, 206]


def test_a_shifting_device_leaves_the_hole_out_without_a_word(registers):
    registers.dig("holding", 5, 2)
    registers.shifts = True
    assert words(ask(registers, 3, 4, 4)) == [104, 107, 108, 109]


def test_writes_one_register_and_echoes_it(registers):
    assert ask(registers, 6, 3, 4242) == struct.pack(">BHH", 6, 3, 4242)
    assert words(ask(registers, 3, 3, 1)) == [4242]


def test_writes_one_coil_with_the_two_values_there_are(registers):
    assert ask(registers, 5, 1, 0xFF00) == struct.pack(">BHH", 5, 1, 0xFF00)
    assert ask(registers, 5, 0, 0x0000)[0] == 5
    assert ask(registers, 5, 1, 0x0001) == bytes((0x85, 3))
    assert ask(registers, 1, 0, 3) == bytes((1, 1, 0b110))


def test_writes_many_registers(registers):
    assert registers.answer(struct.pack(">BHHBHH", 16, 2, 2, 4, 7, 8)) == struct.pack(">BHH", 16, 2, 2)
    assert words(ask(registers, 3, 1, 4)) == [101, 7, 8, 104]


def test_writes_many_coils(registers):
    assert registers.answer(struct.pack(">BHHBBB", 15, 0, 10, 2, 0xCD, 0x01)) == struct.pack(
        ">BHH", 15, 0, 10
    )
    assert ask(registers, 1, 0, 10) == bytes((1, 2, 0xCD, 0x01))


def test_refuses_a_write_whose_byte_count_does_not_fit(registers):
    assert registers.answer(struct.pack(">BHHBHH", 16, 2, 2, 3, 7, 8)) == bytes((0x90, 3))


def test_refuses_a_write_into_a_hole_and_changes_nothing(registers):
    registers.dig("holding", 3, 1)
    assert registers.answer(struct.pack(">BHHBHH", 16, 2, 2, 4, 7, 8)) == bytes((0x90, 2))
    assert words(ask(registers, 3, 2, 1)) == [102]


def test_refuses_functions_it_does_not_have(registers):
    assert registers.answer(bytes((7,))) == bytes((0x87, 1))
    assert registers.answer(bytes((43, 14, 1, 0))) == bytes((0xAB, 1))


@given(st.binary(max_size=260), st.booleans())
def test_any_request_gets_an_answer_that_fits_a_frame(pdu, shifts):
    registers = Registers()
    registers.dig("holding", 0, 40)
    registers.shifts = shifts
    reply = registers.answer(pdu)
    assert 2 <= len(reply) <= 253
    if reply[0] & 0x80 and pdu and not pdu[0] & 0x80:
        assert reply[1] in (1, 2, 3)
