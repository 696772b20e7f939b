"""Chunks: what goes in comes out, and damage is noticed."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.outbox.chunk import (
    Columns,
    DamagedChunk,
    Run,
    Runs,
    decode_body,
    decode_runs,
    encode_body,
    encode_runs,
)
from hub.outbox.squeeze import Zstandard

TIMES = st.integers(-(2**61), 2**61)
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000)
FLOATS = st.floats(allow_nan=False) | st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
TEXTS = st.text(max_size=20)
CELLS = st.one_of(st.none(), INTEGERS, FLOATS, TEXTS)


@st.composite
def columns(draw: Any) -> tuple[Columns, list[int | None]]:
    rows = draw(st.integers(1, 30))

    def of(cells: Any) -> Any:
        return draw(st.lists(cells, min_size=rows, max_size=rows))

    kinds = draw(
        st.lists(st.sampled_from((INTEGERS, FLOATS, TEXTS, CELLS, st.none(), st.none() | FLOATS)), max_size=5)
    )
    values = [of(cells) for cells in kinds]
    decimals = [draw(st.none() | st.integers(0, 4)) for _ in values]
    return Columns(of(TIMES), of(st.integers(0, 2)), of(st.integers(0, 3)), values), decimals


@given(columns())
def test_gives_back_the_columns_it_was_given(case: tuple[Columns, list[int | None]]) -> None:
    before, decimals = case
    after = decode_body(encode_body(before, decimals))
    assert list(after.recorded_at_ms) == list(before.recorded_at_ms)
    assert list(after.qualities) == list(before.qualities)
    assert list(after.time_qualities) == list(before.time_qualities)
    assert [list(column) for column in after.values] == [list(column) for column in before.values]
    types = [[type(cell) for cell in column] for column in after.values]
    assert types == [[type(cell) for cell in column] for column in before.values]


@given(
    st.lists(st.builds(Run, st.integers(0, 2**20), st.integers(1, 2**62), st.integers(1, 1000)), min_size=1)
)
def test_gives_back_the_runs_it_was_given(runs: list[Run]) -> None:
    assert list(decode_runs(encode_runs(Runs.of(runs)))) == runs


@pytest.mark.parametrize("odd", [float("inf"), float("-inf"), 1e300, 2.0**70, 0.1 + 0.2])
def test_a_float_that_no_scale_fits_is_kept_exactly(odd: float) -> None:
    body = encode_body(Columns([1, 2], [0, 0], [0, 0], [[1.5, odd]]), [2])
    assert decode_body(body).values == [[1.5, odd]]


def test_not_a_number_is_kept() -> None:
    body = encode_body(Columns([1], [0], [0], [[float("nan")]]), [2])
    (value,) = decode_body(body).values[0]
    assert value != value


@given(columns(), st.data())
def test_any_changed_byte_raises_damaged_chunk(
    case: tuple[Columns, list[int | None]], data: st.DataObject
) -> None:
    body = bytearray(encode_body(*case))
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedChunk):
        decode_body(bytes(body))


def _checksummed(payload: bytes) -> bytes:
    from zlib import crc32  # noqa: PLC0415

    return bytes((1,)) + crc32(payload).to_bytes(4, "little") + payload


@given(st.binary(max_size=60))
@example(b"\xff" * 9 + b"\x7f")
def test_random_bytes_raise_nothing_but_damaged_chunk(noise: bytes) -> None:
    for data in (noise, _checksummed(noise)):
        for decode in (decode_body, decode_runs, Zstandard().restore):
            try:
                decode(data)
            except DamagedChunk:
                continue


@given(st.binary(max_size=2000))
def test_squeezed_bytes_come_back(raw: bytes) -> None:
    zstandard = Zstandard()
    assert zstandard.restore(zstandard.squeeze(raw)) == raw


def test_a_thousand_readings_of_a_site_take_a_few_bytes_each() -> None:
    rows = [(at, device) for device in range(8) for at in range(125)]
    times = [1_800_000_000_000 + 1000 * at + 7 * device % 40 for at, device in rows]
    level = [round(150 + device + at * 0.01 * (-1) ** at, 2) for at, device in rows]
    body = encode_body(Columns(times, [0] * 1000, [0] * 1000, [level]), [2])
    runs = encode_runs(Runs(range(8), range(1, 1001, 125), [125] * 8))
    zstandard = Zstandard()
    assert len(zstandard.squeeze(body)) + len(zstandard.squeeze(runs)) < 4000
