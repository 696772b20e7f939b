"""Decoding of whole blocks."""

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from hub.modbus.blocks import BlockDecoder
from hub.modbus.plan import plan
from hub.modbus.points import Point
from hub.modbus.profiles import Limits
from hub.modbus.registers import BIT_TABLES, decode
from hub.modbus.requests import Request, read, serial_cost
from tests.hub.modbus.maps import Memory, points

COST = serial_cost(19_200)
MEMORY = Memory()


def one_by_one(point: Point) -> float:
    """Decode a point from a read of its own, in the plainest way."""
    data = MEMORY.data(read(1, point.table, point.address, point.count))
    if point.table in BIT_TABLES:
        return (data[0] & 1) * point.scale + point.offset
    raw = decode(data, point.type, point.order)
    assert not isinstance(raw, str)
    if point.bit is not None:
        raw = int(raw) >> point.bit & 1
    return raw * point.scale + point.offset


@given(points(tables=("holding", "input", "coil")))
def test_a_block_says_what_single_reads_say(mine: list[Point]) -> None:
    requests = plan(1, mine, COST, Limits())
    values = BlockDecoder(mine, requests).decode([MEMORY.data(request) for request in requests])
    for point, value in zip(mine, values, strict=True):
        assert value is not None
        assert math.isclose(value, one_by_one(point), rel_tol=1e-12, abs_tol=1e-300)


@given(points(most=8), st.data())
def test_what_a_lost_block_held_is_none_and_nothing_else_is(mine: list[Point], data: st.DataObject) -> None:
    requests = plan(1, mine, COST, Limits(max_registers=10))
    lost = data.draw(st.sets(st.sampled_from(range(len(requests)))))
    replies = [None if i in lost else MEMORY.data(request) for i, request in enumerate(requests)]
    values = BlockDecoder(mine, requests).decode(replies)
    for point, value in zip(mine, values, strict=True):
        home = next(
            i
            for i, r in enumerate(requests)
            if r.address <= point.address and point.end <= r.address + r.count
        )
        assert (value is None) == (home in lost)


def test_nan_and_infinity_are_no_values() -> None:
    mine = [
        Point(f"m{n}", address=2 * n, type="float32", scale=scale) for n, scale in enumerate((1, 60, 1, 60))
    ]
    requests = plan(1, mine, COST, Limits())
    data = struct.pack(">4f", math.nan, math.inf, -math.inf, 2.0)
    assert BlockDecoder(mine, requests).decode([data]) == (None, None, None, 120.0)


def test_whole_numbers_stay_whole_and_masks_are_shifted_down() -> None:
    mine = [
        Point("status", address=1, type="u16"),
        Point("mode", address=0, type="u16", mask=0x0F00),
        Point("alarm", address=0, type="u16", bit=15),
        Point("is_on", address=2, type="bool"),
    ]
    requests = plan(1, mine, COST, Limits())
    values = BlockDecoder(mine, requests).decode([struct.pack(">3H", 0x8A00, 77, 9)])
    assert values == (77, 0x0A, 1, 1)
    assert all(isinstance(value, int) for value in values)


def test_a_point_that_was_taken_out_is_none_in_its_place() -> None:
    mine = [Point("a", address=0), Point("b", "none"), Point("c", address=1)]
    requests = (Request(1, 3, 0, 2),)
    assert BlockDecoder(mine, requests).decode([struct.pack(">2H", 5, 6)]) == (5, None, 6)
