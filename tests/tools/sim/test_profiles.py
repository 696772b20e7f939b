"""What values look like in registers, checked against struct and the hub's own reading of profiles."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.modbus.profiles_io import load_profile, profile_names
from hub.modbus.registers import as_bytes, decode
from tools.sim import profiles
from tools.sim.profiles import Point


def registers_of(data):
    return list(struct.unpack(f">{len(data) // 2}H", data))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("ABCD", [0x4148, 0xF5C3]),
        ("CDAB", [0xF5C3, 0x4148]),
        ("BADC", [0x4841, 0xC3F5]),
        ("DCBA", [0xC3F5, 0x4841]),
    ],
)
def test_lays_a_float_in_every_order(order, expected):
    assert Point("x", "holding", 0, "float32", order).words(12.56) == expected


@pytest.mark.parametrize(
    ("type_name", "form", "value"),
    [
        ("u16", "H", 65_535),
        ("i16", "h", -2),
        ("u32", "I", 4_000_000_000),
        ("i32", "i", -70_000),
        ("u64", "Q", 2**60),
        ("i64", "q", -(2**40)),
        ("float32", "f", 1.5),
        ("float64", "d", -2.25),
    ],
)
def test_lays_every_type_big_endian_without_an_order(type_name, form, value):
    assert Point("x", "input", 0, type_name).words(value) == registers_of(struct.pack(">" + form, value))


def test_undoes_scale_and_offset():
    assert Point("x", "input", 0, "i16", scale=0.1, offset=-40).words(21.5) == [615]


def test_keeps_what_is_too_large_at_the_type_s_bound():
    assert Point("x", "input", 0, "u16").words(70_000) == [65_535]
    assert Point("x", "input", 0, "u16").words(-1) == [0]


def test_a_counter_starts_over_at_its_wrap():
    point = Point("energy_kwh", "input", 0, "u32", scale=0.1, wrap=1000)
    assert point.words(99.9) == [0, 999]
    assert point.words(100.05) == [0, 0]
    assert point.words(250.0) == [0, 500]


def test_parts_share_a_register():
    high = Point("x", "holding", 0, "u16", mask=0x0F00)
    bit = Point("y", "holding", 0, "u16", bit=3)
    assert bit.words(1, high.words(5, [0xF0F0])) == [0xF5F8]


def test_a_part_of_two_swapped_words_is_put_where_it_belongs():
    point = Point("x", "holding", 0, "u32", order="CDAB", mask=0x00FF_0000)
    assert point.words(0x12, [0x0001, 0x0000]) == [0x0001, 0x0012]


def test_bits_are_one_or_zero():
    assert Point("x", "coil", 0, "bool").words(17.0) == [1]
    assert Point("x", "discrete", 0, "bool").words(0.0) == [0]


def test_text_is_padded_and_cut():
    assert Point("x", "holding", 0, "string", length=3).words("pump") == [0x7075, 0x6D70, 0]
    assert Point("x", "holding", 0, "string", length=1).words("pump") == [0x7075]


orders = {2: ("AB", "BA"), 4: ("ABCD", "CDAB", "BADC", "DCBA"), 8: ("ABCDEFGH", "GHEFCDAB", "HGFEDCBA")}
widths = {"u16": 2, "i16": 2, "u32": 4, "i32": 4, "u64": 8, "i64": 8, "float32": 4, "float64": 8}


@given(st.sampled_from(sorted(widths)), st.integers(0, 3), st.integers(0, 2**15 - 1))
def test_the_hub_decodes_what_the_slave_encodes(type_name, choice, value):
    choices = orders[widths[type_name]]
    order = choices[choice % len(choices)]
    words = Point("x", "holding", 0, type_name, order).words(value)
    assert decode(as_bytes(words), type_name, order) == value


@pytest.mark.parametrize("name", profile_names())
def test_both_sides_read_the_same_profile(name):
    ours, theirs = profiles.load(name), load_profile(name)
    assert ours.kind == theirs.kind
    assert (ours.max_registers, ours.max_bits) == (theirs.limits.max_registers, theirs.limits.max_bits)
    assert ours.rest_s == theirs.limits.turnaround_s
    assert [(p.metric, p.table, p.address, p.count, p.block) for p in ours.points] == [
        (p.metric, p.table, p.address, p.count, p.block) for p in theirs.points
    ]


def test_an_unknown_profile_names_those_there_are():
    with pytest.raises(ConfigError, match="keller-level"):
        profiles.load("no-such-profile")


@pytest.mark.parametrize(
    "text",
    ["not toml [", 'kind = "flow"\npoint = [{metric = "x"}]', 'kind = "no-kind"', "title = 3"],
)
def test_a_broken_profile_is_a_sentence(tmp_path, text):
    path = tmp_path / "broken.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        profiles.load(str(path))
