"""All that happens to the samples of one device on their way to becoming readings.

The usual case (every value a number in its range, at most a straight line of calibration) runs in one
comprehension over precompiled columns. Whatever is unusual about a single value sends its sample the long
way, which knows the reasons.
"""

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import floor
from operator import itemgetter

from hub.pipeline.counter import CounterState
from hub.pipeline.deadband import DeadBand, ReportByException
from hub.pipeline.point import Point
from hub.pipeline.settings import DeviceSettings
from hub.pipeline.staleness import Staleness
from hub.pipeline.window import Closed, Window
from hub.ports import Reading, Sample, Stamp, Value
from shared_schema.enums import Quality, TimeQuality

WINDOW_GRACE_MS = 2_000  # a sample read before the window's end may still be on its way

Values = list[float | None]


@dataclass(slots=True)
class DeviceTally:
    """What became of a device's samples. rejected: values not simply taken as read, by metric and reason."""

    samples: int = 0
    readings: int = 0
    suppressed: int = 0
    unread: int = 0
    rejected: Tally[tuple[str, str]] = field(default_factory=Tally)


class DevicePipeline:
    """Turns one device's samples, in order of time, into readings."""

    def __init__(self, settings: DeviceSettings) -> None:
        self.settings = settings
        self.tally = DeviceTally()
        self.staleness = Staleness(settings.stale_limit_s)
        self._points = tuple(Point(settings, point) for point in settings.points)
        self._counters = tuple((point.metric, point.counter) for point in self._points if point.counter)
        self._columns = _columns_of(settings, self._points)
        self._place = _placing(settings)
        self._integers = tuple(index for index, point in enumerate(self._points) if point.is_integer)
        self._window = _window_of(settings, self._points)
        self._report = _reporter_of(settings)
        self._has_failed = False

    @property
    def counters(self) -> dict[str, CounterState]:
        """The states of the device's counters, by metric."""
        return {name: counter.state for name, counter in self._counters if counter.state is not None}

    def restore(self, counters: dict[str, CounterState]) -> None:
        """Go on from saved states of counters."""
        for point in self._points:
            if point.metric in counters:
                point.restore(counters[point.metric])

    def accept(self, sample: Sample, stamp: Stamp) -> Reading | None:
        """Take one sample; return the reading it makes or completes."""
        self.tally.samples += 1
        values, quality = self._plain(sample.values), Quality.GOOD
        if values is None:
            values, quality = self._judged(sample, stamp)
            if not any(value is not None for value in sample.values):
                self.tally.unread += 1
                return None
        self.staleness.hear(sample.taken_at_s)
        if self._window is None:
            return self._reading(stamp, values, quality, sample.taken_at_s)
        closed = self._window.add(stamp, values, is_sure=quality == Quality.GOOD)
        return None if closed is None else self._windowed(closed, sample.taken_at_s)

    def tick(self, now: Stamp, now_s: float) -> list[Reading]:
        """Return what time alone brings about: a window that is over, the mark of a device gone silent."""
        is_silent = self.staleness.check(now_s)
        closed = None
        if self._window is not None:
            closed = self._window.cut() if is_silent else self._window.due(now, WINDOW_GRACE_MS)
        readings = [self._windowed(closed, now_s) if closed else None]
        if is_silent:
            readings.append(self._silence(now))
        return [reading for reading in readings if reading is not None]

    def cut(self, now_s: float) -> list[Reading]:
        """Return the open window as it is, before the hub stops."""
        closed = self._window.cut() if self._window is not None else None
        reading = self._windowed(closed, now_s) if closed else None
        return [reading] if reading is not None else []

    def _plain(self, raws: Sequence[float | int | None]) -> Values | None:
        """Return the rounded values (in a window: exact) of a sample without surprises; None otherwise."""
        columns = self._columns
        if columns is None or len(raws) != len(self._points):
            return None
        try:
            # floor and division give the decimal's nearest float in a third of the time of round().
            values: Values = [
                floor(value * steps + 0.5) / steps if low <= (value := raw * scale + offset) <= high else None
                for raw, scale, offset, low, high, steps in zip(raws, *columns, strict=True)
            ]
        except TypeError:
            return None
        return None if None in values else values

    def _judged(self, sample: Sample, stamp: Stamp) -> tuple[Values, int]:
        if len(sample.values) != len(self._points):
            self.tally.rejected["*", "wrong_length"] += 1
            return [None] * len(self._points), Quality.BAD
        worst = Quality.GOOD
        values: Values = []
        for point, raw in zip(self._points, sample.values, strict=True):
            judged = point.judge(raw, stamp, sample.taken_at_s)
            worst = max(worst, judged.quality)
            if judged.reason:
                self.tally.rejected[point.metric, judged.reason] += 1
            rounds = judged.value is not None and self._window is None
            values.append(
                point.rounded(judged.value) if rounds and judged.value is not None else judged.value
            )
        return values, worst

    def _windowed(self, closed: Closed, at_s: float) -> Reading | None:
        values: Values = [
            None if value is None else point.rounded(value)
            for point, value in zip(self._points, closed.values, strict=True)
        ]
        quality = Quality.GOOD if closed.is_sure else Quality.UNCERTAIN
        if None in values:
            quality = Quality.BAD
        return self._reading(Stamp(closed.recorded_at_ms, closed.time_quality), values, quality, at_s)

    def _reading(self, stamp: Stamp, values: Values, quality: int, at_s: float) -> Reading | None:
        for index in self._integers:
            value = values[index]
            values[index] = None if value is None else int(value)
        placed = self._place(values)
        if self._report is not None and not self._report.wants(placed, quality, at_s):
            self.tally.suppressed += 1
            return None
        self.tally.readings += 1
        settings = self.settings
        return Reading(
            settings.device_key,
            settings.kind.name,
            stamp.recorded_at_ms,
            placed,
            quality,
            stamp.time_quality,
        )

    def _silence(self, now: Stamp) -> Reading:
        if self._report is not None:
            self._report.forget()
        self.tally.readings += 1
        nothing: tuple[Value, ...] = (None,) * len(self.settings.kind.fields)
        settings = self.settings
        return Reading(
            settings.device_key,
            settings.kind.name,
            now.recorded_at_ms,
            nothing,
            Quality.BAD,
            now.time_quality,
        )


