"""The columns of a batch: how whole numbers that vary slowly become bytes, and back.

    column = u8 form | [nulls: a bit a row, lowest first, 1 = null] | zigzag varint first | differences
        form: bit 7 there are nulls, and what follows is only of the other rows
              low bits 0 all the same, 1 i8, 2 i16, 3 i32 differences, little-endian
              4 no first and no differences, but every value as i64
    times = u8 form | u48be first | zigzag varint step | differences less the step
        form: as above; 4 no step and no differences, but every later time as i64

The step makes a steady clock cost nothing, and one that shakes by some ms a byte a row. Widths are fixed, so
that one struct.unpack reads a column, and a board writes one without making objects.
Rows are (recorded_at in Unix ms, values, quality, time quality), as in batches.py.
"""

import struct

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

_SAME = 0
_I8 = 1
_I16 = 2
_I32 = 3
_WHOLE = 4
_LOW_BITS = 0x07
_NULLS = 0x80
_ABSENT = -1
_WIDTHS = (0, 1, 2, 4, 8)  # bytes a difference, by form
_CODES = ("", "<b", "<h", "<i", "<q")

_TIMES_BYTES = 15  # form, first, step
_COLUMN_BYTES = 25  # id, form, nulls of 120 rows, first value


def require(buffer: bytearray | memoryview, size: int) -> None:
    """Raise ValueError when buffer is shorter than size."""
    if size > len(buffer):
        raise ValueError("the rows do not fit a buffer of %d bytes" % len(buffer))


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


def put_column(
    metric_id: int,
    rows: list[tuple[int, tuple[int | None, ...], int, int]],
    index: int,
    buffer: bytearray | memoryview,
    at: int,
) -> int:
    """Write metric_id and the values at index; return the position behind, or at when all are null.

    Raises ValueError when that does not fit buffer, or a value is beyond MAX_INTEGER.
    """
    form = _form_of(rows, index)
    if form == _ABSENT:
        return at
    require(buffer, at + _COLUMN_BYTES + len(rows) * _WIDTHS[form & _LOW_BITS])
    buffer[at] = metric_id
    buffer[at + 1] = form
    at += 2
    if form & _NULLS:
        at = _put_nulls(rows, index, buffer, at)
    return _put_values(rows, index, form & _LOW_BITS, buffer, at)


def _put_values(
    rows: list[tuple[int, tuple[int | None, ...], int, int]],
    index: int,
    form: int,
    buffer: bytearray | memoryview,
    at: int,
) -> int:
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


def column(reader: Reader, count: int) -> list[int | None]:
    """Read what put_column wrote behind the id, for count rows. Raises LinkError."""
    form = reader.u8()
    if not form & _NULLS:
        return list(_values(reader, form, count))
    nulls = reader.take((count + 7) // 8)
    here = [not nulls[number >> 3] >> (number & 7) & 1 for number in range(count)]
    if True not in here:
        raise LinkError("no values")
    values = iter(_values(reader, form & ~_NULLS, sum(here)))
    return [next(values) if is_here else None for is_here in here]


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


def put_times(
    rows: list[tuple[int, tuple[int | None, ...], int, int]], buffer: bytearray | memoryview, at: int
) -> int:
    """Write the recorded_at of every row and return the position behind.

    Raises ValueError when they do not fit buffer, or one is not between 2020 and 2100.
    """
    first = rows[0][0]
    step = (rows[-1][0] - first) // (len(rows) - 1) if len(rows) > 1 else 0
    form = _form_of_times(rows, step)
    require(buffer, at + _TIMES_BYTES + len(rows) * _WIDTHS[form])
    struct.pack_into(">BHI", buffer, at, form, first >> 32, first & 0xFFFFFFFF)
    at += 7
    if form != _WHOLE:
        at = put_varint(buffer, at, zigzag(step))
    for index in range(1, len(rows)):
        value = rows[index][0]
        at = _put(buffer, at, form, value if form == _WHOLE else value - first - step)
        first = value
    return at


def times(reader: Reader, count: int) -> list[int]:
    """Read count instants. Raises LinkError."""
    form = reader.u8(_WHOLE)
    first = reader.u48()
    if form == _WHOLE:
        instants = [first]
        instants.extend(_numbers(reader, form, count - 1))
    else:
        step = unzigzag(reader.varint())
        instants = _running(first, [step + number for number in _numbers(reader, form, count - 1)])
    if min(instants) < EARLIEST_MS or max(instants) > LATEST_MS:
        raise LinkError("time out of range")
    return instants


def _narrowest(low: int, high: int) -> int:
    if low == high:  # both begin at 0
        return _SAME
    if low >= -0x80 and high < 0x80:
        return _I8
    if low >= -0x8000 and high < 0x8000:
        return _I16
    return _I32 if low >= -0x80000000 and high < 0x80000000 else _WHOLE


def _put(buffer: bytearray | memoryview, at: int, form: int, value: int) -> int:
    if form == _I8:
        buffer[at] = value & 0xFF
    elif form != _SAME:
        struct.pack_into(_CODES[form], buffer, at, value)
    return at + _WIDTHS[form]


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
