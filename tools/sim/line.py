"""How long frames and silences take on a serial line. Owns the arithmetic, not the waiting.

Source: MODBUS over Serial Line, Specification and Implementation Guide V1.02, sections 2.5.1 and 2.5.1.1.
"""

from dataclasses import dataclass
from typing import Literal

Parity = Literal["none", "even", "odd"]

FIXED_GAP_ABOVE_BAUD = 19_200  # section 2.5.1.1: faster lines use fixed timers
FIXED_GAP_S = 0.001_75
GAP_CHARS = 3.5


@dataclass(frozen=True, slots=True)
class Line:
    """The settings of a line. A character is 11 bits, or 10 with neither parity nor a second stop bit."""

    baud: int = 19_200
    parity: Parity = "none"
    stop_bits: int = 1

    @property
    def char_bits(self) -> int:
        """Return start, data, parity and stop bits of one character."""
        return 1 + 8 + (self.parity != "none") + self.stop_bits

    @property
    def char_s(self) -> float:
        """Return how long one character takes."""
        return self.char_bits / self.baud

    @property
    def gap_s(self) -> float:
        """Return the silence that parts two frames."""
        return FIXED_GAP_S if self.baud > FIXED_GAP_ABOVE_BAUD else GAP_CHARS * self.char_s

    def frame_s(self, length_bytes: int) -> float:
        """Return how long a frame takes."""
        return length_bytes * self.char_s

    def transaction_s(self, request_bytes: int, reply_bytes: int, turnaround_s: float = 0.0) -> float:
        """Return the least time from the start of one request to the start of the next."""
        return self.frame_s(request_bytes + reply_bytes) + 2 * self.gap_s + turnaround_s
