"""Rows in memory on their way to the disk: a bounded number of them.

While the disk is well, a full memory makes the offering side wait. While it fails, the oldest telemetry gives
way to the newest, and what gave way is counted, device by device, for the ledger. Rows that a device numbered
itself may give way without an entry: the device still has them, since nobody acknowledged them.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.ports import Reading
from shared_schema.enums import TimeQuality


@dataclass(slots=True)
class Forgotten:
    """Rows of one device that gave way. Times are Unix ms; None where the clock was not known."""

    rows: int = 0
    first_at_ms: int | None = None
    last_at_ms: int | None = None


@dataclass(slots=True)
class Waiting:
    """Rows in the order they came. kept: telemetry somebody waits for, which never gives way."""

    limit: int
    telemetry: deque[Reading] = field(default_factory=deque)
    kept: list[Reading] = field(default_factory=list)
    alarms: list[Reading] = field(default_factory=list)
    forgotten: dict[str, Forgotten] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.telemetry) + len(self.kept) + len(self.alarms)

    def has_room(self, rows: int) -> bool:
        """Whether rows more fit; into an empty memory anything does."""
        return len(self) == 0 or len(self) + rows <= self.limit

    def make_room(self, rows: int) -> None:
        """Let the oldest telemetry give way until rows more fit."""
        while self.telemetry and not self.has_room(rows):
            row = self.telemetry.popleft()
            if row.identity is None:
                _forget(self.forgotten.setdefault(row.device_key, Forgotten()), row)

    def drain(self) -> tuple[Sequence[Reading], Sequence[Reading], dict[str, Forgotten]]:
        """Hand over telemetry, alarms and what gave way, and start anew."""
        drained = ([*self.telemetry, *self.kept], self.alarms, self.forgotten)
        self.telemetry.clear()
        self.kept, self.alarms, self.forgotten = [], [], {}
        return drained


def _forget(forgotten: Forgotten, row: Reading) -> None:
    forgotten.rows += 1
    if row.time_quality != TimeQuality.PENDING:
        if forgotten.first_at_ms is None:
            forgotten.first_at_ms = row.recorded_at_ms
        forgotten.last_at_ms = row.recorded_at_ms
