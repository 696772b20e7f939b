"""The battery's voltage, through a divider.

V_battery = V_pin * (upper + lower) / lower.
"""

from firmware.drivers.line import divided
from firmware.drivers.options import whole

BATTERY_V = 6
_UV_PER_STEP = 10_000  # battery_v has two decimals


class Battery:
    """Battery voltage. analog: an Analog. upper_ohm: to the battery; lower_ohm: to ground.

    The divider's middle needs 100 nF to ground when the resistors are above 10 kOhm: the converter draws its
    charge from there. Reads at once.
    """

    METRICS = (BATTERY_V,)

    def __init__(self, analog, upper_ohm: int, lower_ohm: int, metric: int = BATTERY_V) -> None:
        self.METRICS = (metric,)
        self._analog = analog
        self._lower_ohm = whole("lower_ohm", lower_ohm, 1)
        self._whole_ohm = whole("upper_ohm", upper_ohm, 0) + lower_ohm

    def start(self) -> None:
        """Nothing to prepare."""

    async def read(self) -> tuple:
        """Return battery_v."""
        return (divided(self._analog.microvolts() * self._whole_ohm, self._lower_ohm * _UV_PER_STEP),)
