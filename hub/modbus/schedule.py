"""Fixed-rate schedules on absolute deadlines.

Rule 1: period k begins at start + phase + k * interval, whatever happened before: no drift.
Rule 2: a period that ended before its turn came is missed and counted, never caught up: no bursts.
"""


class Period:
    """One thing that is due every interval_s. phase_s: where in the interval, to spread what shares one."""

    def __init__(self, interval_s: float, phase_s: float, start_s: float) -> None:
        self.interval_s = interval_s
        self.missed = 0
        self._phase_s = phase_s
        self._base_s = start_s + phase_s
        self._next = 0

    def start(self, start_s: float) -> None:
        """Begin at another moment, with nothing missed yet."""
        self._base_s = start_s + self._phase_s
        self._next = self.missed = 0

    @property
    def release_s(self) -> float:
        """When its next period begins."""
        return self._base_s + self._next * self.interval_s

    @property
    def deadline_s(self) -> float:
        """When its next period ends."""
        return self._base_s + (self._next + 1) * self.interval_s

    def advance(self, now_s: float) -> None:
        """Be done with the next period; the one after it is the last that has begun by now, if any has."""
        current = int((now_s - self._base_s) // self.interval_s)
        following = max(self._next + 1, current)
        self.missed += following - self._next - 1
        self._next = following

    def skip(self, now_s: float) -> None:
        """Miss every period that has begun by now."""
        begun = int((now_s - self._base_s) // self.interval_s) + 1
        if begun > self._next:
            self.missed += begun - self._next
            self._next = begun


def phases(intervals_s: list[float], origin: float) -> list[float]:
    """Return a phase for each interval, so that those that share one are spread evenly over it.

    origin: 0..1, where the first lies; different for each bus, so that buses do not all begin together.
    """
    shared: dict[float, int] = {}
    for interval_s in intervals_s:
        shared[interval_s] = shared.get(interval_s, 0) + 1
    taken: dict[float, int] = {}
    found = []
    for interval_s in intervals_s:
        number = taken.get(interval_s, 0)
        taken[interval_s] = number + 1
        found.append((origin + number / shared[interval_s]) % 1.0 * interval_s)
    return found
