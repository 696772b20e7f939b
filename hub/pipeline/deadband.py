"""Report by exception: a reading is worth storing when something moved, or when nothing was said for long."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.ports import Value


@dataclass(frozen=True, slots=True)
class DeadBand:
    """How far a value may move unreported: absolute in its unit, or percent of the last reported value.

    The wider of the two counts; (0, 0) reports every change.
    """

    absolute: float = 0.0
    percent: float = 0.0

    def is_left(self, reported: Value, value: Value) -> bool:
        """Return whether value is outside the band around the last reported one."""
        if not isinstance(reported, (int, float)) or not isinstance(value, (int, float)):
            return reported != value
        return abs(value - reported) > max(self.absolute, abs(reported) * self.percent / 100)


class ReportByException:
    """Remembers what was last reported and decides whether the next reading is.

    heartbeat_s: after this long without a report the next reading is reported whatever it says. It needs a
    fresh sample: a silent device is never reported again with its old values.
    """

    def __init__(self, bands: Sequence[DeadBand], heartbeat_s: float) -> None:
        self._bands = tuple(bands)
        self._heartbeat_s = heartbeat_s
        self._reported: Sequence[Value] = ()
        self._quality = -1
        self._reported_at_s = 0.0

    def wants(self, values: Sequence[Value], quality: int, at_s: float) -> bool:
        """Return whether to report; a reading that is wanted becomes the last reported one."""
        if (
            quality == self._quality
            and at_s - self._reported_at_s < self._heartbeat_s
            and not any(map(DeadBand.is_left, self._bands, self._reported, values))
        ):
            return False
        self._reported, self._quality, self._reported_at_s = values, quality, at_s
        return True

    def forget(self) -> None:
        """Report the next reading: what was last reported no longer holds."""
        self._quality = -1
