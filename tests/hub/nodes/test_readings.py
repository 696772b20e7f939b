"""Columns of a node become rows, and back to what the node put in."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.nodes.readings import Span, rows_of, span_at, without_wrong_times
from shared_schema.batches import Columns, decode, encode
from shared_schema.enums import LossCause, Quality
from shared_schema.limits import FUTURE_MS, RETENTION_MS
from shared_schema.metrics import KINDS, Kind, Metric

START_MS = 1_800_000_000_000
TELEMETRY = [kind for kind in KINDS if kind.is_telemetry]


def metrics_of(kind: Kind) -> list[Metric]:
    return [field for field in kind.fields if isinstance(field, Metric)]


@st.composite
def batches(draw: st.DrawFn) -> tuple[Kind, list[tuple[int, tuple[int | None, ...], int, int]]]:
    kind = draw(st.sampled_from(TELEMETRY))
    value = st.tuples(
        *(
            st.none() | st.integers(int(m.low * 10**m.decimals), int(m.high * 10**m.decimals))
            for m in metrics_of(kind)
        )
    )
    row = st.tuples(st.integers(START_MS, START_MS + 10**6), value, st.integers(0, 2), st.integers(0, 2))
    return kind, draw(st.lists(row, min_size=1, max_size=8))


@given(batches())
def test_rows_say_what_the_node_measured(batch: Any) -> None:
    kind, rows = batch
    buffer = bytearray(4096)
    columns = decode(bytes(buffer[: encode(kind.id, 5, rows, buffer)]))

    made = rows_of("tank-1", 7, columns)

    assert [row.identity for row in made] == [(7, 5 + at) for at in range(len(rows))]
    for row, (at_ms, values, quality, time_quality) in zip(made, rows, strict=True):
        wanted = tuple(
            None if value is None else value / 10**metric.decimals if metric.decimals else value
            for value, metric in zip(values, metrics_of(kind), strict=True)
        )
        assert row == ("tank-1", kind.name, at_ms, wanted, quality, time_quality, row.identity)


@given(st.lists(st.integers(-10, 120) | st.none(), min_size=1, max_size=9))
def test_what_humidity_cannot_be_is_none_and_bad(percents: list[int | None]) -> None:
    count = len(percents)
    absent: list[int | None] = [None] * count
    humidity = [None if percent is None else percent * 10 for percent in percents]
    columns = Columns(4, 1, list(range(count)), [0] * count, [0] * count, [absent, humidity, *[absent] * 7])

    for row, percent in zip(rows_of("air", 7, columns), percents, strict=True):
        is_possible = percent is not None and 0 <= percent <= 100
        assert row.values[1] == (percent if is_possible else None)
        assert row.quality == (Quality.GOOD if is_possible or percent is None else Quality.BAD)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_every_row_is_kept_or_lost_for_a_reason(times: list[int]) -> None:
    count = len(times)
    columns = Columns(1, 1, times, [0] * count, [0] * count, [[1] * count, *[[None] * count] * 5])
    rows = rows_of("tank-1", 7, columns)

    kept, lost = without_wrong_times(rows, Span(10, 20))

    assert all(10 <= row.recorded_at_ms <= 20 for row in kept)
    gone = [seq for each in lost for seq in range(each.first_seq, each.last_seq + 1)]
    assert sorted([row.identity[1] for row in kept if row.identity] + gone) == list(range(1, count + 1))
    for each in lost:
        of_it = times[each.first_seq - 1 : each.last_seq]
        assert all(at > 20 if each.cause == LossCause.CLOCK else at < 10 for at in of_it)
        assert (each.first_at_ms, each.last_at_ms) == (min(of_it), max(of_it))


def test_the_span_is_what_the_cloud_takes() -> None:
    assert span_at(START_MS) == (START_MS - RETENTION_MS, START_MS + FUTURE_MS)
