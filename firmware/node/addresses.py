"""Where hubs may be, in the order to try, and which of them this node belongs to. Pure.

Rule 1: the hub that opened a session last is tried first, TRIES times. Then the network is searched; then
    come those found and those the hub told of, those set up, and those of earlier. Then all over again.
Rule 2: among equals each node has an order of its own, so that the nodes of a hub that ends spread.
Rule 3: a node belongs to the first, in that order, of the hub it talks to and the others that hub says are
    there. It goes back after the time its hub says, and after up to as much again by its own numbers. When
    that goes wrong it returns, and waits twice as long the next time.
An address proves nothing: who answers there is proved by the node's key.
"""

import hashlib

TRIES = 2
EARLIER_MOST = 6
DOUBLINGS_MOST = 5


class Addresses:
    """Addresses are (host, port), host in numbers. known: from the set-up. earlier: the last good one first.

    earlier: of hubs that opened a session or were told of, for the next start.
    """

    def __init__(self, device_key: str, known, earlier=()) -> None:
        self.earlier = list(earlier)[:EARLIER_MOST]
        self._key = device_key
        self._known = list(known)
        self._told = []
        self._return_after_ms = 0
        self._since_ms = None
        self._home_failures = 0
        self._going_home = None
        self._stuck = None
        self._queue = self.earlier[:1] * TRIES

    @property
    def is_search_due(self) -> bool:
        """True when there is nothing left to try: found() fills up."""
        return not self._queue

    def found(self, addresses) -> None:
        """Begin a round with what a search has brought."""
        near = self._ranked(list(addresses) + self._told)
        for address in near + self._ranked(self._known) + self.earlier:
            if address not in self._queue and address != self._stuck:
                self._queue.append(address)
        if self._stuck is not None:
            self._queue.append(self._stuck)
            self._stuck = None

    def next(self):
        """Return the address to try, None when there is none."""
        return self._queue[0] if self._queue else None

    def answered(self) -> None:
        """Note that a hub opened a session at the address given last."""
        address = self._queue[0]
        self._queue = [address] * TRIES
        self._told = []
        self._since_ms = None
        self._remember([address] + [other for other in self.earlier if other != address])

    def served(self, address) -> None:
        """Note that the session there is over, and was good."""
        if address == self._going_home:
            self._going_home = None
            self._home_failures = 0

    def failed(self) -> None:
        """Note that nobody opened a session at the address given last: the next one's turn."""
        self._missed_home(self._queue.pop(0))

    def got_stuck(self, address) -> None:
        """Note that the hub there opened a session and stores nothing: all others first."""
        self._queue = [other for other in self._queue if other != address]
        self._stuck = address
        self._missed_home(address)

    def told(self, addresses, return_after_s: int, now_ms: int) -> None:
        """Note which other hubs are there, as the hub of this session says."""
        self._told = list(addresses)
        self._return_after_ms = return_after_s * 1000
        if self._home() == self._queue[0]:
            self._since_ms = None
        elif self._since_ms is None:
            self._since_ms = now_ms
        here = self.earlier[:1]
        there = [address for address in self._told if address not in here]
        self._remember(here + there + [address for address in self.earlier[1:] if address not in there])

    def is_return_due(self, now_ms: int) -> bool:
        """Whether this node's own hub has been there for long enough."""
        return self._since_ms is not None and now_ms - self._since_ms >= self._patience_ms()

    def go_home(self) -> None:
        """Try this node's own hub next, and the present one after it."""
        home = self._home()
        self._since_ms = None
        if home != self._queue[0]:
            self._going_home = home
            self._queue.insert(0, home)

    def _missed_home(self, address) -> None:
        if address == self._going_home:
            self._going_home = None
            self._home_failures = min(DOUBLINGS_MOST, self._home_failures + 1)

    def _patience_ms(self) -> int:
        wait_ms = self._return_after_ms << self._home_failures
        return wait_ms + wait_ms * (self._weight(("", self._home_failures)) & 1023) // 1024

    def _home(self):
        return self._ranked(self._queue[:1] + self._told)[0]

    def _remember(self, addresses) -> None:
        self.earlier = addresses[:EARLIER_MOST]

    def _ranked(self, addresses) -> list:
        return sorted(addresses, key=self._weight)

    def _weight(self, address) -> int:
        text = "%s@%s:%d" % (self._key, address[0], address[1])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
