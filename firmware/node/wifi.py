"""When to join the Wi-Fi, when to give up on the radio, and when to restart: one state machine owns it all.

Drivers stay wedged while they say "connected", so the only proof of health is that the hub answered lately.
Never connects while a connect is under way, and pauses before each: boards get stuck without.
Source: github.com/micropython/micropython/issues/17661, …/3967; peterhinch/micropython-mqtt/issues/132.
"""

OFF = 0  # radio off, or being switched off and on
PAUSING = 1
JOINING = 2
JOINED = 3

NOTHING = 0  # what to do
CONNECT = 1
DISCONNECT = 2
RESTART_RADIO = 3
RESTART_BOARD = 4

PAUSE_MS = 1500  # and as much again for every attempt that failed since
PAUSES_MOST = 20
JOIN_LEAST_MS = 2000  # so long a driver may still say how the attempt before ended
JOIN_MOST_MS = 60_000
JOINS_BEFORE_RADIO = 3
SILENCE_BEFORE_RADIO_MS = 600_000  # joined, and yet the hub was not heard for so long
SILENCE_BEFORE_BOARD_MS = 21_600_000  # last resort; rare, because a restart forgets the time


class Wifi:
    """The state of the radio, told the time since boot."""

    def __init__(self, now_ms: int) -> None:
        self.state = OFF
        self.joins = 0
        self._failures = 0
        self._until_ms = now_ms
        self._heard_ms = now_ms
        self._radio_ms = now_ms

    def heard(self, now_ms: int) -> None:
        """Note that the hub answered."""
        self._heard_ms = self._radio_ms = now_ms
        self._failures = 0

    def step(self, now_ms: int, is_joined: bool, has_failed: bool = False) -> int:
        """Return what to do now. is_joined, has_failed: what the driver says of the attempt to join."""
        if now_ms - self._heard_ms >= SILENCE_BEFORE_BOARD_MS:
            self._heard_ms = now_ms
            return RESTART_BOARD
        if self.state == JOINED:
            return self._while_joined(now_ms, is_joined)
        if self.state == JOINING:
            return self._while_joining(now_ms, is_joined, has_failed)
        if self.state == OFF:
            return self._restart_radio(now_ms)
        if now_ms < self._until_ms:
            return NOTHING
        self._enter(JOINING, now_ms + JOIN_MOST_MS)
        return CONNECT

    def _while_joined(self, now_ms: int, is_joined: bool) -> int:
        if not is_joined:
            return self._pause(now_ms)
        if now_ms - self._radio_ms >= SILENCE_BEFORE_RADIO_MS:
            return self._restart_radio(now_ms)
        return NOTHING

    def _while_joining(self, now_ms: int, is_joined: bool, has_failed: bool) -> int:
        if is_joined:
            self.joins += 1
            self._radio_ms = now_ms
            self._failures = 0
            self._enter(JOINED, 0)
            return NOTHING
        tried_ms = now_ms - (self._until_ms - JOIN_MOST_MS)
        if tried_ms < JOIN_MOST_MS and not (has_failed and tried_ms >= JOIN_LEAST_MS):
            return NOTHING
        self._failures += 1
        if self._failures % JOINS_BEFORE_RADIO == 0:
            return self._restart_radio(now_ms)
        return self._pause(now_ms)

    def _pause(self, now_ms: int) -> int:
        self._enter(PAUSING, now_ms + self._pause_ms())
        return DISCONNECT

    def _restart_radio(self, now_ms: int) -> int:
        self._radio_ms = now_ms
        self._enter(PAUSING, now_ms + self._pause_ms())
        return RESTART_RADIO

    def _pause_ms(self) -> int:
        return PAUSE_MS * min(PAUSES_MOST, 1 + self._failures)

    def _enter(self, state: int, until_ms: int) -> None:
        self.state = state
        self._until_ms = until_ms
