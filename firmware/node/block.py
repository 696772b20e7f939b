"""A block: what one flush writes of one kind, complete in itself.

    u16 length | u32 crc32 | head | records        length and crc32 are those of head and records

    head:    u8 form | u8 kind id | u8 rows | u32 epoch | varints first_seq, span, unacked, boot
    record:  varint time step and whether marks follow | [u8 marks | [varint presence]] | [varint seq step] |
             varint step of each value

A block covers `span` numbers from first_seq. In a thinned one only some of them have a row, and each record
says how far it is from the one before. `unacked` is how many numbers before first_seq were not acknowledged
when the block was written. Times are Unix ms, or ms of a boot when `boot` is not 0. Steps are zigzag, against
the record before (of a value: the last one present); marks are the qualities, presence has a bit for each
value, and both are left out when they are as before: 30 rows then fit into one page of an rp2's flash.
Values are integers.
"""

import struct
from binascii import crc32

from shared_schema.packing import Reader, put_varint, unzigzag, zigzag

PREFIX_BYTES = 6
HEAD_BYTES = 40  # no head is longer
FEWEST_BLOCK_BYTES = PREFIX_BYTES + 11  # without rows
MOST_ROWS = 255
MOST_BYTES = 6144  # no block is longer; a damaged length asks for no more memory than this
FEWEST_RECORD_BYTES = 1

_PLAIN = 1
_THINNED = 2
_QUALITY = 0x03
_TIME_QUALITY_SHIFT = 2
_PRESENCE_FOLLOWS = 0x10
_LONGEST_VARINT = 9
_MOST_VALUES = 16


class Draft:
    """Rows of one kind in memory, already in the form they will have on flash; without numbers yet.

    size: with so many bytes in it, it is full. is_thinned: rows come with the step of their number.
    """

    def __init__(self, kind_id: int, size: int, is_thinned: bool = False) -> None:
        self.kind_id = kind_id
        self.is_thinned = is_thinned
        self._size = size
        self._buffer = bytearray(size + (_MOST_VALUES + 3) * _LONGEST_VARINT)
        self._head = bytearray(PREFIX_BYTES + HEAD_BYTES)
        self._last = [0] * _MOST_VALUES
        self.clear()

    def clear(self) -> None:
        """Forget the rows."""
        self.rows = self.used = 0
        self.first_at_ms = self.last_at_ms = 0
        self._presence = self._marks = -1
        for index in range(_MOST_VALUES):
            self._last[index] = 0

    @property
    def is_full(self) -> bool:
        """Whether no further row may be added."""
        return self.used >= self._size or self.rows == MOST_ROWS

    def add(self, at_ms: int, quality: int, time_quality: int, values: tuple, seq_step: int = 1) -> None:
        """Put in a row. quality, time_quality: 0..3. values: at most 16 integers or None."""
        presence = _presence_of(values)
        marks = quality | time_quality << _TIME_QUALITY_SHIFT
        is_as_before = presence == self._presence and marks == self._marks
        buffer = self._buffer
        at = put_varint(buffer, self.used, zigzag(at_ms - self.last_at_ms) << 1 | (not is_as_before))
        if not is_as_before:
            at = self._add_marks(at, marks, presence)
        if self.is_thinned:
            at = put_varint(buffer, at, seq_step)
        last = self._last
        for index, value in enumerate(values):
            if value is not None:
                at = put_varint(buffer, at, zigzag(value - last[index]))
                last[index] = value
        if not self.rows:
            self.first_at_ms = at_ms
        self.last_at_ms, self.used = at_ms, at
        self.rows += 1

    def _add_marks(self, at: int, marks: int, presence: int) -> int:
        self._marks = marks
        if presence == self._presence:
            self._buffer[at] = marks
            return at + 1
        self._presence = presence
        self._buffer[at] = marks | _PRESENCE_FOLLOWS
        return put_varint(self._buffer, at + 1, presence)

    def write(self, file, epoch: int, first_seq: int, acked: int, boot: int, span: int = 0) -> int:
        """Append the block to file; return its size in bytes. span: when thinned, the numbers it covers."""
        head, records = self._head, memoryview(self._buffer)[: self.used]
        form = _THINNED if self.is_thinned else _PLAIN
        struct.pack_into(">BBBI", head, PREFIX_BYTES, form, self.kind_id, self.rows, epoch)
        at = put_varint(head, PREFIX_BYTES + 7, first_seq)
        at = put_varint(head, at, span or self.rows)
        at = put_varint(head, at, max(0, first_seq - 1 - acked))
        at = put_varint(head, at, boot)
        checksum = crc32(records, crc32(memoryview(head)[PREFIX_BYTES:at]))
        struct.pack_into(">HI", head, 0, at - PREFIX_BYTES + self.used, checksum)
        file.write(memoryview(head)[:at])
        file.write(records)
        return at + self.used


