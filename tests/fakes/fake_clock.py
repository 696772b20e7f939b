"""A clock a test moves by hand."""

from hub.ports import Stamp
from shared_schema.enums import TimeQuality


class FakeClock:
    """Stands still until it is moved. monotonic_s and wall_ms are read at the same moment.

    is_known=False makes every stamp PENDING, as on a hub that has not met its time server yet.
    """

    def __init__(
        self, monotonic_s: float = 1000.0, *, wall_ms: int = 1_800_000_000_000, is_known: bool = True
    ) -> None:
        self._now_s = monotonic_s
        self.offset_ms = wall_ms - round(monotonic_s * 1000)
        self.is_known = is_known

    def monotonic_s(self) -> float:
        return self._now_s

    def stamp(self, monotonic_s: float) -> Stamp:
        since_boot_ms = round(monotonic_s * 1000)
        if not self.is_known:
            return Stamp(since_boot_ms, TimeQuality.PENDING)
        return Stamp(since_boot_ms + self.offset_ms, TimeQuality.SYNCED)

    def wall_ms(self) -> int:
        """Return the wall time of now, known or not."""
        return round(self._now_s * 1000) + self.offset_ms

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._now_s += seconds

    def step_wall(self, seconds: float) -> None:
        """Move the wall clock alone, as a time server or a person does."""
        self.offset_ms += round(seconds * 1000)
