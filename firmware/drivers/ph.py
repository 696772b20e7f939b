"""pH from a glass electrode behind an amplifier, calibrated in two buffers.

The electrode's slope grows with the absolute temperature and its lines cross near pH 7 (Nernst; IUPAC
Recommendations 2002, "Measurement of pH", Pure Appl. Chem. 74, 2169, section 7): from the slope of the
calibration at its temperature follows that at any other.
"""

from firmware.drivers.line import Line, divided
from firmware.drivers.options import whole

PH = 5
NEUTRAL = 700
ZERO_C_IN_CENTI_K = 27_315
LIMIT = 1_400


class Ph:
    """pH. analog: an Analog at the amplifier's output, whatever its gain, offset or sign.

    calibration: two pairs (microvolts, pH times 100), taken at calibrated_at_centi_c.
    temperature: returns the water's temperature in 0.01 degrees, or None: then there is no value either.
    Without it the water counts as warm as the buffers were. None outside pH 0..14: the electrode is dry or
    broken. Reads at once.
    """

    METRICS = (PH,)

    def __init__(
        self, analog, calibration, calibrated_at_centi_c: int = 2_500, temperature=None, metric: int = PH
    ) -> None:
        (uv0, ph0), (uv1, ph1) = calibration
        self.METRICS = (metric,)
        self._analog = analog
        self._neutral_uv = Line(ph0, uv0, ph1, uv1).at(NEUTRAL)
        self._uv = uv1 - uv0
        self._steps_kelvin = (ph1 - ph0) * (
            ZERO_C_IN_CENTI_K + whole("calibrated_at_centi_c", calibrated_at_centi_c, -1_000, 10_000)
        )
        if self._uv == 0:
            raise ValueError("both buffers gave %d microvolts: the electrode does not answer" % uv0)
        self._at_centi_c = calibrated_at_centi_c
        self._temperature = temperature

    def start(self) -> None:
        """Nothing to prepare."""

    async def read(self) -> tuple:
        """Return ph, or None."""
        centi_c = self._temperature() if self._temperature else self._at_centi_c
        if centi_c is None:
            return (None,)
        offset_uv = self._analog.microvolts() - self._neutral_uv
        ph = NEUTRAL + divided(offset_uv * self._steps_kelvin, self._uv * (ZERO_C_IN_CENTI_K + centi_c))
        return (ph if 0 <= ph <= LIMIT else None,)
