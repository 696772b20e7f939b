"""A device that has gone silent."""


class Staleness:
    """Says once when a device falls silent for longer than it may, and once when it is back."""

    def __init__(self, stale_after_s: float) -> None:
        self.stale_after_s = stale_after_s
        self.is_stale = False
        self.heard_at_s: float | None = None

    def hear(self, at_s: float) -> bool:
        """Note a sign of life; return whether it ends a silence."""
        self.heard_at_s = at_s
        was_stale, self.is_stale = self.is_stale, False
        return was_stale

    def check(self, now_s: float) -> bool:
        """Return whether the device falls silent with this look. The first look starts the time."""
        if self.heard_at_s is None:
            self.heard_at_s = now_s
        if self.is_stale or now_s - self.heard_at_s <= self.stale_after_s:
            return False
        self.is_stale = True
        return True
