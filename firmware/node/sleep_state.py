"""What a node on a battery knows after a sleep, by RTC memory; without power that is lost. Pure."""

import struct
from binascii import crc32

from firmware.node.battery import STATE_BYTES

_NUMBERS = "<qqIB"
BYTES = struct.calcsize(_NUMBERS) + STATE_BYTES + 4


class SleepState:
    """Times count on the board's clock that goes on through the sleep.

    offset_ms: from that clock to Unix time, 0 when no hub has told it. row_at_ms: when the last row was.
    next_number, turn: of the broadcasts; see StrideCounter and Broadcaster. rhythm: BatteryMode.state().
    """

    def __init__(self) -> None:
        self.offset_ms = self.row_at_ms = self.next_number = self.turn = 0
        self.rhythm = bytes(STATE_BYTES)

    def encode(self) -> bytes:
        """Return it as it is kept, BYTES long."""
        numbers = struct.pack(_NUMBERS, self.offset_ms, self.row_at_ms, self.next_number, self.turn)
        return numbers + self.rhythm + struct.pack("<I", crc32(numbers + self.rhythm))


def decode(data) -> "SleepState | None":
    """Return what was kept; None when this is none of it."""
    if len(data) != BYTES or struct.unpack("<I", bytes(data[-4:]))[0] != crc32(bytes(data[:-4])):
        return None
    state = SleepState()
    numbers = struct.unpack(_NUMBERS, bytes(data[: -4 - STATE_BYTES]))
    state.offset_ms, state.row_at_ms, state.next_number, state.turn = numbers
    state.rhythm = bytes(data[-4 - STATE_BYTES : -4])
    return state
