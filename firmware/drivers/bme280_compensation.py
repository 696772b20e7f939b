"""What a BME280's raw numbers mean, by the calibration words of that very part.

Source: Bosch BST-BME280-DS002 revision 1.6 (2018), Table 16 (where the words lie) and 4.2.3 (the formulas, in
64-bit integers for the pressure). In single-precision floats pressure would be off by several Pa.
"""

import struct

FIRST_WORDS = 0x88
FIRST_WORDS_BYTES = 26
LAST_WORDS = 0xE1
LAST_WORDS_BYTES = 7


class Calibration:
    """The words of one part. first: the 26 bytes from 0x88; last: the 7 bytes from 0xE1."""

    def __init__(self, first, last) -> None:
        self.t = struct.unpack_from("<Hhh", first, 0)
        self.p = struct.unpack_from("<Hhhhhhhhh", first, 6)
        h2, h3, h4_high, low, h5_high, h6 = struct.unpack("<hBbBbb", last)
        # H4 and H5 are of 12 bits with sign and share the byte of their low halves.
        self.h = (first[25], h2, h3, h4_high * 16 + (low & 0x0F), h5_high * 16 + (low >> 4), h6)

    def fine_temperature(self, raw: int) -> int:
        """Return the temperature in 1/5120 degrees, which the other formulas need."""
        t1, t2, t3 = self.t
        linear = ((raw >> 3) - (t1 << 1)) * t2 >> 11
        half = (raw >> 4) - t1
        return linear + (((half * half >> 12) * t3) >> 14)

    def pascals_256(self, raw: int, fine: int):
        """Return the pressure in 1/256 Pa; None for words that no part has."""
        p1, p2, p3, p4, p5, p6, p7, p8, p9 = self.p
        offset = fine - 128_000
        square = offset * offset
        shift = square * p6 + ((offset * p5) << 17) + (p4 << 35)
        scale = ((1 << 47) + (square * p3 >> 8) + ((offset * p2) << 12)) * p1 >> 33
        if scale == 0:
            return None
        pressure = (((1_048_576 - raw) << 31) - shift) * 3125 // scale
        upper = pressure >> 13
        return ((pressure + (p9 * upper * upper >> 25) + (p8 * pressure >> 19)) >> 8) + (p7 << 4)

    def percent_1024(self, raw: int, fine: int) -> int:
        """Return the relative humidity in 1/1024 %."""
        h1, h2, h3, h4, h5, h6 = self.h
        x = fine - 76_800
        slope = ((x * h6 >> 10) * ((x * h3 >> 11) + 32_768) >> 10) + 2_097_152
        x = (((raw << 14) - (h4 << 20) - h5 * x + 16_384) >> 15) * ((slope * h2 + 8_192) >> 14)
        x -= ((x >> 15) * (x >> 15) >> 7) * h1 >> 4
        return min(max(x, 0), 419_430_400) >> 12
