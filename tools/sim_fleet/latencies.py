"""How long requests took, in a few hundred counters however many there were."""

import math

_PER_DECADE = 40  # neighbouring buckets are 6 % apart
_LEAST_S = 1e-5
_BUCKETS = 8 * _PER_DECADE


class Latencies:
    """A histogram with buckets of equal ratio, from 10 µs on."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = math.ceil(math.log10(max(seconds, _LEAST_S) / _LEAST_S) * _PER_DECADE)
        self._counts[min(place, _BUCKETS - 1)] += 1
        self.count += 1

    def percentile_s(self, share: float) -> float:
        """Return the bound below which so large a share of them lies; 0 when there were none."""
        wanted, seen = share * self.count, 0
        for place, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return float(_LEAST_S * 10 ** (place / _PER_DECADE))
        return 0.0
