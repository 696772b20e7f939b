"""Counts and bounded histograms of what happens on a bus."""

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate
from math import log10
from operator import add

_PER_DECADE = 20  # buckets 12 % wide, so a percentile is right to 6 %
_DECADES = 7  # from 10 µs to 100 s
_SMALLEST_S = 1e-5
_WINDOW_S = 60.0
_SLICES = 6


class Histogram:
    """Durations of the last one to two minutes, by logarithmic buckets."""

    def __init__(self) -> None:
        self._now = array("I", bytes(4 * (_PER_DECADE * _DECADES + 1)))
        self._before = array("I", self._now)
        self._turned_s = float("-inf")
        self.count = 0

    def add(self, duration_s: float, now_s: float) -> None:
        """Note a duration."""
        if now_s - self._turned_s >= _WINDOW_S:
            self._before, self._now = self._now, array("I", bytes(4 * len(self._now)))
            self._turned_s = now_s
        self._now[_bucket(duration_s)] += 1
        self.count += 1

    def percentile_s(self, share: float) -> float | None:
        """Return the duration that so large a share does not exceed; None when there is none yet."""
        if not self.count:
            return None
        sums = list(accumulate(map(add, self._now, self._before)))
        return _middle_s(min(bisect_left(sums, share * sums[-1]), len(sums) - 1))


def _bucket(duration_s: float) -> int:
    ratio = duration_s / _SMALLEST_S
    if ratio <= 1:
        return 0
    return min(int(log10(ratio) * _PER_DECADE) + 1, _PER_DECADE * _DECADES)


def _middle_s(bucket: int) -> float:
    return float(_SMALLEST_S * 10 ** ((bucket - 0.5) / _PER_DECADE)) if bucket else 0.0


class Usage:
    """How much of the last minute a bus was occupied."""

    def __init__(self, now_s: float) -> None:
        self._busy_s = [0.0] * _SLICES
        self._began_s = now_s
        self._slice = 0

    def add(self, busy_s: float, now_s: float) -> None:
        """Note that the bus was occupied."""
        self._turn(now_s)
        self._busy_s[self._slice % _SLICES] += busy_s

    def share(self, now_s: float) -> float:
        """Return 0..1."""
        self._turn(now_s)
        into_slice_s = now_s - self._began_s - self._slice * _WINDOW_S / _SLICES
        covered_s = min(self._slice, _SLICES - 1) * _WINDOW_S / _SLICES + into_slice_s
        return min(1.0, sum(self._busy_s) / covered_s) if covered_s > 0 else 0.0

    def _turn(self, now_s: float) -> None:
        target = int((now_s - self._began_s) // (_WINDOW_S / _SLICES))
        for number in range(max(self._slice + 1, target - _SLICES + 1), target + 1):
            self._busy_s[number % _SLICES] = 0.0
        self._slice = max(self._slice, target)


@dataclass(frozen=True, slots=True)
class SlaveState:
    """How one slave does. errors: by type. breaker: closed, suspect or open."""

    unit: int
    device_keys: tuple[str, ...]
    breaker: str
    replies: int
    missed: int
    errors: dict[str, int] = field(default_factory=dict)
    rtt_ms_p50: float | None = None
    rtt_ms_p99: float | None = None
    refused_points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BusState:
    """How one bus does. utilisation: 0..1 of the last minute; the times are of the last minute or two.

    cycle_ms: from the moment a poll was due until its last reply. jitter_ms: how late its first request
    went out. missed: periods that got no reading, those of dead slaves included.
    """

    name: str
    place: str
    is_open: bool
    utilisation: float
    cycle_ms_p50: float | None
    cycle_ms_p99: float | None
    jitter_ms_p99: float | None
    samples: int
    missed: int
    requests: int
    commands: int
    slaves: tuple[SlaveState, ...]
