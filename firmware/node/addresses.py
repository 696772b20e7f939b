"""Where hubs may be, in the order to try: the one that answered last, those found nearby, those set up.

An address proves nothing: who answers there is proved by the node's key. Pure.
"""


class Addresses:
    """Addresses are (host, port), host in numbers. known: from the node's set-up."""

    def __init__(self, known) -> None:
        self._known = list(known)
        self._found = []
        self._last = None
        self._turn = 0

    def found(self, addresses) -> None:
        """Note what a search has brought; replaces what the one before brought."""
        self._found = list(addresses)

    def answered(self, address) -> None:
        """Note that a hub opened a session there: it is the first to be tried again."""
        self._last = address
        self._turn = 0

    def failed(self) -> None:
        """Note that the address given last did not answer: the next one's turn."""
        self._turn += 1

    @property
    def is_round_over(self) -> bool:
        """True when every address was tried in vain, or there is none: time to search."""
        return self._turn >= len(self._all())

    def next(self):
        """Return the address to try, None when there is none."""
        candidates = self._all()
        if not candidates:
            return None
        if self.is_round_over:
            self._turn = 0
        return candidates[self._turn]

    def _all(self):
        candidates = [] if self._last is None else [self._last]
        for address in self._found + self._known:
            if address not in candidates:
                candidates.append(address)
        return candidates
