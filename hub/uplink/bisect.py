"""Finding the rows a cloud refuses inside a batch it refused as a whole.

Rule 1: a row is rejected only after it was sent alone and refused; its own reason goes with it.
Rule 2: a row is stored only after a request that contained it was answered with success.
Rule 3: when the first half of a refused part is stored, the second half is halved without asking:
        it must hold the culprit. One bad row in n costs at most 2 + 2·log2(n) requests.
Rule 4: after so many requests the rest is given back untouched, so that a thousand bad rows are no storm.
"""

from collections.abc import Sequence
from typing import NamedTuple


class _Part(NamedTuple):
    rows: Sequence[int]
    # The part that comes next on the stack is the other half of what this one was cut from.
    is_first_half: bool = False
    is_suspect: bool = False


class Bisection:
    """Asks for parts of a batch until every row is stored or rejected. rows: indices into the batch.

    stored, rejected: what is known so far, also after a stop half-way.
    """

    def __init__(self, rows: Sequence[int], max_requests: int = 200) -> None:
        self._todo = [_Part(rows)] if rows else []
        self._requests_left = max_requests
        self.stored: list[int] = []
        self.rejected: dict[int, str] = {}

    def part(self) -> Sequence[int] | None:
        """Return the rows to send next; None when all is known, or no request is left."""
        if not self._todo or self._requests_left <= 0:
            return None
        while self._todo[-1].is_suspect and len(self._todo[-1].rows) > 1:
            self._halve(self._todo.pop().rows)
        return self._todo[-1].rows

    def accept(self) -> None:
        """Note that the part was stored."""
        part = self._answered()
        self.stored.extend(part.rows)
        if part.is_first_half:
            self._todo.append(self._todo.pop()._replace(is_suspect=True))

    def refuse(self, reason: str, *, by_size: bool = False) -> None:
        """Note that the part was refused. by_size: it was too large, which says nothing about its rows."""
        part = self._answered()
        if len(part.rows) == 1:
            self.rejected[part.rows[0]] = reason
        elif by_size:
            self._todo += [_Part(half) for half in reversed(_halves(part.rows))]
        else:
            self._halve(part.rows)

    def _answered(self) -> _Part:
        self._requests_left -= 1
        return self._todo.pop()

    def _halve(self, rows: Sequence[int]) -> None:
        first, second = _halves(rows)
        self._todo += [_Part(second), _Part(first, is_first_half=True)]


def _halves(rows: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]
