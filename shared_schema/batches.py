"""Readings in batches: rows of one kind with consecutive numbers, column by column.

    u8 kind id | varint first_seq | u8 rows | u8 flags | times | [qualities] | u8 metrics | (u8 id | column) …

flags: bit 0 every quality is good, bit 1 every time is synced. qualities: a byte a row, quality in the low
half, time quality in the high; absent when both flags are set. Metrics that no row has are not sent. Values
are whole numbers, scaled by 10**metric.decimals. The forms of columns and times are in columns.py.
"""

from shared_schema.columns import column, put_column, put_times, require, times
from shared_schema.enums import Quality, TimeQuality
from shared_schema.metrics import telemetry_kind
from shared_schema.packing import MAX_INTEGER, LinkError, Reader, put_varint

MAX_ROWS = 120  # two hours of a row a minute; with nine metrics of a byte each it still fits a frame

ALL_GOOD = 1
ALL_SYNCED = 2

_HEAD_BYTES = 11  # kind, number of the first row, rows, flags
_LAST_FIRST_SEQ = MAX_INTEGER - MAX_ROWS


class Columns:
    """A decoded batch. Row i has the number first_seq + i.

    at_ms, qualities, time_qualities: one a row. columns: for every field of the kind in order, one scaled
    integer or None a row.
    """

    def __init__(
        self,
        kind_id: int,
        first_seq: int,
        at_ms: list[int],
        qualities: list[int],
        time_qualities: list[int],
        columns: list[list[int | None]],
    ) -> None:
        self.kind_id = kind_id
        self.first_seq = first_seq
        self.at_ms = at_ms
        self.qualities = qualities
        self.time_qualities = time_qualities
        self.columns = columns

    def rows(self) -> list[tuple[int, tuple[int | None, ...], int, int]]:
        """Return the rows as encode takes them."""
        return list(zip(self.at_ms, zip(*self.columns), self.qualities, self.time_qualities))  # noqa: B905


def encode(
    kind_id: int,
    first_seq: int,
    rows: list[tuple[int, tuple[int | None, ...], int, int]],
    buffer: bytearray | memoryview,
) -> int:
    """Write a READINGS payload into buffer and return its length.

    rows: 1 to MAX_ROWS of (recorded_at in Unix ms, values, quality, time quality); values has a scaled
    integer or None for every field of the kind, in order.

    Raises ValueError when the rows do not fit buffer (try half of them), or hold what cannot be sent.
    """
    kind = telemetry_kind(kind_id)
    if kind is None or not 1 <= len(rows) <= MAX_ROWS or not 1 <= first_seq <= _LAST_FIRST_SEQ:
        raise ValueError("%d rows of kind %d from number %d" % (len(rows), kind_id, first_seq))
    require(buffer, _HEAD_BYTES)
    buffer[0] = kind_id
    at = put_varint(buffer, 1, first_seq)
    flags = _flags_of(rows)
    buffer[at] = len(rows)
    buffer[at + 1] = flags
    at = put_times(rows, buffer, at + 2)
    if flags != ALL_GOOD | ALL_SYNCED:
        at = _put_qualities(rows, buffer, at)
    return _put_metrics(kind.metric_ids, rows, buffer, at)


def decode(payload: bytes | bytearray | memoryview) -> Columns:
    """Read a READINGS payload. Raises LinkError for everything that encode does not write."""
    reader = Reader(payload)
    kind_id = reader.u8()
    kind = telemetry_kind(kind_id)
    if kind is None:
        raise LinkError("unknown kind")
    first_seq, count, flags = reader.varint(_LAST_FIRST_SEQ), reader.u8(MAX_ROWS), reader.u8(3)
    if not first_seq or not count:
        raise LinkError("no rows")
    at_ms = times(reader, count)
    qualities = time_qualities = [0] * count
    if flags != ALL_GOOD | ALL_SYNCED:
        marks = _marks(reader, count)
        qualities, time_qualities = [mark & 0x0F for mark in marks], [mark >> 4 for mark in marks]
    columns = _columns(reader, kind.metric_ids, count)
    reader.end()
    return Columns(kind_id, first_seq, at_ms, qualities, time_qualities, columns)


def _flags_of(rows: list[tuple[int, tuple[int | None, ...], int, int]]) -> int:
    flags = ALL_GOOD | ALL_SYNCED
    for _, _, quality, time_quality in rows:
        if not 0 <= quality <= Quality.BAD or not 0 <= time_quality <= TimeQuality.ESTIMATED:
            raise ValueError("quality %d, time quality %d" % (quality, time_quality))
        if quality != Quality.GOOD:
            flags &= ~ALL_GOOD
        if time_quality != TimeQuality.SYNCED:
            flags &= ~ALL_SYNCED
    return flags


def _put_qualities(
    rows: list[tuple[int, tuple[int | None, ...], int, int]], buffer: bytearray | memoryview, at: int
) -> int:
    require(buffer, at + len(rows))
    for _, _, quality, time_quality in rows:
        buffer[at] = quality | time_quality << 4
        at += 1
    return at


def _put_metrics(
    metrics: tuple[int, ...],
    rows: list[tuple[int, tuple[int | None, ...], int, int]],
    buffer: bytearray | memoryview,
    at: int,
) -> int:
    require(buffer, at + 1)
    present_at, present = at, 0
    at += 1
    for index in range(len(metrics)):
        end = put_column(metrics[index], rows, index, buffer, at)
        present += end > at
        at = end
    buffer[present_at] = present
    return at


def _marks(reader: Reader, count: int) -> memoryview:
    marks = reader.take(count)
    for mark in marks:
        if mark & 0x0F > Quality.BAD or mark >> 4 > TimeQuality.ESTIMATED:
            raise LinkError("unknown quality")
    return marks


def _columns(reader: Reader, metrics: tuple[int, ...], count: int) -> list[list[int | None]]:
    absent: list[int | None] = [None] * count
    columns = [absent] * len(metrics)
    for _ in range(reader.u8(len(metrics))):
        metric = reader.u8()
        if metric not in metrics or columns[metrics.index(metric)] is not absent:
            raise LinkError("unknown metric, or twice the same")
        columns[metrics.index(metric)] = column(reader, count)
    return columns
