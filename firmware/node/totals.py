"""What pulse counters have counted since ever: kept in memory, and on flash now and then.

A power cut costs what was counted since the last time it was written, never more than KEEP_EVERY_MS of it.
"""

from firmware.node.files import read_json, write_json

NAME = "totals.json"
KEEP_EVERY_MS = 600_000  # a small file: 52,560 writes a year, which LittleFS spreads over the flash


class Totals:
    """pulses: by counter, as in {"flow.0": 1234}. root: where the file lies, with a slash at the end."""

    def __init__(self, root: str) -> None:
        self._path = root + NAME
        self.pulses = read_json(self._path) or {}
        self._kept = self.pulses.copy()
        self._due_ms = KEEP_EVERY_MS

    def keep_up(self, now_ms: int) -> None:
        """Write what has changed, when it is time. Raises OSError."""
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + KEEP_EVERY_MS
            self.keep()

    def keep(self) -> None:
        """Write what has changed. Raises OSError."""
        if self.pulses != self._kept:
            write_json(self._path, self.pulses)
            self._kept = self.pulses.copy()
