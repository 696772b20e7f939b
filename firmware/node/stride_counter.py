"""A number that never comes twice, although it is written to flash only now and then.

What stands in flash is a limit: all numbers below it may have been used. Before the limit is reached a higher
one is written; after a restart counting goes on at the limit. So a restart skips numbers and never repeats
one, and flash is written once in stride numbers.
"""

COUNTER_END = 1 << 32


class StrideCounter:
    """Counts up to 2**32 - 1.

    load() returns the limit stored, 0 when there is none; save(limit) returns when it is durable.
    resume: next_number as RTC memory kept it, so that a wake neither writes flash nor skips; only in a boot
    that woke from deep sleep: after any other reset it may be old. Believed within the last stride.
    Raises what save raises: without the limit on flash no number is given.
    """

    def __init__(self, load, save, stride: int = 256, resume=None) -> None:
        self._save = save
        self._stride = stride
        self._limit = load()
        if resume is not None and self._limit - stride <= resume <= self._limit:
            self.next_number = resume
        else:
            self.next_number = self._limit

    def take(self) -> int:
        """Return the next number. Raises ValueError when all were used: a new key begins a new count."""
        if self.next_number >= COUNTER_END:
            raise ValueError("the counter of this key is used up: give the node a new key")
        if self.next_number >= self._limit:
            limit = self.next_number + self._stride
            self._save(limit)
            self._limit = limit
        self.next_number += 1
        return self.next_number - 1
