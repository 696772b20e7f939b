"""The registers of a BME280: it measures only when it is told to, and that takes time.

Source: Bosch BST-BME280-DS002 revision 1.6, section 5.
"""

import struct

MEASUREMENT_MS = 9.3
AT_RESET = {0xF7: 0x80, 0xF8: 0, 0xF9: 0, 0xFA: 0x80, 0xFB: 0, 0xFC: 0, 0xFD: 0x80, 0xFE: 0}


class FakeBme280:
    """temperature, pressure, humidity: the raw numbers it will measure. words: see calibration()."""

    def __init__(self, time, words, temperature, pressure, humidity, number=0x60):
        self._time = time
        self._words = words
        self.temperature = temperature
        self.pressure = pressure
        self.humidity = humidity
        self._number = number
        self.measurements = 0
        self.measurement_ms = MEASUREMENT_MS
        self.is_stuck = False
        self.lose_power()

    def lose_power(self):
        self._registers = dict(AT_RESET)
        self._registers[0xD0] = self._number
        for address in self._words:
            self._registers[address] = self._words[address]
        self._humidity_setting = 0
        self._ready_at_ms = None

    def register(self, address):
        if self._ready_at_ms is not None and self._time.now_ms >= self._ready_at_ms and not self.is_stuck:
            self._finish()
        if address == 0xF3:
            return 0 if self._ready_at_ms is None else 0x08
        return self._registers.get(address, 0)

    def write_register(self, address, byte):
        self._registers[address] = byte
        if address == 0xF4:
            self._humidity_setting = self._registers.get(0xF2, 0) & 7
            if byte & 3 in (1, 2):
                self._ready_at_ms = self._time.now_ms + self.measurement_ms

    def _finish(self):
        self.measurements += 1
        self._ready_at_ms = None
        setting = self._registers[0xF4]
        self._store(0xF7, self.pressure if setting >> 2 & 7 else 0x80000)
        self._store(0xFA, self.temperature if setting >> 5 else 0x80000)
        humidity = self.humidity if self._humidity_setting else 0x8000
        self._registers[0xFD] = humidity >> 8
        self._registers[0xFE] = humidity & 0xFF
        self._registers[0xF4] = setting & ~3

    def _store(self, address, raw):
        self._registers[address] = raw >> 12
        self._registers[address + 1] = raw >> 4 & 0xFF
        self._registers[address + 2] = (raw & 0xF) << 4


def calibration(t, p, h):
    """Return the registers that hold these words: dig_T1..T3, dig_P1..P9, dig_H1..H6 (Table 16)."""
    h1, h2, h3, h4, h5, h6 = h
    first = struct.pack("<HhhHhhhhhhhh", *(t + p)) + bytes((0, h1))
    nibbles = (h4 & 0xF) | (h5 & 0xF) << 4
    last = struct.pack("<hBbBbb", h2, h3, h4 >> 4, nibbles, h5 >> 4, h6)
    registers = {0x88 + index: byte for index, byte in enumerate(first)}
    registers.update({0xE1 + index: byte for index, byte in enumerate(last)})
    return registers
