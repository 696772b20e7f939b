"""The four tables of a slave and its answers to requests for them.

Source: MODBUS Application Protocol Specification V1.1b3, sections 6.1-6.6, 6.11, 6.12 and 7.
"""

from collections.abc import Iterable
from itertools import islice

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3

TABLES = ("coil", "discrete", "holding", "input")
_READS = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
_ADDRESSES = 65_536
_MAX_WRITTEN_BITS = 1968  # section 6.11
_MAX_WRITTEN_REGISTERS = 123  # section 6.12


class Refusal(Exception):
    """A request that the slave answers with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Registers:
    """Tables of 16-bit registers and bits. What nobody set is 0, what is a hole is refused.

    blocks: by address, the one read, (first address, count), with which the device hands it out.
    shifts: leaves holes out of the answer in silence and fills up with what follows, as some devices do.
    written: what a master wrote; it covers the measured value from then on.
    """

    def __init__(self, *, max_registers: int = 125, max_bits: int = 2000) -> None:
        self.measured: dict[str, dict[int, int]] = {table: {} for table in TABLES}
        self.written: dict[str, dict[int, int]] = {table: {} for table in TABLES}
        self.holes: dict[str, set[int]] = {table: set() for table in TABLES}
        self.blocks: dict[str, dict[int, tuple[int, int]]] = {table: {} for table in TABLES}
        self.shifts = False
        self._max_registers = max_registers
        self._max_bits = max_bits

    def dig(self, table: str, first: int, count: int) -> None:
        """Make count addresses from first on a hole."""
        self.holes[table].update(range(first, first + count))

    def bind(self, table: str, block: tuple[int, int]) -> None:
        """Refuse every read that touches the addresses of a block, but the one of the whole block."""
        first, count = block
        self.blocks[table].update(dict.fromkeys(range(first, first + count), block))

    def fill(self) -> None:
        """Have no holes any more."""
        for holes in self.holes.values():
            holes.clear()

    def answer(self, pdu: bytes) -> bytes:
        """Return the reply to a request, both without address and checksum. Never fails."""
        function = pdu[0] if pdu else 0
        try:
            return bytes((function,)) + self._act(function, pdu[1:])
        except Refusal as refusal:
            return bytes((function | 0x80, refusal.code))

    def _act(self, function: int, body: bytes) -> bytes:
        if function in _READS:
            return self._read(_READS[function], body)
        if function in (5, 6):
            return self._write_one("coil" if function == 5 else "holding", body)
        if function in (15, 16):
            return self._write_many("coil" if function == 15 else "holding", body)
        raise Refusal(ILLEGAL_FUNCTION)

    def _read(self, table: str, body: bytes) -> bytes:
        start, count = _two_words(body, exactly=4)
        is_bits = table in ("coil", "discrete")
        if not 1 <= count <= (self._max_bits if is_bits else self._max_registers):
            raise Refusal(ILLEGAL_VALUE)
        addresses = self._addresses(table, start, count)
        written, measured = self.written[table], self.measured[table]
        values = [written.get(address, measured.get(address, 0)) for address in addresses]
        data = _packed_bits(values) if is_bits else b"".join(value.to_bytes(2, "big") for value in values)
        return bytes((len(data),)) + data

    def _addresses(self, table: str, start: int, count: int) -> Iterable[int]:
        holes = self.holes[table]
        if start + count > _ADDRESSES:
            raise Refusal(ILLEGAL_ADDRESS)
        wanted = range(start, start + count)
        blocks = self.blocks[table]
        if blocks and any(blocks.get(address, (start, count)) != (start, count) for address in wanted):
            raise Refusal(ILLEGAL_ADDRESS)
        if holes.isdisjoint(wanted):
            return wanted
        if not self.shifts:
            raise Refusal(ILLEGAL_ADDRESS)
        rest = (address for address in range(start, start + count + len(holes)) if address not in holes)
        return list(islice(rest, count))

    def _write_one(self, table: str, body: bytes) -> bytes:
        address, value = _two_words(body, exactly=4)
        if table == "coil":
            if value not in (0x0000, 0xFF00):
                raise Refusal(ILLEGAL_VALUE)
            value = int(value == 0xFF00)
        self._store(table, address, [value])
        return body

    def _write_many(self, table: str, body: bytes) -> bytes:
        start, count = _two_words(body[:4], exactly=4)
        data = body[5:]
        is_bits = table == "coil"
        most, size = (_MAX_WRITTEN_BITS, (count + 7) // 8) if is_bits else (_MAX_WRITTEN_REGISTERS, 2 * count)
        if not 1 <= count <= most or body[4:5] != bytes((size,)) or len(data) != size:
            raise Refusal(ILLEGAL_VALUE)
        self._store(table, start, _unpacked_bits(data, count) if is_bits else _words(data))
        return body[:4]

    def _store(self, table: str, start: int, values: list[int]) -> None:
        addresses = range(start, start + len(values))
        if addresses.stop > _ADDRESSES or not self.holes[table].isdisjoint(addresses):
            raise Refusal(ILLEGAL_ADDRESS)
        self.written[table].update(zip(addresses, values, strict=True))


def _two_words(body: bytes, *, exactly: int) -> tuple[int, int]:
    if len(body) != exactly:
        raise Refusal(ILLEGAL_VALUE)
    return int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[index : index + 2], "big") for index in range(0, len(data), 2)]


def _packed_bits(values: list[int]) -> bytes:
    number = sum(1 << index for index, value in enumerate(values) if value)
    return number.to_bytes((len(values) + 7) // 8, "little")


def _unpacked_bits(data: bytes, count: int) -> list[int]:
    number = int.from_bytes(data, "little")
    return [number >> index & 1 for index in range(count)]
