"""One chunk: up to a thousand rows of one kind as bytes, column by column.

Owns the two blobs of a chunk, runs (whose rows these are) and body (what they say). They are apart so that
a damaged body still tells which rows were lost with it. Compression is left to others.

Layout, integers as LEB128 varints (zigzag where they may be negative), crc32 little-endian:

    runs:  version u8 | crc32 u32 | count | refs | first_seqs | counts
    body:  version u8 | crc32 u32 | rows | recorded_at | quality | time_quality | columns | column…

An integer column is its first value and the steps from one to the next, in as few bytes as the widest needs,
the low bytes of all first: neighbours differ little, so the high bytes are alike and cost nothing.
A value column says itself how it is written, so a chunk outlives the schema that wrote it.
"""

import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice, repeat
from operator import mul, sub, truediv
from types import NoneType
from typing import NamedTuple, cast
from zlib import crc32

from hub.errors import PenstockError
from hub.ports import Value

VERSION = 1
ROWS_PER_CHUNK = 1000  # as many as one upload carries, so that a full chunk is one request
_MOST_ROWS = 1_000_000  # far above what is ever written: a damaged count must not become an allocation

_NOTHING, _INTEGERS, _SCALED, _FLOATS, _JSON = range(5)
_HAS_MASK = 0x80
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_SAME_STEP = 0
_MOST_DECIMALS = 15  # what a float64 can tell apart
_UNDECLARED_DECIMALS = 3  # tried for floats whose field does not name its decimals


class DamagedChunk(PenstockError):
    """These bytes are not a chunk, or not any more."""


