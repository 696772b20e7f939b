"""How long a node waits before it dials again: longer each time, and not when its neighbours do."""

from binascii import crc32

SHORTEST_MS = 1000
LONGEST_MS = 60_000
EACH = 2  # waits of a step: a hub that restarts within ten seconds is found within two


class Backoff:
    """Waits of 1 s to 60 s, doubled every other time, at which moments the node's own device_key says."""

    def __init__(self, device_key: str) -> None:
        self._key = device_key
        self._draws = 0
        self.failures = 0

    def next_ms(self) -> int:
        """Return the next wait: half to all of the step, by the node's own numbers."""
        step_ms = min(LONGEST_MS, SHORTEST_MS << min(self.failures // EACH, 6))
        self.failures += 1
        self._draws += 1
        share = crc32(("%s:%d" % (self._key, self._draws)).encode()) % 1024
        return step_ms // 2 + step_ms * share // 2048

    def reset(self) -> None:
        """Begin anew: the hub opened a session."""
        self.failures = 0
