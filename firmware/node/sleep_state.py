"""What a node on a battery knows after a sleep, by RTC memory; without power that is lost. Pure."""

import struct
from binascii import crc32

from firmware.node.battery import STATE_BYTES
from shared_schema.reports import encode_event

_NUMBERS = "<qqIB"
BYTES = struct.calcsize(_NUMBERS) + STATE_BYTES + 4  # without events
EVENTS_BYTES = 1000  # of the 2048 that an ESP32 has


class SleepState:
    """Times count on the board's clock that goes on through the sleep.

    offset_ms: from that clock to Unix time, 0 when no hub has told it. row_at_ms: when the last row was.
    next_number, turn: of the broadcasts; see StrideCounter and Broadcaster. rhythm: BatteryMode.state().
    events: payloads of EVENT that no hub has heard, the oldest first.
    """

    def __init__(self) -> None:
        self.offset_ms = self.row_at_ms = self.next_number = self.turn = 0
        self.rhythm = bytes(STATE_BYTES)
        self.events = []

    def keep(self, events) -> None:
        """Take events, each once; the newest when not all fit."""
        self.events, room = [], EVENTS_BYTES
        for event in reversed(events):
            said = encode_event(event)
            if said not in self.events and room >= len(said) + 2:
                self.events.insert(0, said)
                room -= len(said) + 2

    def encode(self) -> bytes:
        """Return it as it is kept, BYTES + EVENTS_BYTES long at most."""
        numbers = struct.pack(_NUMBERS, self.offset_ms, self.row_at_ms, self.next_number, self.turn)
        events = [struct.pack("<H", len(said)) + said for said in self.events]
        data = numbers + self.rhythm + b"".join(events)
        return data + struct.pack("<I", crc32(data))


def decode(data) -> "SleepState | None":
    """Return what was kept; None when this is none of it."""
    data, crc = bytes(data[:-4]), bytes(data[-4:])
    if len(data) < BYTES - 4 or struct.unpack("<I", crc)[0] != crc32(data):
        return None
    state = SleepState()
    at = BYTES - 4
    numbers = struct.unpack(_NUMBERS, data[: at - STATE_BYTES])
    state.offset_ms, state.row_at_ms, state.next_number, state.turn = numbers
    state.rhythm = data[at - STATE_BYTES : at]
    while at < len(data):
        end = at + 2 + data[at] + 256 * data[at + 1]
        state.events.append(data[at + 2 : end])
        at = end
    return state