class Run(NamedTuple):
    """Neighbouring rows of one stream with consecutive sequence numbers."""

    ref: int
    first_seq: int
    rows: int


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a chunk, as columns: with a thousand devices there are as many runs as rows."""

    refs: Sequence[int]
    first_seqs: Sequence[int]
    rows: Sequence[int]

    @classmethod
    def of(cls, runs: Iterable[Run]) -> "Runs":
        """Return runs as columns. There must be at least one."""
        return cls(*zip(*runs, strict=True))

    def __iter__(self) -> Iterator[Run]:
        return map(Run, self.refs, self.first_seqs, self.rows)


@dataclass(frozen=True, slots=True)
class Columns:
    """What the rows of a chunk say; every sequence has one item per row."""

    recorded_at_ms: Sequence[int]
    qualities: Sequence[int]
    time_qualities: Sequence[int]
    values: Sequence[Sequence[Value]]


def encode_runs(runs: Runs) -> bytes:
    """Return the runs as bytes. There must be at least one."""
    out = bytearray()
    _put_varint(out, len(runs.refs))
    for column in (runs.refs, runs.first_seqs, runs.rows):
        _put_integers(out, column)
    return _sealed(out)


def decode_runs(data: bytes) -> Runs:
    """Return the runs. Raises DamagedChunk."""
    try:
        reader = _Reader(_opened(data))
        count = reader.count()
        return Runs(*(reader.integers(count) for _ in range(3)))
    except (ValueError, IndexError, OverflowError) as error:
        raise DamagedChunk("its runs do not add up") from error


def encode_body(columns: Columns, decimals: Sequence[int | None]) -> bytes:
    """Return the rows as bytes.

    Times have at most 62 bits. decimals: of each value column, None where the field has none.
    """
    out = bytearray()
    _put_varint(out, len(columns.recorded_at_ms))
    _put_integers(out, columns.recorded_at_ms)
    _put_integers(out, columns.qualities)
    _put_integers(out, columns.time_qualities)
    _put_varint(out, len(columns.values))
    for column, digits in zip(columns.values, decimals, strict=True):
        _put_values(out, column, digits)
    return _sealed(out)


def decode_body(data: bytes) -> Columns:
    """Return the rows. Raises DamagedChunk."""
    try:
        reader = _Reader(_opened(data))
        rows = reader.count()
        at, qualities, time_qualities = (reader.integers(rows) for _ in range(3))
        values = [reader.values(rows) for _ in range(reader.count())]
    except (ValueError, IndexError, OverflowError) as error:
        raise DamagedChunk("its rows do not add up") from error
    return Columns(at, qualities, time_qualities, values)


def _sealed(payload: bytearray) -> bytes:
    return bytes((VERSION,)) + crc32(payload).to_bytes(4, "little") + payload


def _opened(data: bytes) -> bytes:
    if not data or data[0] != VERSION:
        raise DamagedChunk("it is not of a version this hub reads", hint="was a newer hub here?")
    payload = data[5:]
    if crc32(payload) != int.from_bytes(data[1:5], "little"):
        raise DamagedChunk("its checksum does not match")
    return payload


def _put_varint(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _put_signed(out: bytearray, number: int) -> None:
    _put_varint(out, number << 1 if number >= 0 else (-number << 1) - 1)


def _put_integers(out: bytearray, column: Sequence[int]) -> None:
    if list(column) == [column[0]] * len(column):
        _put_line(out, column[0], 0)
        return
    steps = list(map(sub, islice(column, 1, None), column))
    if steps == [steps[0]] * len(steps):
        _put_line(out, column[0], steps[0])
        return
    cells = _narrowest(steps)
    if sys.byteorder == "big":
        cells.byteswap()
    _put_varint(out, cells.itemsize)
    _put_signed(out, column[0])
    raw = cells.tobytes()
    for plane in range(cells.itemsize):
        out += raw[plane :: cells.itemsize]


def _put_line(out: bytearray, first: int, step: int) -> None:
    _put_varint(out, _SAME_STEP)
    _put_signed(out, first)
    _put_signed(out, step)


def _narrowest(steps: list[int]) -> "array[int]":
    for code in ("b", "h", "i"):
        try:
            return array(code, steps)
        except OverflowError:
            continue
    return array("q", steps)


def _put_values(out: bytearray, column: Sequence[Value], decimals: int | None) -> None:
    if column[0] is None and list(column) == [None] * len(column):
        out.append(_NOTHING)
        return
    types = set(map(type, column))
    mask = b""
    if NoneType in types:
        types.discard(NoneType)
        mask = bytes([value is not None for value in column])
        column = [value for value in column if value is not None]
    code, payload = _payload(column, types, decimals)
    out.append(code | (_HAS_MASK if mask else 0))
    out += mask
    out += payload


def _payload(column: Sequence[Value], types: set[type], decimals: int | None) -> tuple[int, bytearray]:
    out = bytearray()
    try:
        if types == {int}:
            _put_integers(out, cast("Sequence[int]", column))
            return _INTEGERS, out
        if types == {float}:
            digits = _UNDECLARED_DECIMALS if decimals is None else decimals
            out.append(digits)
            _put_integers(out, _scaled(cast("Sequence[float]", column), 10**digits))
            return _SCALED, out
    except (OverflowError, ValueError):
        out.clear()
    code, raw = _verbatim(column, types)
    _put_varint(out, len(raw))
    out += raw
    return code, out


def _scaled(column: Sequence[float], scale: int) -> list[int]:
    cells = list(map(float.__round__, map(mul, column, repeat(float(scale)))))
    if list(map(truediv, cells, repeat(scale))) != list(column):
        raise ValueError
    return cells


def _verbatim(column: Sequence[Value], types: set[type]) -> tuple[int, bytes]:
    if types == {float}:
        cells = array("d", cast("Sequence[float]", column))
        if sys.byteorder == "big":
            cells.byteswap()
        return _FLOATS, cells.tobytes()
    return _JSON, json.dumps(list(column), ensure_ascii=False).encode("utf-8", "surrogatepass")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def count(self) -> int:
        number = self._varint()
        if number > _MOST_ROWS:
            raise ValueError
        return number

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def _signed(self) -> int:
        number = self._varint()
        return -((number + 1) >> 1) if number & 1 else number >> 1

    def _bytes(self, length: int) -> bytes:
        piece = self._data[self._at : self._at + length]
        if len(piece) != length:
            raise ValueError
        self._at += length
        return piece

    def integers(self, count: int) -> list[int]:
        width, first = self._varint(), self._signed()
        if count == 0 or (width and width not in _CODES):
            raise ValueError
        if width == _SAME_STEP:
            step = self._signed()
            return list(range(first, first + step * count, step)) if step else [first] * count
        steps = _unshuffled(self._bytes(width * (count - 1)), width)
        return list(accumulate(chain((first,), steps)))

    def values(self, rows: int) -> Sequence[Value]:
        code = self._data[self._at]
        self._at += 1
        if code == _NOTHING:
            return [None] * rows
        if not code & _HAS_MASK:
            return self._present(code, rows)
        mask = self._bytes(rows)
        present = iter(self._present(code & ~_HAS_MASK, mask.count(1)))
        return [next(present) if is_present else None for is_present in mask]

    def _present(self, code: int, count: int) -> Sequence[Value]:
        if code == _INTEGERS:
            return self.integers(count)
        if code == _SCALED:
            scale = 10 ** min(self._varint(), _MOST_DECIMALS)
            return list(map(truediv, self.integers(count), repeat(scale)))
        raw = self._bytes(self._varint())
        if code == _FLOATS:
            return self._floats(raw, count)
        if code != _JSON:
            raise ValueError
        column = json.loads(raw.decode("utf-8", "surrogatepass"))
        if not isinstance(column, list) or len(column) != count:
            raise ValueError
        return column

    @staticmethod
    def _floats(raw: bytes, count: int) -> Sequence[float]:
        cells = array("d", raw)
        if len(cells) != count:
            raise ValueError
        if sys.byteorder == "big":
            cells.byteswap()
        return cells.tolist()


def _unshuffled(planes: bytes, width: int) -> "array[int]":
    raw = bytearray(len(planes))
    count = len(planes) // width
    for plane in range(width):
        raw[plane::width] = planes[plane * count : (plane + 1) * count]
    cells = array(_CODES[width], bytes(raw))
    if sys.byteorder == "big":
        cells.byteswap()
    return cells
