"""Values and registers."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.modbus.registers import CODES, FLOATS, as_bytes, decode, encode, natural_order, size_of

BOUNDS = {
    "u16": (0, 2**16 - 1),
    "i16": (-(2**15), 2**15 - 1),
    "u32": (0, 2**32 - 1),
    "i32": (-(2**31), 2**31 - 1),
}
BOUNDS |= {"u64": (0, 2**64 - 1), "i64": (-(2**63), 2**63 - 1)}


@st.composite
def orders(draw: st.DrawFn, type_name: str) -> str:
    return "".join(draw(st.permutations(natural_order(type_name))))


@given(st.data(), st.sampled_from(sorted(BOUNDS)))
def test_whole_numbers_survive_every_byte_order(data: st.DataObject, type_name: str) -> None:
    order = data.draw(orders(type_name))
    value = data.draw(st.integers(*BOUNDS[type_name]))
    assert decode(as_bytes(encode(value, type_name, order)), type_name, order) == value


@given(st.data(), st.sampled_from(sorted(FLOATS)))
def test_floats_survive_every_byte_order(data: st.DataObject, type_name: str) -> None:
    order = data.draw(orders(type_name))
    value = data.draw(st.floats(allow_nan=False, width=32 if type_name == "float32" else 64))
    assert decode(as_bytes(encode(value, type_name, order)), type_name, order) == value


@pytest.mark.parametrize(
    ("order", "transmitted"),
    [("ABCD", "3f9d70a4"), ("DCBA", "a4709d3f"), ("CDAB", "70a43f9d"), ("BADC", "9d3fa470")],
)
def test_an_order_is_what_is_seen_on_the_wire(order: str, transmitted: str) -> None:
    assert as_bytes(encode(1.23, "float32", order)).hex() == transmitted
    value = decode(bytes.fromhex(transmitted), "float32", order)
    assert isinstance(value, float)
    assert math.isclose(value, 1.23, rel_tol=1e-6)


def test_strings_lose_what_pads_them() -> None:
    assert decode(b"flow 7\0\0", "string") == "flow 7"
    assert decode(b"lfwo7 \0\0", "string", "BA") == "flow 7"
    assert as_bytes(encode("flow", "string", "BA", 3)) == b"lfwo\0\0"


@pytest.mark.parametrize(
    ("value", "type_name"), [(65_536, "u16"), (-1, "u32"), (1.5, "i16"), (1e40, "float32")]
)
def test_refuses_to_encode_what_does_not_fit(value: float, type_name: str) -> None:
    with pytest.raises(ValueError, match=type_name):
        encode(value, type_name)


def test_every_type_is_as_long_as_its_struct_code() -> None:
    assert {name: size_of(name) for name in CODES} == {n: struct.calcsize(c) for n, c in CODES.items()}
