"""From a raw value to a true one, and back.

Rule: a calibration is strictly monotone, so the raw value can always be had again from what was stored.
What is not is refused when it is made. Outside its declared range a calibration goes on along its end's
slope and the reading is called uncertain.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite
from typing import NamedTuple, Protocol

from hub.pipeline.roots import crossing, derivative, evaluated, roots

FLATTEST = 1e-6  # of the steepest slope: flatter than this, rounding swallows the raw value
HIGHEST_DEGREE = 7  # published sensor polynomials stay below


class Calibration(Protocol):
    """One monotone curve. low, high: the raw values it was made for."""

    @property
    def low(self) -> float:
        """The smallest raw value it was made for."""
        ...

    @property
    def high(self) -> float:
        """The largest raw value it was made for."""
        ...

    def apply(self, raw: float) -> float:
        """Return the true value."""
        ...

    def inverse(self, value: float) -> float:
        """Return the raw value that apply made value of."""
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """value = raw · scale + offset. Raises ValueError when scale is 0."""

    scale: float = 1.0
    offset: float = 0.0
    low: float = -inf
    high: float = inf

    def __post_init__(self) -> None:
        _check_range(self.low, self.high)
        _check_numbers("scale and offset", (self.scale, self.offset))
        if self.scale == 0:
            raise ValueError("a scale of 0 makes every raw value the same")

    def apply(self, raw: float) -> float:
        """Return the true value."""
        return raw * self.scale + self.offset

    def inverse(self, value: float) -> float:
        """Return the raw value."""
        return (value - self.offset) / self.scale


@dataclass(frozen=True, slots=True)
class Polynomial:
    """value = c₀ + c₁·raw + c₂·raw² …, for raw values from low to high.

    Raises ValueError when it turns around or goes flat between low and high.
    """

    coefficients: tuple[float, ...]
    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self.low, self.high)
        _check_numbers("low and high", (self.low, self.high))
        _check_numbers("coefficients", self.coefficients)
        if not 2 <= len(self.coefficients) <= HIGHEST_DEGREE + 1:
            raise ValueError(f"a polynomial takes 2 to {HIGHEST_DEGREE + 1} coefficients")
        _check_slope(derivative(self.coefficients), self.low, self.high)
        _check_rise(self.coefficients, self.low, self.high)

    def apply(self, raw: float) -> float:
        """Return the true value."""
        inside = min(max(raw, self.low), self.high)
        value = evaluated(self.coefficients, inside)
        if inside == raw:
            return value
        return value + (raw - inside) * self._slope(inside)

    def inverse(self, value: float) -> float:
        """Return the raw value."""
        at_low, at_high = self.apply(self.low), self.apply(self.high)
        is_rising = at_low < at_high
        if value <= at_low if is_rising else value >= at_low:
            return self.low + (value - at_low) / self._slope(self.low)
        if value >= at_high if is_rising else value <= at_high:
            return self.high + (value - at_high) / self._slope(self.high)
        shifted = (self.coefficients[0] - value, *self.coefficients[1:])
        return crossing(shifted, self.low, self.high)

    def _slope(self, raw: float) -> float:
        return evaluated(derivative(self.coefficients), raw)


@dataclass(frozen=True, slots=True)
class Table:
    """Straight lines between (raw, value) points: a tank's dip table, a probe's certificate.

    Raises ValueError when the raw values do not rise or the values turn around.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(self.points) < 2:
            raise ValueError("a table takes at least two points")
        _check_numbers("points", [number for point in self.points for number in point])
        if any(a[0] >= b[0] for a, b in pairwise(self.points)):
            raise ValueError("the raw values of a table must rise from point to point")
        rising = [b[1] > a[1] for a, b in pairwise(self.points)]
        if any(a[1] == b[1] for a, b in pairwise(self.points)) or len(set(rising)) > 1:
            raise ValueError("the values of a table must only rise or only fall, or the raw value is lost")

    @property
    def low(self) -> float:
        """The smallest raw value it was made for."""
        return self.points[0][0]

    @property
    def high(self) -> float:
        """The largest raw value it was made for."""
        return self.points[-1][0]

    def apply(self, raw: float) -> float:
        """Return the true value."""
        return _interpolated(self.points, raw)

    def inverse(self, value: float) -> float:
        """Return the raw value."""
        turned = [(value, raw) for raw, value in self.points]
        return _interpolated(turned if turned[0][0] < turned[-1][0] else turned[::-1], value)


