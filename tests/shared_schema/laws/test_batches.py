from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from shared_schema.batches import MAX_ROWS, decode, encode
from shared_schema.link import LinkError
from shared_schema.metrics import KINDS
from shared_schema.packing import EARLIEST_MS, LATEST_MS, MAX_INTEGER

TELEMETRY = [kind for kind in KINDS if kind.is_telemetry]
ROOM = MAX_ROWS * 100  # more than anything takes: nine metrics and a time of eight bytes each

Row = tuple[int, tuple[int | None, ...], int, int]


@st.composite
def batches(draw: st.DrawFn) -> tuple[int, int, list[Row]]:
    """Rows whose values come from a range of one width, so that every form is drawn often."""
    kind = draw(st.sampled_from(TELEMETRY))
    count = draw(st.integers(1, 12) | st.integers(1, MAX_ROWS))
    reach = draw(st.sampled_from((0, 50, 10_000, 2**30, MAX_INTEGER)))
    value = st.none() | st.integers(-reach, reach)
    shake = draw(st.sampled_from((0, 50, 10_000, 2**30)))
    start, step = draw(st.integers(EARLIEST_MS, LATEST_MS)), draw(st.integers(0, 600_000))
    rows = []
    for number in range(count):
        at_ms = start + step * number + draw(st.integers(-shake, shake))
        values = tuple(draw(value) for _ in kind.fields)
        marks = draw(st.sampled_from(((0, 0), (0, 0), (0, 0), (2, 0), (0, 1), (1, 2))))
        rows.append((min(LATEST_MS, max(EARLIEST_MS, at_ms)), values, *marks))
    return kind.id, draw(st.integers(1, MAX_INTEGER - MAX_ROWS)), rows


@given(batches())
def test_batches_come_back(batch: tuple[int, int, list[Row]]) -> None:
    kind_id, first_seq, rows = batch
    buffer = bytearray(ROOM)
    columns = decode(memoryview(buffer)[: encode(kind_id, first_seq, rows, buffer)])
    assert (columns.kind_id, columns.first_seq) == (kind_id, first_seq)
    assert columns.rows() == rows


@given(batches(), st.integers(0, ROOM), st.integers(0, 255))
def test_a_changed_batch_is_a_batch_or_a_link_error(
    batch: tuple[int, int, list[Row]], position: int, value: int
) -> None:
    buffer = bytearray(ROOM)
    size = encode(*batch, buffer)
    buffer[position % size] = value
    try:
        columns = decode(buffer[:size])
    except LinkError:
        return
    again = bytearray(ROOM)
    assert decode(again[: encode(columns.kind_id, columns.first_seq, columns.rows(), again)]).rows() == (
        columns.rows()
    )


@given(batches(), st.integers(0, 400))
def test_a_small_buffer_is_refused_or_enough(batch: tuple[int, int, list[Row]], room: int) -> None:
    buffer = bytearray(room)
    try:
        size = encode(*batch, buffer)
    except ValueError:
        return
    assert decode(buffer[:size]).rows() == batch[2]


@given(st.binary(max_size=300))
def test_random_bytes_raise_only_a_link_error(data: bytes) -> None:
    with suppress(LinkError):
        decode(data)
