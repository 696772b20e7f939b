"""How fast the backlog may drain, so that what is new always finds room."""

BURST_S = 1.0  # unused allowance is kept this long: one request may be large, a second of them may not


class Pace:
    """A token bucket. now_s: monotonic."""

    def __init__(self, rows_per_s: float, now_s: float) -> None:
        self._rows_per_s = rows_per_s
        self._allowance = rows_per_s * BURST_S
        self._seen_s = now_s

    def wait_s(self, now_s: float) -> float:
        """Return how long until the next batch may go; 0: now."""
        self._earn(now_s)
        return max(0.0, -self._allowance / self._rows_per_s)

    def spend(self, rows: int, now_s: float) -> None:
        """Note that so many rows were taken. May go into debt by one batch; the next one waits for it."""
        self._earn(now_s)
        self._allowance -= rows

    def _earn(self, now_s: float) -> None:
        earned = (now_s - self._seen_s) * self._rows_per_s
        self._allowance = min(self._allowance + earned, self._rows_per_s * BURST_S)
        self._seen_s = now_s
