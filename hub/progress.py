"""Whether a part of the hub still moves: a task that lives but hangs shows in a counter that stands still."""


class Progress:
    """Watches one counter. is_due says whether it has to move at all just now."""

    def __init__(self, name: str, limit_s: float) -> None:
        self.name = name
        self.limit_s = limit_s
        self._counter: float | None = None
        self._moved_at_s = 0.0

    def is_stuck(self, counter: float, now_s: float, *, is_due: bool = True) -> bool:
        """Return True when the counter had to move for limit_s and did not."""
        if counter != self._counter or not is_due:
            self._counter = counter
            self._moved_at_s = now_s
        return now_s - self._moved_at_s > self.limit_s
