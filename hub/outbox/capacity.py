"""How long the outbox can go on storing."""

import math
from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Rows per second over the last minutes. window_s: after which the past counts for a third."""

    window_s: float = 300.0
    rows_per_s: float | None = None

    def see(self, rows: int, elapsed_s: float) -> None:
        """Take in what was stored over the last moment."""
        if elapsed_s <= 0:
            return
        now = rows / elapsed_s
        weight = 1 - math.exp(-elapsed_s / self.window_s)
        self.rows_per_s = (
            now if self.rows_per_s is None else self.rows_per_s + weight * (now - self.rows_per_s)
        )


def capacity_s(
    rows_per_s: float | None, free_rows: int, free_bytes: int, bytes_per_row: float
) -> float | None:
    """Return for how many seconds rows still fit at that rate; None while there is no rate."""
    if not rows_per_s:
        return None
    by_bytes = free_bytes / (rows_per_s * max(bytes_per_row, 1.0))
    return max(0.0, min(free_rows / rows_per_s, by_bytes))
