"""Temperature, humidity and pressure of the air from a BME280; a BMP280 has no humidity.

Source: Bosch BST-BME280-DS002 revision 1.6 (2018): 3.3.3 (forced mode), 5.4 (registers), 9.1 (measurement
time).
"""

from firmware.drivers import waiting
from firmware.drivers.bme280_compensation import (
    FIRST_WORDS,
    FIRST_WORDS_BYTES,
    LAST_WORDS,
    LAST_WORDS_BYTES,
    Calibration,
)

TEMPERATURE_C = 30
HUMIDITY_PERCENT = 31
PRESSURE_HPA = 32
ID = 0xD0
BME280 = 0x60
BMP280 = 0x58
CTRL_HUM = 0xF2
STATUS = 0xF3
CTRL_MEAS = 0xF4
DATA = 0xF7
DATA_BYTES = 8
ONE_SAMPLE = b"\x01"
FORCE_ONE_SAMPLE = b"\x25"  # temperature and pressure once each, then to sleep again
MEASURING = 0x08
MEASUREMENT_MS = 10  # 9.3 at most
POLLS = 5
SKIPPED = 0x8_0000  # what a value reads that was not measured
SKIPPED_HUMIDITY = 0x8000


class Bme280:
    """temperature_c, humidity_percent, pressure_hpa where the part hangs, not at sea level.

    i2c: a machine.I2C. address: 0x76, or 0x77 with SDO high. It sleeps between reads (0.1 uA) and does not
    warm itself. read() takes at most 60 ms; a part that was away is found again.
    """

    METRICS = (TEMPERATURE_C, HUMIDITY_PERCENT, PRESSURE_HPA)

    def __init__(self, i2c, address: int = 0x76, sleep_ms=waiting.sleep_ms) -> None:
        self._i2c = i2c
        self._address = address
        self._sleep_ms = sleep_ms
        self._calibration = None
        self._has_humidity = False
        self._status = bytearray(1)
        self._data = bytearray(DATA_BYTES)

    def start(self) -> None:
        """Read the calibration words."""
        try:
            self._calibration = self._read_calibration()
        except OSError:
            self._calibration = None

    async def read(self) -> tuple:
        """Measure once; None for each value when the part does not answer."""
        if self._calibration is None:
            self.start()
        try:
            if self._calibration is not None and await self._measure():
                return self._values()
        except OSError:
            self._calibration = None  # another part may hang there next time
        return (None, None, None)

    def _read_calibration(self):
        number = self._registers(ID, 1)[0]
        if number not in (BME280, BMP280):
            return None
        self._has_humidity = number == BME280
        first = self._registers(FIRST_WORDS, FIRST_WORDS_BYTES)
        if not any(first):
            return None  # the words are copied from the part's memory in its first 2 ms
        last = (
            self._registers(LAST_WORDS, LAST_WORDS_BYTES) if self._has_humidity else bytes(LAST_WORDS_BYTES)
        )
        return Calibration(first, last)

    def _registers(self, register: int, length: int):
        return self._i2c.readfrom_mem(self._address, register, length)

    async def _measure(self) -> bool:
        """Fill the data registers; return False when the part does not finish."""
        if self._has_humidity:  # takes effect with the write to ctrl_meas (5.4.3)
            self._i2c.writeto_mem(self._address, CTRL_HUM, ONE_SAMPLE)
        self._i2c.writeto_mem(self._address, CTRL_MEAS, FORCE_ONE_SAMPLE)
        for _ in range(POLLS):
            await self._sleep_ms(MEASUREMENT_MS)
            self._i2c.readfrom_mem_into(self._address, STATUS, self._status)
            if not self._status[0] & MEASURING:
                self._i2c.readfrom_mem_into(self._address, DATA, self._data)
                return True
        return False

    def _values(self) -> tuple:
        data = self._data
        raw_p = data[0] << 12 | data[1] << 4 | data[2] >> 4
        raw_t = data[3] << 12 | data[4] << 4 | data[5] >> 4
        raw_h = data[6] << 8 | data[7]
        if raw_t == SKIPPED:
            return (None, None, None)
        fine = self._calibration.fine_temperature(raw_t)
        pascals_256 = None if raw_p == SKIPPED else self._calibration.pascals_256(raw_p, fine)
        return (
            (fine * 5 + 128) >> 8,
            self._humidity(raw_h, fine),
            None if pascals_256 is None else (pascals_256 + 1280) // 2560,
        )

    def _humidity(self, raw: int, fine: int):
        if not self._has_humidity or raw == SKIPPED_HUMIDITY:
            return None
        return (self._calibration.percent_1024(raw, fine) * 10 + 512) >> 10