@dataclass(frozen=True, slots=True)
class DatedCalibration:
    """A calibration and when it holds: Unix ms, from inclusive, until exclusive; None: open."""

    calibration: Calibration
    valid_from_ms: int | None = None
    valid_until_ms: int | None = None

    def __post_init__(self) -> None:
        if self.start_ms >= self.end_ms:
            raise ValueError("a calibration must start to hold before it ends")

    @property
    def start_ms(self) -> float:
        """When it starts to hold."""
        return -inf if self.valid_from_ms is None else self.valid_from_ms

    @property
    def end_ms(self) -> float:
        """When it ceases to hold."""
        return inf if self.valid_until_ms is None else self.valid_until_ms


class InForce(NamedTuple):
    """What to calibrate with from from_ms to until_ms. is_current: False once it is out of date."""

    calibration: Calibration
    is_current: bool
    from_ms: float
    until_ms: float


class CalibrationSchedule:
    """Which of a metric's calibrations holds when; of several the one that started last."""

    def __init__(self, dated: Iterable[DatedCalibration]) -> None:
        self._dated = sorted(dated, key=lambda one: one.start_ms)
        edges = {edge for one in self._dated for edge in (one.start_ms, one.end_ms)}
        self._edges = sorted(edges | {-inf, inf})

    def at(self, recorded_at_ms: float) -> InForce:
        """Return what holds at that time; out of date, the one that held last before it, else the first."""
        index = min(bisect_right(self._edges, recorded_at_ms), len(self._edges) - 1)
        from_ms, until_ms = self._edges[index - 1], self._edges[index]
        for one in reversed(self._dated):
            if one.start_ms <= recorded_at_ms < one.end_ms:
                return InForce(one.calibration, True, from_ms, until_ms)
        ended = [one for one in self._dated if one.end_ms <= recorded_at_ms]
        nearest = max(ended, key=lambda one: one.end_ms) if ended else self._dated[0]
        return InForce(nearest.calibration, False, from_ms, until_ms)

    def newest(self) -> InForce:
        """Return the calibration that starts last: what to use while the time is not known."""
        return InForce(self._dated[-1].calibration, len(self._dated) == 1, -inf, -inf)


def _check_range(low: float, high: float) -> None:
    if not low < high:
        raise ValueError(f"the range from {low:g} to {high:g} is empty")


def _check_numbers(name: str, numbers: Iterable[float]) -> None:
    if not all(isfinite(number) for number in numbers):
        raise ValueError(f"{name} must be finite numbers")


def _check_slope(slope: Sequence[float], low: float, high: float) -> None:
    """Refuse a slope that changes sign or vanishes; its extremes are at the ends and where it is flat."""
    places = [low, *roots(derivative(slope), low, high), high]
    slopes = [evaluated(slope, raw) for raw in places]
    steepest = max(abs(value) for value in slopes)
    for raw, value in zip(places, slopes, strict=True):
        is_turned = value * slopes[0] <= 0
        if is_turned or abs(value) < FLATTEST * steepest:
            happens = "turns around before" if is_turned else "is flat at"
            where = round(raw, 9) + 0.0  # a root found by bisection is a hair beside the number people know
            hint = "narrow its range, or the raw value is lost"
            raise ValueError(f"the polynomial {happens} raw {where:g}: {hint}")


def _check_rise(coefficients: Sequence[float], low: float, high: float) -> None:
    """Refuse a curve whose rise is too small beside its terms for a float to hold both."""
    farthest = max(abs(low), abs(high))
    largest = sum(abs(c) * farthest**power for power, c in enumerate(coefficients))
    if abs(evaluated(coefficients, high) - evaluated(coefficients, low)) < FLATTEST * largest:
        raise ValueError("the polynomial hardly changes over its range: its raw value is lost")


def _interpolated(points: Sequence[tuple[float, float]], at: float) -> float:
    index = bisect_right(points, at, key=lambda point: point[0])
    index = min(max(index, 1), len(points) - 1)
    (x0, y0), (x1, y1) = points[index - 1], points[index]
    return y0 + (at - x0) * (y1 - y0) / (x1 - x0)
