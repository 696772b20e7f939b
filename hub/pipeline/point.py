"""From one raw value to one that can be stored: number, calibration, range, counter, rolling mean."""

from math import floor

from hub.pipeline.calibration import CalibrationSchedule, InForce, Linear
from hub.pipeline.counter import Counter, CounterSettings, CounterState, Verdict
from hub.pipeline.range_policy import Judged, RangePolicy, Reason, number_of
from hub.pipeline.settings import DeviceSettings, PointSettings
from hub.pipeline.window import RollingMean
from hub.ports import Stamp
from shared_schema.enums import Quality, TimeQuality

UNCALIBRATED = Linear()
# What is counted of a counter, and how good its total is then. A wrap, or one wrong answer, is everyday.
NOTED: dict[Verdict, tuple[int, Reason]] = {
    "held": (Quality.UNCERTAIN, "held"),
    "restarted": (Quality.GOOD, "restarted"),
    "replaced": (Quality.GOOD, "replaced"),
}


class Point:
    """Judges the values of one point, in order of time."""

    # A large site has a hundred thousand of them.
    __slots__ = (
        "_in_force",
        "_rolling",
        "_schedule",
        "aggregate",
        "counter",
        "is_integer",
        "metric",
        "range",
        "steps",
    )

    def __init__(self, device: DeviceSettings, settings: PointSettings) -> None:
        metric = device.metric_of(settings)
        self.metric = metric.name
        self.aggregate = device.aggregate_of(settings)
        self.is_integer = metric.decimals == 0
        self.steps: int = 10**metric.decimals
        low = metric.low if settings.low is None else settings.low
        high = metric.high if settings.high is None else settings.high
        self.range = RangePolicy(low, high, settings.policy)
        self._schedule = CalibrationSchedule(settings.calibrations) if settings.calibrations else None
        self._in_force: InForce | None = None
        self._rolling = RollingMean(settings.rolling_s) if settings.rolling_s else None
        self.counter = _counter_of(settings) if self.aggregate == "total" else None

    def plain_line(self, settings: PointSettings) -> tuple[float, float] | None:
        """Return scale and offset when the point is nothing but a line and a range; None otherwise."""
        if self.counter is not None or self._rolling is not None:
            return None
        if not settings.calibrations:
            return 1.0, 0.0
        only = settings.calibrations[0]
        if len(settings.calibrations) > 1 or not isinstance(only.calibration, Linear):
            return None
        is_open = only.valid_from_ms is None and only.valid_until_ms is None
        line = only.calibration
        # A declared raw range makes what lies outside uncertain, which takes the long way.
        return (line.scale, line.offset) if is_open and line == Linear(line.scale, line.offset) else None

    def judge(self, raw: object, stamp: Stamp, at_s: float) -> Judged:
        """Return the value of one sample's raw value, not yet rounded."""
        number = number_of(raw)
        if isinstance(number, str):
            return Judged(None, Quality.BAD, number)
        in_force = self._calibration_at(stamp)
        calibration = in_force.calibration
        judged = self.range.judge(calibration.apply(number))
        if judged.value is None:
            return judged
        if self.counter is not None and isinstance(calibration, Linear):
            judged = self._counted(self.counter, number, at_s, calibration)
        if not (in_force.is_current and calibration.low <= number <= calibration.high):
            judged = judged._replace(quality=max(judged.quality, Quality.UNCERTAIN), reason="uncalibrated")
        if self._rolling is not None and judged.value is not None:
            judged = judged._replace(value=self._rolling.add(judged.value, at_s))
        return judged

    def rounded(self, value: float) -> float | int:
        """Return value with the metric's decimals; an integer metric's value is an int."""
        whole = floor(value * self.steps + 0.5)
        return whole if self.is_integer else whole / self.steps

    def restore(self, state: CounterState) -> None:
        """Go on from a counter's saved state."""
        if self.counter is not None:
            self.counter.state = state

    def _counted(self, counter: Counter, number: float, at_s: float, line: Linear) -> Judged:
        counted = counter.accept(number, at_s, line.scale, line.offset)
        judged = self.range.judge(counted.total)
        if judged.quality != Quality.GOOD or counted.verdict not in NOTED:
            return judged
        quality, reason = NOTED[counted.verdict]
        return judged._replace(quality=quality, reason=reason)

    def _calibration_at(self, stamp: Stamp) -> InForce:
        if self._schedule is None:
            return _ALWAYS
        if stamp.time_quality == TimeQuality.PENDING:
            return self._schedule.newest()
        held = self._in_force
        if held is None or not held.from_ms <= stamp.recorded_at_ms < held.until_ms:
            held = self._in_force = self._schedule.at(stamp.recorded_at_ms)
        return held


_ALWAYS = InForce(UNCALIBRATED, is_current=True, from_ms=float("-inf"), until_ms=float("inf"))


def _counter_of(settings: PointSettings) -> Counter:
    return Counter(CounterSettings(settings.wrap, settings.max_rate_per_s, settings.noise))
