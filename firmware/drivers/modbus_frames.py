"""Modbus RTU as bytes, master's side, for reading registers.

Source: MODBUS over Serial Line V1.02, 2.5.1 (frames) and 6.2.2 (CRC); MODBUS Application Protocol V1.1b3,
6.3, 6.4 (reading holding and input registers) and 7 (exceptions).
"""

READ_HOLDING = 3
READ_INPUT = 4
REGISTERS_MOST = 125
EXCEPTION = 0x80
EXCEPTION_BYTES = 5
HEAD_BYTES = 3
CRC_BYTES = 2
REQUEST_BYTES = 8


class Garbled(ValueError):
    """What arrived is no answer to the request; asking again may help."""


class Declined(ValueError):
    """The slave answered with an exception, and will again. code: 1 function, 2 address, 3 value, ..."""

    def __init__(self, code: int) -> None:
        super().__init__("the slave answered exception %d" % code)
        self.code = code


def crc16(data, length: int) -> int:
    """Return the sum of the first bytes: polynomial A001 from FFFF, sent low byte first."""
    crc = 0xFFFF
    for index in range(length):
        crc ^= data[index]
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def request(unit: int, function: int, address: int, count: int) -> bytes:
    """Return the frame that asks for count registers from address."""
    head = bytes((unit, function, address >> 8, address & 0xFF, count >> 8, count & 0xFF))
    crc = crc16(head, len(head))
    return head + bytes((crc & 0xFF, crc >> 8))


def answer_bytes(count: int) -> int:
    """Return how long the answer is when it is no exception."""
    return HEAD_BYTES + 2 * count + CRC_BYTES


def registers(answer, length: int, asked: bytes):
    """Return a view of the register bytes in the first length bytes of answer.

    Raises Garbled when it is not whole, not sound, or not for what was asked; Declined for an exception.
    """
    if length < EXCEPTION_BYTES or crc16(answer, length) != 0:
        raise Garbled("no whole frame")
    if answer[0] != asked[0] or answer[1] & ~EXCEPTION != asked[1]:
        raise Garbled("an answer to another request")
    if answer[1] & EXCEPTION:
        raise Declined(answer[2])
    data_bytes = 2 * (asked[4] << 8 | asked[5])
    if answer[2] != data_bytes or length != HEAD_BYTES + data_bytes + CRC_BYTES:
        raise Garbled("another number of registers")
    return memoryview(answer)[HEAD_BYTES : HEAD_BYTES + data_bytes]
