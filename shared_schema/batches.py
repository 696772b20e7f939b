"""Readings in batches: rows of one kind with consecutive numbers, column by column.

    u8 kind id | varint first_seq | u8 rows | u8 flags | times | [qualities] | u8 metrics | (u8 id | column) …

flags: bit 0 every quality is good, bit 1 every time is synced. qualities: a byte a row, quality in the low
half, time quality in the high; absent when both flags are set. Metrics that no row has are not sent. Values
are whole numbers, scaled by 10**metric.decimals; what varies slowly costs one byte a value.

    column = u8 form | [nulls: a bit a row, lowest first, 1 = null] | zigzag varint first | differences
    form:    bit 7 there are nulls, and what follows is only of the others
             low bits 0 all are the same, 1 i8, 2 i16, 3 i32 differences, little-endian
             4 no first and no differences, but every value as i64
    times  = u8 form | u48be first | zigzag varint step | differences less the step
             4 no step and no differences, but every later time as i64

A step makes a steady clock cost nothing, and one that shakes by some ms a byte a row. Fixed widths, so that
one struct.unpack reads a column, and a board writes without making objects.
"""

import struct

from shared_schema.enums import Quality, TimeQuality
from shared_schema.metrics import KINDS, Metric
from shared_schema.packing import (
    EARLIEST_MS,
    LATEST_MS,
    MAX_INTEGER,
    LinkError,
    Reader,
    put_varint,
    unzigzag,
    zigzag,
)

MAX_ROWS = 120  # two hours of a row a minute; with nine metrics of a byte each it still fits a frame

ALL_GOOD = 1
ALL_SYNCED = 2

_SAME = 0
_I8 = 1
_I16 = 2
_I32 = 3
_WHOLE = 4
_NULLS = 0x80
_ABSENT = -1
_WIDTHS = (0, 1, 2, 4, 8)  # bytes a difference, by form
_CODES = ("", "<b", "<h", "<i", "<q")
_LOW_BITS = 0x07

_HEAD_BYTES = 11  # kind, number of the first row, rows, flags
_TIMES_BYTES = 15  # form, first, step
_COLUMN_BYTES = 25  # id, form, nulls of 120 rows, first value
_LAST_FIRST_SEQ = MAX_INTEGER - MAX_ROWS

# of each kind that can be sent, by its id: the ids of its metrics, in the order of its fields
_METRICS = {
    kind.id: tuple([field.id for field in kind.fields if isinstance(field, Metric)])
    for kind in KINDS
    if kind.is_telemetry
}


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
    metrics = _METRICS.get(kind_id)
    if metrics is None or not 1 <= len(rows) <= MAX_ROWS or not 1 <= first_seq <= _LAST_FIRST_SEQ:
        raise ValueError("%d rows of kind %d from number %d" % (len(rows), kind_id, first_seq))
    _require(buffer, _HEAD_BYTES)
    buffer[0] = kind_id
    at = put_varint(buffer, 1, first_seq)
    flags = _flags_of(rows)
    buffer[at] = len(rows)
    buffer[at + 1] = flags
    at = _put_times(rows, buffer, at + 2)
    if flags != ALL_GOOD | ALL_SYNCED:
        at = _put_qualities(rows, buffer, at)
    return _put_metrics(metrics, rows, buffer, at)


def decode(payload: bytes | bytearray | memoryview) -> Columns:
    """Read a READINGS payload. Raises LinkError for everything that encode does not write."""
    reader = Reader(payload)
    kind_id = reader.u8()
    metrics = _METRICS.get(kind_id)
    if metrics is None:
        raise LinkError("unknown kind")
    first_seq, count, flags = reader.varint(_LAST_FIRST_SEQ), reader.u8(MAX_ROWS), reader.u8(3)
    if not first_seq or not count:
        raise LinkError("no rows")
    at_ms = _times(reader, count)
    marks = bytes(count) if flags == ALL_GOOD | ALL_SYNCED else _qualities(reader, count)
    columns = _columns(reader, metrics, count)
    reader.end()
    return Columns(
        kind_id, first_seq, at_ms, [mark & 0x0F for mark in marks], [mark >> 4 for mark in marks], columns
    )


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


def _put_times(
    rows: list[tuple[int, tuple[int | None, ...], int, int]], buffer: bytearray | memoryview, at: int
) -> int:
    first = rows[0][0]
    step = (rows[-1][0] - first) // (len(rows) - 1) if len(rows) > 1 else 0
    form = _form_of_times(rows, step)
    _require(buffer, at + _TIMES_BYTES + len(rows) * _WIDTHS[form])
    struct.pack_into(">BHI", buffer, at, form, first >> 32, first & 0xFFFFFFFF)
    at += 7
    if form != _WHOLE:
        at = put_varint(buffer, at, zigzag(step))
    for index in range(1, len(rows)):
        value = rows[index][0]
        at = _put(buffer, at, form, value if form == _WHOLE else value - first - step)
        first = value
    return at


def _form_of_times(rows: list[tuple[int, tuple[int | None, ...], int, int]], step: int) -> int:
    low = high = 0
    last = rows[0][0] - step
    for value, _, _, _ in rows:
        if not EARLIEST_MS <= value <= LATEST_MS:
            raise ValueError("recorded at %d ms, which is not between 2020 and 2100" % value)
        low = min(low, value - last - step)
        high = max(high, value - last - step)
        last = value
    return _narrowest(low, high)


