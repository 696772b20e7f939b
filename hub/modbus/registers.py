"""How a value lies in registers: types, byte orders, and the way there and back.

A byte order is a permutation of letters in the order they are transmitted, A being the most significant
byte: ABCD is big-endian, DCBA little-endian, CDAB swaps words, BADC swaps the bytes of each word.
"""

import struct
from collections.abc import Sequence
from functools import cache
from math import isfinite

Number = float | int

FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
BIT_TABLES = frozenset({"coil", "discrete"})

# The protocol addresses 16 bits of registers and bounds a read (Modbus application protocol 1.1b3, 6.1-6.4).
ADDRESSES = 65_536
REGISTERS_PER_READ = 125
BITS_PER_READ = 2000

CODES = {
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "i32": "i",
    "u64": "Q",
    "i64": "q",
    "float32": "f",
    "float64": "d",
    "bool": "H",
}
TYPES = (*CODES, "string")
_SIZES = {name: struct.calcsize(">" + code) for name, code in CODES.items()}
FLOATS = frozenset({"float32", "float64"})


def size_of(type_name: str) -> int:
    """Return the bytes of one value; for a string, of one register of it."""
    return _SIZES.get(type_name, 2)


def natural_order(type_name: str) -> str:
    """Return the big-endian order of a type, which the protocol itself prescribes for 16 bits."""
    return "ABCDEFGH"[: size_of(type_name)]


@cache
def positions(order: str) -> tuple[int, ...]:
    """Return where each byte lies in the transmission, most significant first."""
    return tuple(order.index(letter) for letter in sorted(order))


def decode(data: bytes, type_name: str, order: str = "") -> Number | str:
    """Return the value of all of data. Strings lose what pads them."""
    where = positions(order or natural_order(type_name))
    if type_name == "string":
        return _text(data, where)
    number: Number = struct.unpack(">" + CODES[type_name], bytes(data[index] for index in where))[0]
    return int(number != 0) if type_name == "bool" else number


def encode(value: Number | str, type_name: str, order: str = "", length: int = 0) -> tuple[int, ...]:
    """Return the registers that hold value. length: registers of a string, which is padded with NUL.

    Raises:
        ValueError: the value does not fit the type.
    """
    where = positions(order or natural_order(type_name))
    data = _text_bytes(value, length) if type_name == "string" else _number_bytes(value, type_name)
    step = len(where)
    moved = bytearray(len(data))
    for start in range(0, len(data), step):
        for source, target in enumerate(where):
            moved[start + target] = data[start + source]
    return words(bytes(moved))


def words(data: bytes) -> tuple[int, ...]:
    """Return the registers in data, as the protocol transmits them."""
    return struct.unpack(f">{len(data) // 2}H", data)


def as_bytes(registers: Sequence[int]) -> bytes:
    """Return registers as the protocol transmits them."""
    return struct.pack(f">{len(registers)}H", *registers)


def _text(data: bytes, where: tuple[int, ...]) -> str:
    swapped = bytes(data[start + index] for start in range(0, len(data), 2) for index in where)
    return swapped.split(b"\0", 1)[0].decode("latin-1").strip()


def _text_bytes(value: Number | str, length: int) -> bytes:
    try:
        data = str(value).encode("latin-1")
    except UnicodeEncodeError as error:
        odd = error.object[error.start]
        raise ValueError(f"{odd!r} has no place in a register: text is Latin-1 there") from None
    if len(data) > 2 * length:
        raise ValueError(f"{value!r} is longer than {2 * length} characters")
    return data.ljust(2 * length, b"\0")


def _number_bytes(value: Number | str, type_name: str) -> bytes:
    number = float(value) if isinstance(value, str) else value
    try:
        if type_name in FLOATS:
            return struct.pack(">" + CODES[type_name], number)
        if not isfinite(number) or number != int(number):
            raise ValueError(f"{value} is not a whole number, and {type_name} holds nothing else")
        return struct.pack(">" + CODES[type_name], int(number))
    except (struct.error, OverflowError):
        raise ValueError(f"{value} does not fit {type_name}") from None
