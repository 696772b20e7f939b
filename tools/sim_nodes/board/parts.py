# mypy: ignore-errors
"""Stands for the module machine: pins, converters and buses with something at the other end."""

import time

from tools.sim_nodes.board.world import WORLD

_FRAME_EVERY_MS = 100
_RTC_BEGAN_MS = 1_750_000_000_000


class Pin:
    """A pin that remembers what it was set to."""

    IN, OUT, PULL_UP, IRQ_RISING = 0, 1, 2, 4
    levels = {}

    def __init__(self, number, *_mode):
        self.number = number

    def value(self, level=None):
        """Set or return the level."""
        if level is None:
            return Pin.levels.get(self.number, 0)
        Pin.levels[self.number] = level
        return None


class ADC:
    """Microvolts, 0.6 V to 3 V unless set: 4 to 20 mA over 150 ohm."""

    def __init__(self, pin):
        self._name = "adc%d" % pin.number

    def read_uv(self):
        """Return the voltage."""
        return WORLD.value(self._name, 600_000, 3_000_000)

    def read_u16(self):
        """Return the voltage as a share of 3.3 V."""
        return self.read_uv() * 65_535 // 3_300_000


class UART:
    """An A02YYUW at the other end: a distance in mm ten times a second, 500 to 2500 unless set."""

    def __init__(self, number, _baud, **_options):
        self._name = "uart%d" % number
        self._read_at_ms = time.ticks_ms()
        self._waiting = bytearray()

    def any(self):
        """Return how many bytes wait."""
        now_ms = time.ticks_ms()
        frames = min(5, time.ticks_diff(now_ms, self._read_at_ms) // _FRAME_EVERY_MS)
        for _ in range(frames):
            self._waiting.extend(self._frame())
        if frames:
            self._read_at_ms = now_ms
        return len(self._waiting)

    def readinto(self, buffer, count=None):
        """Read without waiting."""
        count = min(len(self._waiting), len(buffer) if count is None else count)
        buffer[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count or None

    def write(self, data):
        """Take what nobody listens to."""
        return len(data)

    def _frame(self):
        distance_mm = WORLD.value(self._name, 500, 2500)
        high, low = distance_mm >> 8, distance_mm & 0xFF
        return bytes((0xFF, high, low, (0xFF + high + low) & 0xFF))


class Counter:
    """Pulses, 2 to 20 a second unless set."""

    def __init__(self, _number, pin):
        self._name = "pulse%d" % pin.number
        self._began_ms = time.ticks_ms()

    def value(self):
        """Return the pulses so far."""
        per_s = WORLD.value(self._name, 11, 11)
        return per_s * time.ticks_diff(time.ticks_ms(), self._began_ms) // 1000


class OneWire:
    """A bus with one DS18B20: 5 to 25 degrees, in hundredths, unless set."""

    ROM = b"\x28\x01\x02\x03\x04\x05\x06"

    def __init__(self, pin):
        self._name = "onewire%d" % pin
        self._rom = self.ROM + bytes((_crc8(self.ROM),))
        self._scratchpad = bytearray(b"\x50\x05\x4b\x46\x7f\xff\x0c\x10\x00")
        self._heard = []
        self._answer = []

    def reset(self):
        """Return whether somebody is there."""
        self._heard = []
        self._answer = []
        return True

    def writebyte(self, byte):
        """Hear a byte."""
        self._heard.append(byte)
        if byte == 0xF0 and len(self._heard) == 1:
            self._answer = [bit for byte in self._rom for bit in _bits(byte)]
        elif byte == 0xBE:
            self._measure()
            self._answer = [bit for byte in self._scratchpad for bit in _bits(byte)]
        elif self._heard[-4:-3] == [0x4E]:
            self._scratchpad[2:5] = bytes(self._heard[-3:])

    def readbit(self):
        """Return a bit, and in a search its complement with the next call."""
        if self._heard == [0xF0]:
            self._heard = [0xF0, None]
            return self._answer[0]
        self._heard = [0xF0]
        return 1 - self._answer[0]

    def writebit(self, _bit):
        """Hear which way a search goes on."""
        self._answer.pop(0)
        self._heard = [0xF0]

    def readbyte(self):
        """Return a byte."""
        byte = 0
        for number in range(8):
            byte |= self._answer.pop(0) << number
        return byte

    def _measure(self):
        sixteenths = WORLD.value(self._name, 500, 2500) * 16 // 100
        self._scratchpad[0], self._scratchpad[1] = sixteenths & 0xFF, sixteenths >> 8 & 0xFF
        self._scratchpad[8] = _crc8(self._scratchpad[:8])


def _bits(byte):
    return [byte >> number & 1 for number in range(8)]


def _crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


class RTC:
    """Memory that outlasts a deep sleep. file: what it is kept in, open while the board has power."""

    file = None

    def memory(self, data=None):
        """Return what was kept, or keep data."""
        RTC.file.seek(0)
        if data is None:
            return RTC.file.read()
        RTC.file.write(data)
        RTC.file.flush()
        return None


def rtc_ms():
    """Return milliseconds on a clock that goes on through the sleep, and knows nothing of Unix."""
    return time.time_ns() // 1_000_000 - _RTC_BEGAN_MS


def battery_mv():
    """Return the battery's voltage; 0 unless set."""
    return WORLD.value("battery", 0, 0)


def unique_id():
    """Return a number."""
    return b"simulate"


def time_pulse_us(_pin, _level, _timeout_us):
    """Hear no echo."""
    return -2
