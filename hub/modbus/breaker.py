"""When a slave counts as dead, and when it is asked whether it is back.

CLOSED ──failure──► SUSPECT ──enough cycles and enough seconds──► OPEN
   ▲                   │                                           │
   └──────reply────────┴───────────────────reply to a probe────────┘
"""

from hub.modbus.settings import BreakerSettings

CLOSED, SUSPECT, OPEN = "closed", "suspect", "open"


class Breaker:
    """Of one slave on one bus. All moments are monotonic seconds, given by the caller."""

    def __init__(self, settings: BreakerSettings) -> None:
        self.state = CLOSED
        self.probe_at_s = 0.0
        self.overdue_at_s = 0.0
        self._settings = settings
        self._failures = 0
        self._first_failure_s = 0.0
        self._pause_s = settings.first_pause_s

    @property
    def is_open(self) -> bool:
        """Whether the slave counts as dead."""
        return self.state == OPEN

    def succeed(self) -> bool:
        """Note that the slave answered. Returns True when it had been dead."""
        was_open = self.is_open
        self.state = CLOSED
        self._failures = 0
        self._pause_s = self._settings.first_pause_s
        return was_open

    def fail(self, now_s: float) -> bool:
        """Note a cycle without an answer. Returns True when the slave counts as dead from now on."""
        if self.is_open:
            return False
        if self.state == CLOSED:
            self.state = SUSPECT
            self._first_failure_s = now_s
        self._failures += 1
        lasted_s = now_s - self._first_failure_s
        if self._failures < self._settings.cycles or lasted_s < self._settings.seconds:
            return False
        self.state = OPEN
        self._plan(now_s, 0.0)
        return True

    def probed(self, now_s: float, took_s: float) -> None:
        """Note a probe without an answer, and how long it held the bus."""
        self._pause_s = min(self._pause_s * self._settings.growth, self._settings.longest_pause_s)
        self._plan(now_s, took_s)

    def _plan(self, now_s: float, took_s: float) -> None:
        """Place the next probe: after the pause, and late enough to keep to the share of the bus.

        When the bus has no gap long enough for it, it is due without one after the same time again.
        """
        share_s = took_s / self._settings.share - took_s
        wait_s = max(self._pause_s, share_s)
        self.probe_at_s = now_s + wait_s
        self.overdue_at_s = self.probe_at_s + wait_s