def _columns_of(settings: DeviceSettings, points: Sequence[Point]) -> tuple[tuple[float, ...], ...] | None:
    """Return scale, offset, low, high and decimal steps as columns; None if a point needs more than those.

    In a window nothing is rounded before it is aggregated: steps of 2**30 keep what a sensor can tell.
    """
    rows = []
    for point, point_settings in zip(points, settings.points, strict=True):
        line = point.plain_line(point_settings)
        if line is None:
            return None
        steps = point.steps if settings.window_s is None else 2**30
        rows.append((*line, point.range.low, point.range.high, steps))
    return _shared_columns(tuple(rows))


@lru_cache(maxsize=256)
def _shared_columns(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """Return rows as columns; devices of one model share them."""
    return tuple(zip(*rows, strict=True))


def _placing(settings: DeviceSettings) -> Callable[[Values], tuple[Value, ...]]:
    """Return how values in the points' order become a tuple in the kind's order."""
    names = [point.metric for point in settings.points]
    fields = settings.kind.field_names
    if names == list(fields):
        return tuple
    places = [names.index(name) if name in names else len(names) for name in fields]
    if len(places) == 1:
        return tuple
    pick = itemgetter(*places)

    def place(values: Values) -> tuple[Value, ...]:
        picked: tuple[Value, ...] = pick([*values, None])
        return picked

    return place


def _window_of(settings: DeviceSettings, points: Sequence[Point]) -> Window | None:
    if settings.window_s is None:
        return None
    aggregates = tuple(point.aggregate for point in points)
    return Window(settings.window_s, aggregates, TimeQuality.PENDING)


def _reporter_of(settings: DeviceSettings) -> ReportByException | None:
    if not settings.is_by_exception:
        return None
    bands = {point.metric: point.dead_band or DeadBand() for point in settings.points}
    in_order = [bands.get(name, DeadBand()) for name in settings.kind.field_names]
    # Half an interval of tolerance: a heartbeat that is due with this sample does not wait for the next.
    rhythm_s = settings.window_s or settings.interval_s
    return ReportByException(in_order, max(settings.heartbeat_s - rhythm_s / 2, 0.0))
