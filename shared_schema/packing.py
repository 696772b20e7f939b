"""How numbers and texts lie in bytes, and the error for bytes that say something else.

Owns varints (LEB128), zigzag, text8 and bytes8 (a length byte, then so many bytes), and a Reader with bounds.
What the numbers mean is said in messages.py and batches.py. Fixed numbers are big-endian; every number a peer
sends is at most MAX_INTEGER, which a double holds exactly.
"""

import struct

MAX_INTEGER = 2**53 - 1  # JSON, JavaScript and float64 columns keep integers exact up to here
U32 = 2**32 - 1
EARLIEST_MS = 1_577_836_800_000  # 2020: no node is older
LATEST_MS = 4_102_444_800_000  # 2100
VARINT_BYTES = 8  # 56 bits: the fewest whole bytes that hold MAX_INTEGER, also after zigzag

_CONTINUES = 0x80


class LinkError(ValueError):
    """The peer sent what the protocol does not allow. The connection is closed; nothing resynchronises."""


def put_varint(buffer: bytearray | memoryview, at: int, value: int) -> int:
    """Write value, 0 or more, as LEB128 into buffer from at; return the position behind it."""
    while value >= _CONTINUES:
        buffer[at] = value & 0x7F | _CONTINUES
        value >>= 7
        at += 1
    buffer[at] = value
    return at + 1


def zigzag(value: int) -> int:
    """Return 0, 1, 2, 3, 4 … for 0, -1, 1, -2, 2 …: small amounts of either sign become small varints."""
    return 2 * value if value >= 0 else -2 * value - 1


def unzigzag(value: int) -> int:
    """Return what zigzag was given."""
    return -(value + 1) // 2 if value & 1 else value // 2


def varint(value: int) -> bytes:
    """Return value, 0..MAX_INTEGER, as LEB128. Raises ValueError outside."""
    if not 0 <= value <= MAX_INTEGER:
        raise ValueError("%d does not fit; 0 to %d do" % (value, MAX_INTEGER))
    return _leb128(value)


def signed_varint(value: int) -> bytes:
    """Return value, at most MAX_INTEGER from 0, as zigzag LEB128. Raises ValueError outside."""
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise ValueError("%d does not fit; -%d to %d do" % (value, MAX_INTEGER, MAX_INTEGER))
    return _leb128(zigzag(value))


def text8(text: str, limit: int = 255) -> bytes:
    """Return text behind its length in one byte. Raises ValueError beyond limit bytes of UTF-8."""
    data = text.encode()
    if len(data) > limit:
        raise ValueError("a text of %d bytes; %d are the most" % (len(data), limit))
    return bytes([len(data)]) + data


def cut_utf8(text: str, limit: int) -> bytes:
    """Return text in UTF-8, cut to at most limit bytes and never within a character."""
    data = text.encode()
    if len(data) <= limit:
        return data
    while limit and data[limit] & 0xC0 == 0x80:  # a continuation byte
        limit -= 1
    return data[:limit]


class Reader:
    """Reads what was packed, front to back.

    Every method raises LinkError for what is missing or too large.
    """

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)
        self._at = 0

    def take(self, size: int) -> memoryview:
        """Return the next size bytes, not copied."""
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise LinkError("truncated")
        return self._data[start : self._at]

    def u8(self, most: int = 255) -> int:
        """Return one byte."""
        at = self._at
        if at >= len(self._data):
            raise LinkError("truncated")
        self._at = at + 1
        return _bounded(self._data[at], most)

    def u16(self, most: int = 65_535) -> int:
        """Return two bytes as a number."""
        return _bounded(struct.unpack(">H", self.take(2))[0], most)

    def u32(self, most: int = U32) -> int:
        """Return four bytes as a number."""
        return _bounded(struct.unpack(">I", self.take(4))[0], most)

    def u48(self) -> int:
        """Return six bytes as a number."""
        high, low = struct.unpack(">HI", self.take(6))
        value: int = (high << 32) | low
        return value

    def u64(self, most: int = MAX_INTEGER) -> int:
        """Return eight bytes as a number."""
        return _bounded(struct.unpack(">Q", self.take(8))[0], most)

    def varint(self, most: int = MAX_INTEGER) -> int:
        """Return a LEB128 number."""
        value = shift = 0
        while shift < 7 * VARINT_BYTES:
            if self._at >= len(self._data):
                raise LinkError("truncated")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < _CONTINUES:
                return _bounded(value, most)
            shift += 7
        raise LinkError("varint too long")

    def signed_varint(self, most: int = MAX_INTEGER) -> int:
        """Return a zigzag LEB128 number from -most to most."""
        value = unzigzag(self.varint(2 * MAX_INTEGER + 1))
        _bounded(abs(value), most)
        return value

    def bytes8(self, limit: int = 255) -> bytes:
        """Return the bytes behind a length byte."""
        return bytes(self.take(self.u8(limit)))

    def text8(self, limit: int = 255) -> str:
        """Return the text behind a length byte. limit: in bytes of UTF-8.

        MicroPython lets overlong forms and surrogates pass; a node reads only what a proven hub wrote.
        """
        return _text(self.bytes8(limit))

    def rest(self, limit: int) -> bytes:
        """Return everything that is left, at most limit bytes."""
        left = len(self._data) - self._at
        return bytes(self.take(_bounded(left, limit)))

    def rest_text(self, limit: int) -> str:
        """Return everything that is left as text. limit: in bytes of UTF-8."""
        return _text(self.rest(limit))

    def end(self) -> None:
        """Raise LinkError when something is left."""
        if self._at != len(self._data):
            raise LinkError("too long")


def _leb128(value: int) -> bytes:
    buffer = bytearray(VARINT_BYTES)
    return bytes(buffer[: put_varint(buffer, 0, value)])


def _bounded(value: int, most: int) -> int:
    if value > most:
        raise LinkError("number out of range")
    return value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeError:
        raise LinkError("not UTF-8") from None
