"""Register maps for tests: drawn at random, and how a slave would fill them."""

import struct

from hypothesis import strategies as st

from hub.modbus.points import Point
from hub.modbus.registers import BIT_TABLES, as_bytes, encode, natural_order
from hub.modbus.requests import READ_TABLES, Request

TYPES = ("u16", "i16", "u32", "i32", "float32", "u64", "float64")


@st.composite
def points(
    draw: st.DrawFn, most: int = 12, span: int = 200, tables: tuple[str, ...] = ("holding",)
) -> list[Point]:
    """Draw points that may touch and overlap."""
    found = []
    for number in range(draw(st.integers(1, most))):
        table = draw(st.sampled_from(tables))
        type_name = "bool" if table in BIT_TABLES else draw(st.sampled_from(TYPES))
        order = "".join(draw(st.permutations(natural_order(type_name)))) if table not in BIT_TABLES else ""
        bit = draw(st.none() | st.integers(0, 15)) if type_name == "u16" else None
        scale = draw(st.sampled_from([1.0, 0.1, 60.0]))
        found.append(Point(f"m{number}", table, draw(st.integers(0, span)), type_name, order, scale, bit=bit))
    return found


class Memory:
    """What a slave holds: a different word at every address, the bits of it in the bit tables."""

    def word(self, address: int) -> int:
        return (address * 40_503 + 12_345) & 0x3FFF  # small exponents: no NaN, no infinity

    def data(self, request: Request) -> bytes:
        addresses = range(request.address, request.address + request.count)
        if READ_TABLES[request.function] in BIT_TABLES:
            bits = sum((self.word(address) & 1) << index for index, address in enumerate(addresses))
            return bits.to_bytes((request.count + 7) // 8, "little")
        return struct.pack(f">{request.count}H", *(self.word(address) for address in addresses))


def filled(points_: list[Point], values: list[float]) -> dict[int, int]:
    """Return registers that hold values at points of unit scale."""
    registers: dict[int, int] = {}
    for point, value in zip(points_, values, strict=True):
        words = encode(value, point.type, point.order)
        registers |= dict(zip(range(point.address, point.end), words, strict=True))
    return registers


def read_from(registers: dict[int, int], request: Request) -> bytes:
    """Return what a slave with these registers answers; others hold 0."""
    addresses = range(request.address, request.address + request.count)
    return as_bytes([registers.get(address, 0) for address in addresses])
