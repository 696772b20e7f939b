"""An analog input: the voltage at the pin, freed from spikes."""

SAMPLES = 16
FULL_SCALE = 65_535  # of read_u16, whatever the converter's own width is


class Analog:
    """The voltage at an ADC pin. adc: a machine.ADC, attenuation set by who made it.

    full_scale_uv: what read_u16 calls 65535 when there is no read_uv: the reference, 3.3 V on the rp2.
    read_uv is preferred: it applies the factory's calibration, and an ESP32's converter is far from straight
    without (ESP-IDF Programming Guide, "ADC Calibration Driver").
    Reading takes 16 conversions, below 2 ms, into one list made before.
    """

    def __init__(self, adc, full_scale_uv: int = 3_300_000) -> None:
        self._adc = adc
        self._full_scale_uv = full_scale_uv
        self._has_microvolts = hasattr(adc, "read_uv")
        self._samples = [0] * SAMPLES

    def microvolts(self) -> int:
        """Return the mean of the middle half of the conversions: radio bursts are spikes, not noise."""
        samples = self._samples
        read = self._adc.read_uv if self._has_microvolts else self._adc.read_u16
        for index in range(SAMPLES):
            samples[index] = read()
        samples.sort()
        total = 0
        for index in range(SAMPLES // 4, SAMPLES - SAMPLES // 4):
            total += samples[index]
        mean = total // (SAMPLES // 2)
        return mean if self._has_microvolts else mean * self._full_scale_uv // FULL_SCALE
