"""What pulse counters have counted since ever: kept in memory, and on flash with the rows that tell of it.

A power cut costs what was counted since the last flush of the ring, KEEP_EVERY_MS at most where rows are
rarer. Totals are written before the rows, so a volume that has a number never comes back smaller; only where
rows are flushed more often than KEEP_LEAST_MS it may, by what was counted in that time.
"""

from firmware.node.files import read_json, write_json

NAME = "totals.json"
KEEP_EVERY_MS = 60_000
# Five writes take one erase on LittleFS, of a block that changes after a hundred (measured, 256 bytes
# programmed at once). Every 10 s that is 630,000 erases a year, 6,300 of each of a hundred free blocks that
# bear 100,000.
KEEP_LEAST_MS = 10_000


class Totals:
    """pulses: by counter, as in {"flow.0": 1234}. root: where the file lies, with a slash at the end."""

    def __init__(self, root: str) -> None:
        self._path = root + NAME
        self.pulses = read_json(self._path) or {}
        self._kept = self.pulses.copy()
        self._kept_ms = 0

    def keep_up(self, now_ms: int, is_row_due: bool = False) -> None:
        """Write what has changed, when it is time. is_row_due: rows that tell of it go to flash next.

        Raises OSError.
        """
        if now_ms - self._kept_ms >= (KEEP_LEAST_MS if is_row_due else KEEP_EVERY_MS):
            self._kept_ms = now_ms
            self.keep()

    def keep(self) -> None:
        """Write what has changed. Raises OSError."""
        if self.pulses != self._kept:
            write_json(self._path, self.pulses)
            self._kept = self.pulses.copy()
