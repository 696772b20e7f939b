"""An ADC that gives prepared conversions, over and over."""


class FakeAdc:
    def __init__(self, *conversions):
        self._conversions = conversions
        self._at = 0

    def read_u16(self):
        self._at += 1
        return self._conversions[(self._at - 1) % len(self._conversions)]


class CalibratedAdc:
    """As on an ESP32: its raw numbers are of no use."""

    def __init__(self, microvolts):
        self.microvolts = microvolts

    def read_u16(self):
        return 1

    def read_uv(self):
        return self.microvolts
