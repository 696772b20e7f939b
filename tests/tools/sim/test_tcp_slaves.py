"""The farm of Modbus TCP slaves: right answers, and an honest count of what was asked."""

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient

from tools.sim.tcp_farm import TcpFarm
from tools.sim.tcp_slaves import POINTS, REGISTERS, TcpConnection, TcpSlave, report

READ = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 0, 2)


class Pipe(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, data):
        self.written += data

    def close(self):
        self.is_closed = True


def connected(slave):
    connection, pipe = TcpConnection(slave), Pipe()
    connection.connection_made(pipe)
    return connection, pipe


def test_pymodbus_reads_the_floats_of_every_slave():
    with TcpFarm(3, processes=2) as farm:
        for number, port in enumerate(farm.ports):
            with ModbusTcpClient("127.0.0.1", port=port, timeout=5) as client:
                words = client.read_holding_registers(0, count=124).registers
                words += client.read_holding_registers(124, count=76).registers
                values = struct.unpack(f">{POINTS}f", struct.pack(f">{REGISTERS}H", *words))
                assert [int(value) for value in values] == [number + 64 * point for point in range(POINTS)]
        seen = farm.report()
    assert seen.requests == (2, 2, 2)
    assert seen.polls == (1, 1, 1)


def test_values_change_every_second_and_stay_within_it():
    slave = TcpSlave(5)
    body = struct.pack(">HH", 0, 2)
    first, same, next_one = (slave.answer(3, body, now_s) for now_s in (10.0, 10.9, 11.0))
    assert first == same != next_one
    assert struct.unpack(">f", next_one[2:])[0] == slave.value(0, 11)


@pytest.mark.parametrize(
    ("function", "body", "reply"),
    [
        (3, struct.pack(">HH", 199, 2), bytes((0x83, 2))),
        (3, struct.pack(">HH", 0, 126), bytes((0x83, 3))),
        (3, struct.pack(">HH", 0, 0), bytes((0x83, 3))),
        (3, b"\0", bytes((0x83, 3))),
        (6, struct.pack(">HH", 0, 1), bytes((0x86, 1))),
    ],
)
def test_refuses_what_it_does_not_have(function, body, reply):
    assert TcpSlave(0).answer(function, body, 1.0) == reply


@given(st.lists(st.integers(1, 20), min_size=1))
def test_any_chunking_gets_the_same_replies(sizes):
    whole, pipe_of_whole = connected(TcpSlave(1))
    pieces, pipe_of_pieces = connected(TcpSlave(1))
    stream, index = READ * 5, 0
    whole.data_received(stream)
    while stream:
        size = sizes[index % len(sizes)]
        pieces.data_received(stream[:size])
        stream, index = stream[size:], index + 1
    assert len(pipe_of_pieces.written) == 5 * 13
    assert [pipe_of_pieces.written[start : start + 9] for start in range(0, 65, 13)] == [
        pipe_of_whole.written[start : start + 9] for start in range(0, 65, 13)
    ]


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_are_answered_or_end_the_connection(chunks):
    connection, pipe = connected(TcpSlave(1))
    for chunk in chunks:
        if not pipe.is_closed:
            connection.data_received(chunk)
    other, good = connected(TcpSlave(1))
    other.data_received(READ)
    assert len(good.written) == 13


def test_a_header_of_another_protocol_ends_the_connection():
    connection, pipe = connected(TcpSlave(1))
    connection.data_received(b"GET / HTTP/1.1\r\n\r\n")
    assert pipe.is_closed
    assert pipe.written == b""


def test_counts_missed_periods_and_the_longest_spacing():
    regular, late = TcpSlave(0), TcpSlave(1)
    for now_s in (1.0, 2.0, 3.0, 4.0):
        regular.answer(3, struct.pack(">HH", 0, 2), now_s)
        regular.answer(3, struct.pack(">HH", 100, 2), now_s + 0.1)
    for now_s in (1.0, 2.2, 5.1):
        late.answer(3, struct.pack(">HH", 0, 2), now_s)
    seen = report([regular, late], 1.0)
    assert (seen["polls"], seen["requests"]) == ([4, 3], [8, 3])
    assert seen["missed"] == 2
    assert seen["spacing_max_s"] == pytest.approx(2.9)
    assert seen["spacing_p50_s"] == pytest.approx(1.0)
