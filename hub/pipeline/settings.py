"""What the pipeline is told about each device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from hub.pipeline.calibration import DatedCalibration, Linear
from hub.pipeline.deadband import DeadBand
from hub.pipeline.range_policy import Policy
from shared_schema.metrics import Kind, Metric

Aggregate = Literal["mean", "min", "max", "last", "sum", "count", "total"]
MISSED_INTERVALS = 3  # silence that is more than one lost answer and its repetition
STALE_AT_LEAST_S = 5.0  # a fast poller's timeouts and repetitions fit into this


@dataclass(frozen=True, slots=True)
class PointSettings:
    """One value of a device's samples.

    low, high, aggregate: the metric's own unless given. policy: what happens outside low and high.
    calibrations: applied to the raw value; of a total only linear ones with a positive scale.
    rolling_s: report the mean of the last rolling_s seconds instead of the value.
    dead_band: None reports whenever the device reports.
    wrap, max_rate_per_s, noise: of a total, in the unit of its raw value; see counter.CounterSettings.
    """

    metric: str
    low: float | None = None
    high: float | None = None
    policy: Policy = "reject"
    calibrations: tuple[DatedCalibration, ...] = ()
    aggregate: Aggregate | None = None
    rolling_s: float | None = None
    dead_band: DeadBand | None = None
    wrap: float | None = None
    max_rate_per_s: float | None = None
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """One device. points: in the order of its samples' values.

    window_s: one reading per window; None: one per sample. heartbeat_s: longest silence of a device with dead
    bands. stale_after_s: None: three missed intervals. Raises ValueError, naming the metric, for points
    that do not fit the kind or each other.
    """

    device_key: str
    kind: Kind
    points: tuple[PointSettings, ...]
    interval_s: float
    window_s: float | None = None
    heartbeat_s: float = 60.0
    stale_after_s: float | None = None

    def __post_init__(self) -> None:
        problems = list(problems_of(self))
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def stale_limit_s(self) -> float:
        """How long the device may be silent."""
        if self.stale_after_s is not None:
            return self.stale_after_s
        return max(MISSED_INTERVALS * self.interval_s, STALE_AT_LEAST_S)

    @property
    def is_by_exception(self) -> bool:
        """Whether only changes are reported."""
        return any(point.dead_band is not None for point in self.points)

    def metric_of(self, point: PointSettings) -> Metric:
        """Return the metric of one of the points."""
        return next(metric for metric in metrics_of(self.kind) if metric.name == point.metric)

    def aggregate_of(self, point: PointSettings) -> str:
        """Return how a window of the point becomes one value."""
        if point.aggregate is not None:
            return point.aggregate
        own = self.metric_of(point).aggregate
        return "last" if point.rolling_s is not None and own != "total" else own


def metrics_of(kind: Kind) -> list[Metric]:
    """Return the metrics of a kind in order."""
    return [field for field in kind.fields if isinstance(field, Metric)]


def problems_of(device: DeviceSettings) -> Sequence[str]:
    """Return what does not fit in a device's settings."""
    if not device.kind.is_telemetry:
        return [f"{device.device_key}: {device.kind.name} is not a kind of telemetry"]
    if not device.points:
        return [f"{device.device_key}: it has no points"]
    known = {metric.name for metric in metrics_of(device.kind)}
    names = [point.metric for point in device.points]
    problems = [f"{name}: a {device.kind.name} has {', '.join(sorted(known))}" for name in {*names} - known]
    problems += [f"{name}: two points give it" for name in sorted({*names}) if names.count(name) > 1]
    for point in device.points:
        if point.metric in known:
            problems += [f"{point.metric}: {problem}" for problem in _problems_of_point(device, point)]
    return problems


def _problems_of_point(device: DeviceSettings, point: PointSettings) -> Sequence[str]:
    metric = device.metric_of(point)
    low = metric.low if point.low is None else point.low
    high = metric.high if point.high is None else point.high
    problems = []
    if not low < high:
        problems.append(f"its range from {low:g} to {high:g} is empty")
    elif low < metric.low or high > metric.high:
        # The cloud stores no row with a value outside these.
        problems.append(f"its range must lie within {metric.low:g} to {metric.high:g}, as the metric")
    aggregate = device.aggregate_of(point)
    if aggregate not in get_args(Aggregate):
        problems.append(f"aggregate {aggregate!r} is none of {', '.join(get_args(Aggregate))}")
    if aggregate == "total":
        problems += _problems_of_total(point)
    elif point.wrap is not None:
        problems.append('only a metric with aggregate "total" wraps')
    return problems


def _problems_of_total(point: PointSettings) -> Sequence[str]:
    problems = []
    if point.rolling_s is not None:
        problems.append("a total has no rolling mean")
    if point.wrap is not None and point.wrap <= 0:
        problems.append("it must wrap at a value above 0")
    curves = [dated.calibration for dated in point.calibrations]
    if not all(isinstance(curve, Linear) and curve.scale > 0 for curve in curves):
        problems.append("a total takes only linear calibrations with a scale above 0")
    return problems
