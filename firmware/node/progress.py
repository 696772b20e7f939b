"""Whether the node gets on: what the watchdog is fed by. A loop that merely turns is no progress."""

GRACE_MS = 120_000  # beyond the slowest interval


class Progress:
    """Remembers when a sample was last taken or a frame acknowledged."""

    def __init__(self, now_ms: int) -> None:
        self._last_ms = now_ms
        self.allowed_ms = GRACE_MS

    def made(self, now_ms: int) -> None:
        """A sample was taken, or the hub acknowledged something."""
        self._last_ms = now_ms

    def expect_every(self, interval_ms: int) -> None:
        """Say how far apart samples are."""
        self.allowed_ms = interval_ms + GRACE_MS

    def is_stuck(self, now_ms: int) -> bool:
        """Return True when the watchdog must not be fed any more."""
        return now_ms - self._last_ms > self.allowed_ms
