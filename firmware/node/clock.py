"""What time it is on a node: milliseconds since boot that never wrap, and how far they are from Unix time.

The hub tells the time; half of what its answer took is added. Nothing here reads a counter by itself.
"""

TICKS_PERIOD_MS = 1 << 30  # time.ticks_ms of every port wraps at this or a multiple of it: 12.4 days
ROUND_TRIP_MOST_MS = 4000  # an answer that took longer says too little
ASK_EVERY_MS = 600_000  # a crystal of 50 ppm drifts 30 ms in between

_EARLIEST_MS = 1_577_836_800_000  # 2020: a hub that says less has no clock itself


class Ticks:
    """Milliseconds since boot. read: time.ticks_ms; must be asked more often than the counter wraps."""

    def __init__(self, read) -> None:
        self._read = read
        self._last = read()
        self._elapsed_ms = 0

    def now_ms(self) -> int:
        """Return the milliseconds since the Ticks were made."""
        read = self._read()
        self._elapsed_ms += (read - self._last) & (TICKS_PERIOD_MS - 1)
        self._last = read
        return self._elapsed_ms

    def skip(self, duration_ms: int) -> None:
        """Let time pass that the counter did not see."""
        self._elapsed_ms += duration_ms


class Clock:
    """The offset between the time since boot and Unix time. offset_ms: None until the hub told the time."""

    def __init__(self) -> None:
        self.offset_ms = None
        self.corrected_ms = 0  # by how much the last answer moved the clock
        self._next_ask_ms = 0

    @property
    def is_known(self) -> bool:
        """True once the hub told the time in this boot."""
        return self.offset_ms is not None

    def unix_ms(self, since_boot_ms: int) -> int:
        """Return that moment in Unix milliseconds. The clock must be known."""
        return since_boot_ms + self.offset_ms

    def is_ask_due(self, now_ms: int) -> bool:
        """Return True when the hub should be asked."""
        return now_ms >= self._next_ask_ms

    def ask(self, now_ms: int) -> int:
        """Note that the hub is asked now; return the token of the question."""
        self._next_ask_ms = now_ms + ASK_EVERY_MS
        return now_ms & 0xFFFF_FFFF

    def answer(self, unix_ms: int, token: int, now_ms: int) -> None:
        """Take the hub's answer to the question with this token."""
        self.learn(unix_ms, now_ms - ((now_ms - token) & 0xFFFF_FFFF), now_ms)

    def learn(self, unix_ms: int, asked_ms: int, answered_ms: int) -> None:
        """Take a time that the hub told between two moments; ignored when they lie too far apart.

        What is within half the round trip of the clock as it stands is no better than it, and moves nothing.
        """
        round_trip_ms = answered_ms - asked_ms
        if not 0 <= round_trip_ms <= ROUND_TRIP_MOST_MS or unix_ms < _EARLIEST_MS:
            return
        offset_ms = unix_ms + round_trip_ms // 2 - answered_ms
        if self.offset_ms is None:
            self.offset_ms = offset_ms
        elif abs(offset_ms - self.offset_ms) > round_trip_ms // 2:
            self.corrected_ms = offset_ms - self.offset_ms
            self.offset_ms = offset_ms