def _put_qualities(
    rows: list[tuple[int, tuple[int | None, ...], int, int]], buffer: bytearray | memoryview, at: int
) -> int:
    _require(buffer, at + len(rows))
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
    _require(buffer, at + 1)
    present_at, present = at, 0
    at += 1
    for index in range(len(metrics)):
        form = _form_of(rows, index)
        if form != _ABSENT:
            present += 1
            _require(buffer, at + _COLUMN_BYTES + len(rows) * _WIDTHS[form & _LOW_BITS])
            buffer[at] = metrics[index]
            at = _put_column(rows, index, form, buffer, at + 1)
    buffer[present_at] = present
    return at


def _form_of(rows: list[tuple[int, tuple[int | None, ...], int, int]], index: int) -> int:
    """Return the form a column takes least room in, or _ABSENT when it is all nulls."""
    nulls = low = high = 0
    last = None
    for _, values, _, _ in rows:
        value = values[index]
        if value is None:
            nulls = _NULLS
            continue
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ValueError("a value of %d; %d is the most" % (value, MAX_INTEGER))
        if last is not None:
            low = min(low, value - last)
            high = max(high, value - last)
        last = value
    return _ABSENT if last is None else nulls | _narrowest(low, high)


def _narrowest(low: int, high: int) -> int:
    if low == high:  # both begin at 0
        return _SAME
    if low >= -0x80 and high < 0x80:
        return _I8
    if low >= -0x8000 and high < 0x8000:
        return _I16
    return _I32 if low >= -0x80000000 and high < 0x80000000 else _WHOLE


def _put_column(
    rows: list[tuple[int, tuple[int | None, ...], int, int]],
    index: int,
    form: int,
    buffer: bytearray | memoryview,
    at: int,
) -> int:
    buffer[at] = form
    at += 1
    if form & _NULLS:
        at = _put_nulls(rows, index, buffer, at)
        form &= _LOW_BITS
    last = None
    for _, values, _, _ in rows:
        value = values[index]
        if value is None:
            continue
        if form == _WHOLE:
            at = _put(buffer, at, form, value)
        elif last is None:
            at = put_varint(buffer, at, zigzag(value))
        else:
            at = _put(buffer, at, form, value - last)
        last = value
    return at


def _put_nulls(
    rows: list[tuple[int, tuple[int | None, ...], int, int]],
    index: int,
    buffer: bytearray | memoryview,
    at: int,
) -> int:
    for offset in range((len(rows) + 7) // 8):
        buffer[at + offset] = 0
    for number in range(len(rows)):
        if rows[number][1][index] is None:
            buffer[at + (number >> 3)] |= 1 << (number & 7)
    return at + (len(rows) + 7) // 8


def _put(buffer: bytearray | memoryview, at: int, form: int, value: int) -> int:
    if form == _I8:
        buffer[at] = value & 0xFF
    elif form != _SAME:
        struct.pack_into(_CODES[form], buffer, at, value)
    return at + _WIDTHS[form]


def _require(buffer: bytearray | memoryview, size: int) -> None:
    if size > len(buffer):
        raise ValueError("the rows do not fit a buffer of %d bytes" % len(buffer))


def _times(reader: Reader, count: int) -> list[int]:
    form = reader.u8(_WHOLE)
    first = reader.u48()
    if form == _WHOLE:
        times = [first]
        times.extend(_numbers(reader, form, count - 1))
    else:
        step = unzigzag(reader.varint())
        times = _running(first, [step + number for number in _numbers(reader, form, count - 1)])
    if min(times) < EARLIEST_MS or max(times) > LATEST_MS:
        raise LinkError("time out of range")
    return times


def _qualities(reader: Reader, count: int) -> memoryview:
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
        columns[metrics.index(metric)] = _column(reader, count)
    return columns


def _column(reader: Reader, count: int) -> list[int | None]:
    form = reader.u8()
    if not form & _NULLS:
        return list(_values(reader, form, count))
    nulls = reader.take((count + 7) // 8)
    here = [not nulls[number >> 3] >> (number & 7) & 1 for number in range(count)]
    if True not in here:
        raise LinkError("no values")
    values = iter(_values(reader, form & ~_NULLS, sum(here)))
    return [next(values) if is_here else None for is_here in here]


def _values(reader: Reader, form: int, count: int) -> list[int]:
    if form > _WHOLE:
        raise LinkError("unknown form")
    if form == _WHOLE:
        values = list(_numbers(reader, form, count))
    else:
        first = unzigzag(reader.varint(2 * MAX_INTEGER))
        values = _running(first, _numbers(reader, form, count - 1))
    if max(values) > MAX_INTEGER or min(values) < -MAX_INTEGER:
        raise LinkError("value out of range")
    return values


def _numbers(reader: Reader, form: int, count: int) -> tuple[int, ...]:
    if form == _SAME:
        return (0,) * count
    return struct.unpack("<%d%s" % (count, _CODES[form][1]), reader.take(count * _WIDTHS[form]))


def _running(first: int, differences: list[int] | tuple[int, ...]) -> list[int]:
    values = [first]
    for difference in differences:
        first += difference
        values.append(first)
    return values
