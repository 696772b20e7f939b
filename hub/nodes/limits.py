"""Who may knock: bounds on peers that have not proved a key yet. Everything here is small and forgets.

A peer without a key costs a socket and GREETING_BYTES for PROOF_S, and there are at most UNPROVED_MOST of
them. One address cannot take all these places, nor try keys faster than FAILURES_PER_MINUTE.
"""

from typing import Any, Protocol

UNPROVED_MOST = 64  # connections at a time; a thousand nodes after a power cut are through in seconds
UNPROVED_PER_ADDRESS = 32  # half, so that one machine cannot keep everybody else out
GREETING_BYTES = 1024  # HELLO and PROOF take less than 400
PROOF_S = 10.0  # a node on bad Wi-Fi answers within 2 s
FAILURES_PER_MINUTE = 20
ADDRESSES_MOST = 1024  # remembered for their failures; beyond it the one seen first is forgotten
MINUTE_S = 60.0


class System(Protocol):
    """What the link needs of the machine (system_io.NodeSystem)."""

    def nonce(self) -> bytes:
        """Return random bytes for one greeting."""
        ...

    def wall_ms(self) -> int:
        """Return Unix ms by the machine's clock, right or wrong: what its other programs go by."""
        ...

    def allow_open_files(self, wanted: int) -> None:
        """Raise the number of files this process may have open, as far as it may."""
        ...

    def keep_small(self, connection: Any) -> None:
        """Bound what the machine keeps for a connection, and let small messages go at once."""
        ...


class Door:
    """Counts who is in front of it. Times are monotonic."""

    def __init__(self) -> None:
        self._unproved: dict[str, int] = {}
        self._failures: dict[str, tuple[float, int]] = {}
        self.waiting = 0

    def turns_away(self, address: str, now_s: float) -> str:
        """Return why a new connection is closed at once; empty when it is let in, then leaves() follows."""
        if self.waiting >= UNPROVED_MOST:
            return f"{UNPROVED_MOST} connections are waiting to prove a key"
        if self._unproved.get(address, 0) >= UNPROVED_PER_ADDRESS:
            return f"{UNPROVED_PER_ADDRESS} connections of {address} are waiting to prove a key"
        since_s, failures = self._failures.get(address, (now_s, 0))
        if failures >= FAILURES_PER_MINUTE and now_s - since_s < MINUTE_S:
            return f"{address} failed {failures} times within a minute"
        self.waiting += 1
        self._unproved[address] = self._unproved.get(address, 0) + 1
        return ""

    def leaves(self, address: str) -> None:
        """Note that a connection that was let in is gone, or proved."""
        self.waiting -= 1
        left = self._unproved[address] - 1
        if left:
            self._unproved[address] = left
        else:
            del self._unproved[address]

    def fails(self, address: str, now_s: float) -> None:
        """Note that a connection did not prove a key."""
        since_s, failures = self._failures.pop(address, (now_s, 0))
        if now_s - since_s >= MINUTE_S:
            since_s, failures = now_s, 0
        self._failures[address] = (since_s, failures + 1)
        if len(self._failures) > ADDRESSES_MOST:
            del self._failures[next(iter(self._failures))]


class Ration:
    """So many at once, and as many again spread over an hour."""

    def __init__(self, per_hour: int, now_s: float) -> None:
        self._per_hour = per_hour
        self._left = float(per_hour)
        self._filled_s = now_s

    def take(self, now_s: float) -> bool:
        """Use one if there is one."""
        grown = (now_s - self._filled_s) * self._per_hour / 3600
        self._left = min(self._per_hour, self._left + grown)
        self._filled_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
