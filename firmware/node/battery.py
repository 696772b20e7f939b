"""When a node on a battery wakes, dials and sleeps again. Pure: times and voltages are handed in.

A wake costs little, a dial costs most: Wi-Fi takes a hundred times the current of a measurement for several
seconds. So the node samples at each wake, keeps the rows in its ring, and dials for a batch. An alarm dials
at once; a hub that is away is asked less and less often; an empty battery no longer dials at all, because a
transmission would pull the voltage down into a brown-out and leave the node starting over and over.
"""

import struct
from binascii import crc32

EARLY_MS = 2_000  # the oscillator that counts the sleep is some per cent off; this near counts as due
SLEEP_LEAST_MS = 1_000
BACKOFF_MOST = 3  # doublings
LOW_STRETCH = 4
_STATE = "<IIIB"  # seconds: an rp2 keeps 28 bytes in all
STATE_BYTES = struct.calcsize(_STATE) + 4


class Rules:
    """What a battery node is told.

    sample_s: between samples. dial_s: between dials when nothing presses. rows_to_dial: that many waiting
    rows dial before. listen_ms: how long the link stays open for orders when everything is acknowledged.
    connect_ms: how long Wi-Fi and hub may take. awake_ms, update_ms: what a wake lasts at most, without and
    with an update. low_mv: below it everything is done four times less often. empty_mv: below it no dial.
    """

    def __init__(
        self,
        sample_s: int = 300,
        dial_s: int = 3_600,
        rows_to_dial: int = 60,
        listen_ms: int = 1_500,
        connect_ms: int = 15_000,
        awake_ms: int = 30_000,
        update_ms: int = 600_000,
        low_mv: int = 3_500,
        empty_mv: int = 3_300,
    ) -> None:
        self.sample_ms = sample_s * 1000
        self.dial_ms = dial_s * 1000
        self.rows_to_dial = rows_to_dial
        self.listen_ms = listen_ms
        self.connect_ms = connect_ms
        self.awake_ms = awake_ms
        self.update_ms = update_ms
        self.low_mv = low_mv
        self.empty_mv = empty_mv


class BatteryMode:
    """The state from wake to wake. now_ms: any count of milliseconds that goes on through the sleep."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._next_sample_ms = 0
        self._next_dial_ms = 0
        self._not_before_ms = 0
        self._failures = 0

    def is_sample_due(self, now_ms: int) -> bool:
        """Return True when this wake measures."""
        return now_ms + EARLY_MS >= self._next_sample_ms

    def sampled(self, now_ms: int, battery_mv: int) -> None:
        """Note that the sample which was due is taken. The next keeps the grid; those missed are left out."""
        interval_ms = self._rules.sample_ms * self._stretch(battery_mv)
        late_ms = max(0, now_ms - self._next_sample_ms)
        is_first = self._next_sample_ms == 0 or late_ms > 2 * interval_ms
        self._next_sample_ms = (
            now_ms if is_first else self._next_sample_ms + late_ms // interval_ms * interval_ms
        )
        self._next_sample_ms += interval_ms

    def is_dial_due(self, now_ms: int, rows_waiting: int, battery_mv: int, is_alarm: bool = False) -> bool:
        """Return True when this wake dials the hub."""
        if battery_mv < self._rules.empty_mv:
            return False
        if is_alarm:
            return True
        if now_ms + EARLY_MS < self._not_before_ms:
            return False
        return rows_waiting >= self._rules.rows_to_dial or now_ms + EARLY_MS >= self._next_dial_ms

    def dialled(self, now_ms: int, is_reached: bool, battery_mv: int) -> None:
        """Note how a dial ended; is_reached: every waiting row was acknowledged."""
        pause_ms = self._rules.dial_ms * self._stretch(battery_mv)
        if is_reached:
            self._failures = 0
            self._not_before_ms = 0
        else:
            self._failures = min(self._failures + 1, BACKOFF_MOST)
            pause_ms <<= self._failures
            self._not_before_ms = now_ms + pause_ms
        self._next_dial_ms = now_ms + pause_ms

    def may_sleep(
        self,
        awake_ms: int,
        is_dialling: bool,
        is_linked: bool,
        rows_waiting: int,
        quiet_ms: int,
        is_updating: bool,
    ) -> bool:
        """Return True when this wake has nothing more to do, or took too long.

        awake_ms: since the wake. quiet_ms: since the hub said something other than an acknowledgement.
        """
        if not is_dialling:
            return True
        if is_updating:
            return awake_ms >= self._rules.update_ms
        if awake_ms >= self._rules.awake_ms:
            return True
        if not is_linked:
            return awake_ms >= self._rules.connect_ms
        return rows_waiting == 0 and quiet_ms >= self._rules.listen_ms

    def sleep_ms(self, now_ms: int) -> int:
        """Return how long to sleep now."""
        return max(SLEEP_LEAST_MS, self._next_sample_ms - now_ms)

    def state(self) -> bytes:
        """Return what RTC memory keeps through the sleep, STATE_BYTES long."""
        times_ms = (self._next_sample_ms, self._next_dial_ms, self._not_before_ms)
        data = struct.pack(_STATE, *[at_ms // 1000 for at_ms in times_ms], self._failures)
        return data + struct.pack("<I", crc32(data))

    def restore(self, state) -> bool:
        """Take what state() gave; False when it is none of its (power was off), and everything is due."""
        if len(state) != STATE_BYTES:
            return False
        data = bytes(state[:-4])
        if struct.unpack("<I", bytes(state[-4:]))[0] != crc32(data):
            return False
        sample_s, dial_s, before_s, self._failures = struct.unpack(_STATE, data)
        self._next_sample_ms = sample_s * 1000
        self._next_dial_ms = dial_s * 1000
        self._not_before_ms = before_s * 1000
        return True

    def _stretch(self, battery_mv: int) -> int:
        return LOW_STRETCH if battery_mv < self._rules.low_mv else 1
