"""Which rows of the ring are on their way to the hub, and which are next. Pure."""

ROWS_IN_FLIGHT = 480  # four full frames: enough to keep a slow Wi-Fi busy, little enough to resend
ANSWER_MOST_MS = 30_000


class Outgoing:
    """What one session sent and what the hub acknowledged. Every session begins with what the hub has."""

    def __init__(self, stored_seq: int, now_ms: int) -> None:
        self.acknowledged_seq = stored_seq
        self.next_seq = stored_seq + 1
        self._moved_ms = now_ms

    @property
    def room(self) -> int:
        """How many rows may be sent now."""
        return ROWS_IN_FLIGHT - (self.next_seq - 1 - self.acknowledged_seq)

    @property
    def is_idle(self) -> bool:
        """True when the hub has acknowledged all that was sent."""
        return self.next_seq - 1 == self.acknowledged_seq

    def sent(self, first_seq: int, rows: int, now_ms: int) -> None:
        """Note rows that were handed to the connection. What is not in the ring any more is skipped."""
        if self.is_idle:
            self._moved_ms = now_ms
        self.next_seq = first_seq + rows

    def acknowledge(self, stored_seq: int, now_ms: int) -> bool:
        """Note what the hub has stored; return True when that is news."""
        if stored_seq <= self.acknowledged_seq:
            return False
        self.acknowledged_seq = stored_seq
        self.next_seq = max(self.next_seq, stored_seq + 1)
        self._moved_ms = now_ms
        return True

    def is_stuck(self, now_ms: int) -> bool:
        """Return True when rows have been on their way for too long: the connection is given up."""
        return not self.is_idle and now_ms - self._moved_ms > ANSWER_MOST_MS
