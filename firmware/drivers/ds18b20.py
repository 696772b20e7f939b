"""Temperatures from DS18B20 on a 1-Wire bus, each with its own supply (VDD wired, no parasite power).

Source: Maxim DS18B20 data sheet 19-7487 rev 6: Figure 4 (temperature register, 85 degrees at power-on), Table
2 (conversion times), Figure 9 (scratchpad), "DS18B20 Function Commands".

A part that lost its supply since it was prepared answers 85 degrees with a right check sum. It has forgotten
the alarm bytes as well, and so it is known: start() writes two bytes of our own there (into the scratchpad
only, the EEPROM is left alone). True 85 degrees are believed.
"""

from firmware.drivers import waiting
from firmware.drivers.onewire import crc8, search

TEMPERATURE_C = 3
FAMILIES = (0x28, 0x22)  # DS18B20, DS1822: the same registers
SKIP_ROM = 0xCC
MATCH_ROM = 0x55
CONVERT_T = 0x44
READ_SCRATCHPAD = 0xBE
WRITE_SCRATCHPAD = 0x4E
SCRATCHPAD_BYTES = 9
CONVERSION_MS = 750  # 12 bits
TRIES = 3
OURS = (0x5A, 0xA5)  # alarms at 90 and -37 degrees, which nobody asks for
TWELVE_BITS = 0x7F
LOW_CENTI_C = -5_500
HIGH_CENTI_C = 12_500


class Ds18b20:
    """One temperature per part. bus: an onewire.OneWire.

    roms: their codes (16 hexadecimal digits each), in the order of metrics; without them the bus must hold as
    many parts as there are metrics, and they are taken in the order of the search.
    read() takes 0.75 s and 20 ms more per part, 60 when it is disturbed; 0.3 s to search in vain. Bits on the
    bus are timed by standing still.
    """

    METRICS = (TEMPERATURE_C,)

    def __init__(self, bus, metrics=(TEMPERATURE_C,), roms=None, sleep_ms=waiting.sleep_ms) -> None:
        if roms is not None and len(roms) != len(metrics):
            raise ValueError("%d codes for %d metrics" % (len(roms), len(metrics)))
        self.METRICS = tuple(metrics)
        self._bus = bus
        self._is_named = roms is not None
        self.roms = [bytes.fromhex(rom) for rom in roms or ()]
        self._sleep_ms = sleep_ms
        self._scratchpad = bytearray(SCRATCHPAD_BYTES)

    def start(self) -> None:
        """Find the parts, unless they are named, and prepare them."""
        if not self._is_named:
            found = [rom for rom in search(self._bus) if rom[0] in FAMILIES]
            self.roms = found if len(found) == len(self.METRICS) else []
        for rom in self.roms:
            self._prepare(rom)

    async def read(self) -> tuple:
        """Return the temperatures; None for a part that is gone, disturbed, or lost its supply meanwhile."""
        if not self.roms:
            self.start()
        if not self.roms or not self._bus.reset():
            return (None,) * len(self.METRICS)
        self._bus.writebyte(SKIP_ROM)
        self._bus.writebyte(CONVERT_T)
        await self._sleep_ms(CONVERSION_MS)
        return tuple([self._temperature(rom) for rom in self.roms])

    def _temperature(self, rom):
        if not self._fetch(rom):
            return None
        scratchpad = self._scratchpad
        if (scratchpad[2], scratchpad[3]) != OURS or scratchpad[4] != TWELVE_BITS:
            self._prepare(rom)
            return None
        sixteenths = scratchpad[1] << 8 | scratchpad[0]
        if sixteenths & 0x8000:
            sixteenths -= 0x1_0000
        centi_c = (sixteenths * 25 + 2) >> 2
        return centi_c if LOW_CENTI_C <= centi_c <= HIGH_CENTI_C else None

    def _fetch(self, rom) -> bool:
        """Read a part's scratchpad; return whether its sum is right."""
        for _ in range(TRIES):
            if not self._select(rom):
                return False
            self._bus.writebyte(READ_SCRATCHPAD)
            for index in range(SCRATCHPAD_BYTES):
                self._scratchpad[index] = self._bus.readbyte()
            if crc8(self._scratchpad, SCRATCHPAD_BYTES) == 0:
                return True
        return False

    def _prepare(self, rom) -> None:
        if self._select(rom):
            self._bus.writebyte(WRITE_SCRATCHPAD)
            self._bus.writebyte(OURS[0])
            self._bus.writebyte(OURS[1])
            self._bus.writebyte(TWELVE_BITS)

    def _select(self, rom) -> bool:
        if not self._bus.reset():
            return False
        self._bus.writebyte(MATCH_ROM)
        for byte in rom:
            self._bus.writebyte(byte)
        return True
