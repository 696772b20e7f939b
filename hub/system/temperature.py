"""The processor's temperature, from whoever knows it."""

import re
from collections.abc import Mapping, Sequence

# Sensors of the processor as Linux names them, best first: Raspberry Pi, other ARM boards, Intel, AMD.
PROCESSOR_SENSORS = ("cpu_thermal", "soc_thermal", "cpu-thermal", "coretemp", "k10temp", "zenpower", "acpitz")
COLDEST_C, HOTTEST_C = -40.0, 125.0  # what silicon survives; some sensors report 0 K or 255 instead of none
VCGENCMD_ANSWER = re.compile(r"temp=(-?\d+(?:\.\d+)?)'C")


def from_vcgencmd(answer: str) -> float | None:
    """Return °C from the answer of `vcgencmd measure_temp`: temp=48.3'C.

    Source: raspberrypi.com/documentation/computers/os.html, vcgencmd.
    """
    found = VCGENCMD_ANSWER.search(answer)
    return _plausible(float(found[1])) if found else None


def from_sensors(sensors: Mapping[str, Sequence[float]]) -> float | None:
    """Return °C of the processor from the readings of all sensors by name; None when none is one."""
    for name in PROCESSOR_SENSORS:
        plausible = [value for value in map(_plausible, sensors.get(name, ())) if value is not None]
        if plausible:
            return max(plausible)
    return None


def _plausible(celsius: float) -> float | None:
    return celsius if COLDEST_C < celsius < HOTTEST_C and celsius != 0 else None
