"""When a node samples what, and when a window is over. Pure: the time since boot is handed in."""


class Group:
    """All sensors of one kind: sampled together, one row per window.

    interval_ms: between samples. window_ms: 0 makes a row of every sample. sensors: of config.py.
    """

    def __init__(self, kind, interval_ms: int, window_ms: int, sensors) -> None:
        self.kind = kind
        self.sensors = sensors
        self.interval_ms = interval_ms
        self.window_ms = window_ms
        self.next_ms = 0
        self._window_end_ms = window_ms

    def begin(self, now_ms: int) -> None:
        """Start the schedule: the first sample is due at once."""
        self.next_ms = now_ms
        self._window_end_ms = now_ms + self.window_ms

    def set_interval(self, interval_ms: int, now_ms: int) -> None:
        """Sample in another rhythm, beginning now."""
        self.interval_ms = interval_ms
        self.next_ms = now_ms

    def step(self, now_ms: int) -> bool:
        """Note that the sample which was due is taken; return True when it ends its window.

        A sample that comes late moves no other: the next is due where it always was, and those whose time
        has passed as well are left out.
        """
        late_ms = max(0, now_ms - self.next_ms)
        self.next_ms += self.interval_ms * (1 + late_ms // self.interval_ms)
        if self.next_ms < self._window_end_ms:
            return False
        if self.window_ms:
            self._window_end_ms += self.window_ms * (
                1 + (self.next_ms - self._window_end_ms) // self.window_ms
            )
        return True


class Plan:
    """The groups of a node and what is due."""

    def __init__(self, groups, now_ms: int) -> None:
        self.groups = groups
        for group in groups:
            group.begin(now_ms)

    def wait_ms(self, now_ms: int, most_ms: int) -> int:
        """Return how long nothing is due, at most most_ms."""
        for group in self.groups:
            most_ms = min(most_ms, group.next_ms - now_ms)
        return max(0, most_ms)

    def next_due(self, now_ms: int):
        """Return the group that has been due longest, or None."""
        found = None
        for group in self.groups:
            if group.next_ms <= now_ms and (found is None or group.next_ms < found.next_ms):
                found = group
        return found

    def group_of(self, kind_name: str):
        """Return the group of a kind, or None."""
        for group in self.groups:
            if group.kind.name == kind_name:
                return group
        return None

    @property
    def slowest_ms(self) -> int:
        """The longest interval; 0 when nothing is sampled."""
        return max([group.interval_ms for group in self.groups] or [0])
