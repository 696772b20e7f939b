"""Makes drivers from their entries in the configuration, and reads those of one kind together.

{"driver": "current_loop", "adc": 34, "shunt_milliohm": 150000, "low": 0, "high": 5000} is CurrentLoop of
firmware/drivers/current_loop.py with these arguments. Entries that name hardware become it:
adc: pin. uart: [number, baud, tx, rx], i2c: [number, scl, sda], the pins as the board has them when left out.
onewire: pin. pulse: pin of a counter. trigger_pin, echo_pin and the like: pins.
"""

import asyncio
import gc
import sys

from firmware.node.settings import Refused
from shared_schema.enums import Quality

READ_MOST_S = 10  # drivers state shorter bounds; this one holds for the broken ones
UNIT_PPM = 1_000_000


def make_sensor(board, now_ms, entry, total_pulses: int = 0):
    """Return the driver that a config.Sensor asks for, not started. Raises Refused.

    total_pulses: what a counter had counted before this boot.
    """
    try:
        module = __import__("firmware.drivers." + entry.driver, None, None, ("*",))
        driver = getattr(module, class_name(entry.driver))
        gc.collect()  # modules come whole into the memory, see main.py
    except (ImportError, AttributeError):
        raise Refused("there is no driver %r in this release" % entry.driver) from None
    try:
        return driver(**_arguments(board, now_ms, entry.options, total_pulses))
    except (TypeError, ValueError, OSError) as error:
        raise Refused("driver %s: %s" % (entry.driver, error)) from None


def class_name(driver: str) -> str:
    """Return CurrentLoop for current_loop."""
    return "".join([part[0].upper() + part[1:] for part in driver.split("_") if part])


def _arguments(board, now_ms, options: dict, total_pulses: int) -> dict:
    """Return what the constructor takes: hardware for the entries that name some, the others as they are."""
    arguments = {}
    for key, value in options.items():
        if key == "adc":
            from firmware.drivers.analog import Analog  # noqa: PLC0415 - not every node has one

            arguments["analog"] = Analog(board.adc(value))
        elif key == "uart":
            arguments["uart"] = board.uart(*value)
        elif key == "i2c":
            arguments["i2c"] = board.i2c(*value)
        elif key == "onewire":
            arguments["bus"] = board.onewire(value)
        elif key == "pulse":
            arguments["counter"], arguments["now_ms"] = board.pulse_counter(value), now_ms
            arguments["total_pulses"] = total_pulses
        elif key.endswith("_pin"):
            arguments[key[:-4]] = board.pin(value)
            if key == "echo_pin":
                arguments["time_pulse_us"] = board.time_pulse_us
        else:
            arguments[key] = value
    return arguments


class SensorGroup:
    """The drivers of one kind. node: whose board, calibration, totals and events they use.

    places: of the kind's fields, those that are measured.
    """

    def __init__(self, node, rhythm) -> None:
        self.kind = rhythm.kind
        self._calibration = node.calibration
        self._events = node.events
        self._pulses = node.totals.pulses
        self._names = [entry.driver for entry in rhythm.sensors]
        self._drivers = [
            make_sensor(
                node.board, node.ticks.now_ms, rhythm.sensors[index], self._pulses.get(self._place(index), 0)
            )
            for index in range(len(rhythm.sensors))
        ]
        self._indexes = [self._places(driver) for driver in self._drivers]
        self.places = [place for indexes in self._indexes for place in indexes]
        self.values = [None] * len(self.kind.fields)
        self.quality = Quality.GOOD

    def _place(self, index: int) -> str:
        return "%s.%d" % (self.kind.name, index)

    def _places(self, driver):
        ids = [metric.id for metric in self.kind.fields]
        for metric in driver.METRICS:
            if metric not in ids:
                raise Refused("%s does not measure metric %d" % (self.kind.name, metric))
        return [ids.index(metric) for metric in driver.METRICS]

    def start(self) -> None:
        """Start all drivers. Raises what a driver raises."""
        for driver in self._drivers:
            driver.start()

    async def read(self) -> None:
        """Fill values and quality with what the sensors say now."""
        self.quality = Quality.GOOD
        await asyncio.gather(*[self._read_one(index) for index in range(len(self._drivers))])

    async def _read_one(self, index: int) -> None:
        found = await self._asked(index)
        if hasattr(self._drivers[index], "total_pulses"):
            self._pulses[self._place(index)] = self._drivers[index].total_pulses
        places = self._indexes[index]
        for number in range(len(places)):
            self._take(places[number], None if found is None else found[number])

    async def _asked(self, index: int):
        name = self._names[index]
        try:
            found = await asyncio.wait_for(self._drivers[index].read(), READ_MOST_S)
        except Exception as error:  # noqa: BLE001 - one broken driver must not end the others
            self._events.trouble("sensor_failed", name, repr(error))
            if hasattr(sys, "print_exception"):
                sys.print_exception(error)
            return None
        if found is None or None in found:
            self._events.trouble("sensor_silent", name, "no value")
        else:
            self._events.is_over("sensor_silent", name)
            self._events.is_over("sensor_failed", name)
        return found

    def _take(self, place: int, value) -> None:
        metric = self.kind.fields[place]
        if value is not None:
            scale_ppm, offset = self._calibration.get(metric.id, (UNIT_PPM, 0))
            value = value * scale_ppm // UNIT_PPM + offset
            factor = 10**metric.decimals
            if not metric.low * factor <= value <= metric.high * factor:
                value = None
        self.values[place] = value
        if value is None:
            self.quality = Quality.BAD
