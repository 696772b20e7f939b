"""Dissolved solids from an analog conductivity probe, compensated for temperature.

Source: DFRobot wiki, "Gravity: Analog TDS Sensor / Meter" (SEN0244), section "Basic Tutorial": the voltage at
25 degrees is V / (1 + 0.02 (t - 25)), and ppm = (133.42 V^3 - 255.86 V^2 + 857.39 V) / 2.
"""

from firmware.drivers.line import Line

TDS_PPM = 4
AT_CENTI_C = 2_500
PROBE_LIMIT_UV = 2_300_000  # the module's output range; above, it is saturated


class Tds:
    """TDS in ppm. analog: an Analog.

    calibration: two pairs (ppm shown without calibration, ppm of the solution), for example ((0, 0), (690,
    707)). temperature: returns the water's temperature in 0.01 degrees, or None: then there is no value
    either. Without it the water counts as 25 degrees warm; each degree of error is 2 % of the value. Reads at
    once.
    """

    METRICS = (TDS_PPM,)

    def __init__(self, analog, calibration=((0, 0), (1000, 1000)), temperature=None) -> None:
        (shown0, true0), (shown1, true1) = calibration
        self._analog = analog
        self._line = Line(shown0, true0, shown1, true1)
        self._temperature = temperature

    def start(self) -> None:
        """Nothing to prepare."""

    async def read(self) -> tuple:
        """Return tds_ppm, or None."""
        centi_c = self._temperature() if self._temperature else AT_CENTI_C
        microvolts = self._analog.microvolts()
        if centi_c is None or microvolts > PROBE_LIMIT_UV:
            return (None,)
        return (max(0, self._line.at(shown_ppm(microvolts, centi_c))),)


def shown_ppm(microvolts: int, centi_c: int) -> int:
    """Return what the maker's curve makes of a voltage at a temperature, uncalibrated."""
    # 2 % a degree is 200 millionths for each 0.01 degree.
    at_25_mv = microvolts * 1000 // (1_000_000 + 200 * (centi_c - AT_CENTI_C))
    # Coefficients times 100, millivolts to the third: a float of 24 bits would be off by a ppm.
    curve = (13_342 * at_25_mv - 25_586_000) * at_25_mv + 85_739_000_000
    return curve * at_25_mv // 200_000_000_000
