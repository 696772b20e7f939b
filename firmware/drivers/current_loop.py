"""A 4-20 mA transmitter over a shunt: pressure level, pressure, or whatever its plate says.

Source: NAMUR NE 43:2003 (signal level for the failure information of digital transmitters): measurements lie
within 3.8..20.5 mA; up to 3.6 mA and from 21 mA on the transmitter says that it failed.
"""

from firmware.drivers.line import Line
from firmware.drivers.options import whole

FAILED_LOW_UA = 3_600
FAILED_HIGH_UA = 21_000
ZERO_UA = 4_000
FULL_UA = 20_000


class CurrentLoop:
    """One value from a loop. analog: an Analog across the shunt.

    low, high: the value at 4 and at 20 mA, scaled as the metric. low may be above high: a borehole's level
    counts downwards. None when the loop is open, shorted, or the transmitter says it failed. Reads at once.
    """

    METRICS = (1,)  # water_level_cm

    def __init__(self, analog, shunt_milliohm: int, low: int, high: int, metric: int = 1) -> None:
        self.METRICS = (metric,)
        self._analog = analog
        self._shunt_milliohm = whole("shunt_milliohm", shunt_milliohm, 1)
        self._line = Line(ZERO_UA, low, FULL_UA, high)

    def start(self) -> None:
        """Nothing to prepare."""

    async def read(self) -> tuple:
        """Return the value, or None."""
        microamps = self._analog.microvolts() * 1000 // self._shunt_milliohm
        if not FAILED_LOW_UA < microamps < FAILED_HIGH_UA:
            return (None,)
        # A little less than 4 mA is an empty tank, not a negative one.
        return (self._line.at(max(microamps, ZERO_UA)),)
