"""Whether the cloud may be asked now: one for the whole hub, because the cloud is one.

        trip               retry_s is over: one probe
closed ──────► open ─────────────────────────────────► open again (longer), or closed
Nothing but the probe is sent while it is open. It starts open, with the first probe due at once: a hub that
has just started knows as little of the cloud as one that has just lost it.
"""

from hub.uplink.backoff import Backoff


class Breaker:
    """now_s: monotonic."""

    def __init__(self, backoff: Backoff, now_s: float) -> None:
        self._backoff = backoff
        self._retry_at_s = now_s
        self.opened_at_s = now_s
        self.is_open = True

    def trip(self, now_s: float, chance: float, requested_s: float | None = None) -> None:
        """Note a failure. While open only the probe may call this: a straggler is no new evidence."""
        if not self.is_open:
            self.is_open = True
            self.opened_at_s = now_s
        self._retry_at_s = now_s + self._backoff.next_s(chance, requested_s)

    def wait_s(self, now_s: float) -> float:
        """Return how long until the next probe; 0 when it is due."""
        return max(0.0, self._retry_at_s - now_s)

    def close(self, now_s: float) -> float:
        """Note that the cloud answered, and return how long it was away."""
        self.is_open = False
        self._backoff.reset()
        return now_s - self.opened_at_s
