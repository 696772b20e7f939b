"""How long to wait after a failure: doubling from a base to a ceiling, less a random part.

Hubs that lost the cloud together must not come back together.
Source of the jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

JITTER = 0.25  # at most so much of a pause is left out; more would no longer look like 30, 60, 120
LONGEST_REQUESTED_S = 3_600.0  # a Retry-After beyond an hour is a mistake, and an hour costs the cloud little
LARGEST_EXPONENT = 30  # keeps the number small; the ceiling is reached long before


class Backoff:
    """Counts failures in a row. base_s: the first pause. max_s: the ceiling."""

    def __init__(self, base_s: float = 30.0, max_s: float = 300.0) -> None:
        self._base_s = base_s
        self._max_s = max_s
        self.failures = 0

    def next_s(self, chance: float, requested_s: float | None = None) -> float:
        """Count one more failure and return the pause that follows it.

        chance: random, 0 to 1. requested_s: what the other side asked for; never undercut up to an hour.
        """
        nominal_s = min(self._base_s * (1 << min(self.failures, LARGEST_EXPONENT)), self._max_s)
        self.failures += 1
        pause_s = nominal_s * (1 - JITTER * chance)
        if requested_s is None:
            return pause_s
        return max(pause_s, min(requested_s, LONGEST_REQUESTED_S))

    def reset(self) -> None:
        """Say that it worked."""
        self.failures = 0
