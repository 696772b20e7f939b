"""Pressure and temperature from a KELLER 4LD to 9LD on I2C: pressure level without an analog path.

Source: KELLER AG, "Description of the Communication Protocol for Series 4 LD ... 9 LD", version 2.5 (2014):
data frame, status byte, and P = (raw - 16384) (Pmax - Pmin) / 32768 + Pmin, T = (raw / 16 - 24) 0.05 - 50.
"""

from firmware.drivers import waiting
from firmware.drivers.line import Line

PRESSURE_BAR = 12
TEMPERATURE_C = 13
REQUEST = b"\xac"
CONVERSION_MS = 9  # 8 at most
POLLS = 3
RAW_LOW = 16_384
RAW_HIGH = 49_152
STATUS_ALWAYS = 0x40
STATUS_BUSY = 0x20
STATUS_FAULTS = 0x9C  # not ours, not in normal mode, memory error


class KellerLd:
    """One value from the pressure, and the temperature. i2c: a machine.I2C.

    low, high: the value at the part's Pmin and Pmax, scaled as the first metric; for 0..1 bar above ambient
    in water and water_level_cm these are 0 and 10197 (mm). read() takes at most 30 ms.
    """

    METRICS = (PRESSURE_BAR, TEMPERATURE_C)

    def __init__(
        self, i2c, low: int, high: int, metrics=METRICS, address: int = 0x40, sleep_ms=waiting.sleep_ms
    ) -> None:
        self.METRICS = tuple(metrics)
        self._i2c = i2c
        self._line = Line(RAW_LOW, low, RAW_HIGH, high)
        self._address = address
        self._sleep_ms = sleep_ms
        self._answer = bytearray(5)

    def start(self) -> None:
        """Nothing to prepare."""

    async def read(self) -> tuple:
        """Return both values; None for both when the part does not answer or reports a fault."""
        try:
            is_there = await self._measure()
        except OSError:
            is_there = False
        if not is_there:
            return (None, None)
        answer = self._answer
        pressure_raw = answer[1] << 8 | answer[2]
        temperature_raw = answer[3] << 8 | answer[4]
        return (self._line.at(pressure_raw), ((temperature_raw >> 4) - 24) * 5 - 5_000)

    async def _measure(self) -> bool:
        self._i2c.writeto(self._address, REQUEST)
        for _ in range(POLLS):
            await self._sleep_ms(CONVERSION_MS)
            self._i2c.readfrom_into(self._address, self._answer)
            status = self._answer[0]
            if not status & STATUS_BUSY:
                return status & STATUS_ALWAYS != 0 and not status & STATUS_FAULTS
        return False