class Block:
    """Reads blocks, one at a time, into a buffer of its own that grows to the largest block there is.

    The attributes are those of the block loaded last; end_seq is the first number behind it.
    """

    def __init__(self, size: int) -> None:
        self._buffer = bytearray(size)
        self._prefix = bytearray(PREFIX_BYTES)
        self._records = None
        self.kind_id = self.rows = self.epoch = self.first_seq = self.end_seq = self.acked = self.boot = 0
        self.is_thinned = False

    def load(self, file, at: int) -> int:
        """Read the block at this position; return the position behind it, 0 when no whole block is there."""
        file.seek(at)
        if file.readinto(self._prefix) != PREFIX_BYTES:
            return 0
        length, checksum = struct.unpack(">HI", self._prefix)
        if not FEWEST_BLOCK_BYTES <= PREFIX_BYTES + length <= MOST_BYTES:
            return 0
        if length > len(self._buffer):
            self._buffer = bytearray(length)
        body = memoryview(self._buffer)[:length]
        if file.readinto(body) != length or crc32(body) != checksum:
            return 0
        return at + PREFIX_BYTES + length if self._understood(body) else 0

    def _understood(self, body: memoryview) -> bool:
        form, self.kind_id, self.rows, self.epoch = struct.unpack_from(">BBBI", body, 0)
        reader = Reader(body[7:])
        self.first_seq = reader.varint()
        self.end_seq = self.first_seq + reader.varint()
        self.acked = self.first_seq - 1 - reader.varint()
        self.boot = reader.varint()
        self.is_thinned = form == _THINNED
        self._records = reader
        return form in (_PLAIN, _THINNED)

    def each(self):
        """Yield (seq, at_ms, values, quality, time_quality) of every row, once. at_ms: as in the block."""
        reader, last = self._records, [0] * _MOST_VALUES
        seq, at_ms, marks, presence = self.first_seq - 1, 0, 0, 0
        for _ in range(self.rows):
            step = reader.varint()
            if step & 1:
                marks = reader.u8()
                if marks & _PRESENCE_FOLLOWS:
                    presence = reader.varint()
            seq += reader.varint() if self.is_thinned else 1
            at_ms += unzigzag(step >> 1)
            yield (
                seq,
                at_ms,
                _values(reader, presence, last),
                marks & _QUALITY,
                marks >> _TIME_QUALITY_SHIFT & _QUALITY,
            )

    def last_at_ms(self) -> int:
        """Return the latest time of its rows, as in the block; instead of each()."""
        return max([row[1] for row in self.each()] or [0])


def _presence_of(values: tuple) -> int:
    presence = 0
    for index, value in enumerate(values):
        if value is not None:
            presence |= 1 << index
    return presence


def _values(reader: Reader, presence: int, last: list) -> tuple:
    values = []
    while presence >> len(values):
        index = len(values)
        if presence >> index & 1:
            last[index] += reader.signed_varint()
            values.append(last[index])
        else:
            values.append(None)
    return tuple(values)
