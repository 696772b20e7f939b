"""Rows the cloud refused: lent again later and only among themselves, then set aside as dead letters.

A refused row leaves its chunk for the queue of failed rows in one transaction, so it is never in both. Until
that is on disk it counts as lent. Every one takes memory, so there is room for so many; a row for which there
is none stays where it is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple

from hub.outbox.batches import failed_row
from hub.outbox.records import WANTS_PURGE, FailedHead, FailedRow
from hub.ports import Batch
from shared_schema.limits import ATTEMPTS_BEFORE_DEAD_LETTER

LONGEST_PAUSE_S = 3600.0
MOST_TRIED = 10_000  # a cloud that refuses more has a fault of its own, and trying them all is not free
MOST_KEPT = 50_000  # with the dead letters, about ten megabytes of memory


class Now(NamedTuple):
    """One moment on both clocks."""

    monotonic_s: float
    wall_ms: int


@dataclass(slots=True)
class _Refused:
    kind: str
    attempts: int
    failed_at_ms: int
    due_s: float
    is_lent: bool = False


@dataclass(slots=True)
class Refusals:
    """What is remembered of refused rows.

    retry_after_s: the first pause; each further one is twice that.
    most_tried, most_kept: rows for which there is room while they are tried, and with the dead letters.
    """

    retry_after_s: float
    most_tried: int = MOST_TRIED
    most_kept: int = MOST_KEPT
    rows: dict[int, _Refused] = field(default_factory=dict)
    dead_letters: int = 0
    _last_id: int = 0
    _waiting: set[int] = field(default_factory=set)
    _due: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    def load(self, heads: Iterable[FailedHead]) -> list[int]:
        """Learn what the file holds now; return the ids an operator wants purged."""
        lent = {failed_id for failed_id, row in self.rows.items() if row.is_lent}
        due = {failed_id: (row.due_s, row.attempts) for failed_id, row in self.rows.items()}
        self.rows.clear()
        self._waiting.clear()
        self._due.clear()
        purged = []
        for head in heads:
            due_s, attempts = due.get(head.failed_id, (0.0, head.attempts))
            self._last_id = max(self._last_id, head.failed_id)
            is_reset = attempts != head.attempts
            row = _Refused(head.kind, head.attempts, head.failed_at_ms, 0.0 if is_reset else due_s)
            row.is_lent = head.failed_id in lent
            self._remember(head.failed_id, row)
            self._queue(head.failed_id)
            if head.attempts == WANTS_PURGE:
                purged.append(head.failed_id)
        self._count()
        return purged

    def _remember(self, failed_id: int, row: _Refused) -> None:
        self.rows[failed_id] = row
        if 0 <= row.attempts < ATTEMPTS_BEFORE_DEAD_LETTER:
            self._waiting.add(failed_id)
        else:
            self._waiting.discard(failed_id)

    def _queue(self, failed_id: int) -> None:
        row = self.rows[failed_id]
        if failed_id in self._waiting and not row.is_lent:
            heappush(self._due.setdefault(row.kind, []), (row.due_s, failed_id))

    def _head(self, queue: list[tuple[float, int]]) -> tuple[float, int] | None:
        """Return the first entry that still holds; what was lent, forgotten or put off since is dropped."""
        while queue:
            due_s, failed_id = queue[0]
            row = self.rows.get(failed_id)
            if failed_id in self._waiting and row is not None and not row.is_lent and row.due_s == due_s:
                return queue[0]
            heappop(queue)
        return None

    def _count(self) -> None:
        self.dead_letters = len(self.rows) - len(self._waiting)

    def next_due_s(self) -> float | None:
        """Return when the next row may be lent again."""
        heads = (self._head(queue) for queue in self._due.values())
        return min((head[0] for head in heads if head is not None), default=None)

    def lend(self, now_s: float, limit: int) -> list[int]:
        """Lend rows of one kind that are due."""
        heads = [(head, queue) for queue in self._due.values() if (head := self._head(queue)) is not None]
        if not heads:
            return []
        queue = min(heads, key=lambda each: each[0])[1]
        lent: list[int] = []
        while len(lent) < limit and (head := self._head(queue)) is not None and head[0] <= now_s:
            lent.append(heappop(queue)[1])
            self.rows[lent[-1]].is_lent = True
        return sorted(lent)

    def give_back(self, ids: Iterable[int], not_before_s: float = 0.0) -> None:
        """End a loan. not_before_s: when these rows may be lent again at the earliest."""
        for failed_id in ids:
            row = self.rows.get(failed_id)
            if row is not None and row.is_lent:
                row.is_lent = False
                row.due_s = max(row.due_s, not_before_s)
                self._queue(failed_id)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another row."""
        return self._room == 0

    @property
    def _room(self) -> int:
        return max(0, min(self.most_tried - len(self._waiting), self.most_kept - len(self.rows)))

    def admitted(self, rejected: Mapping[int, str]) -> Mapping[int, str]:
        """Return those of the newly refused rows for which there is room."""
        return rejected if len(rejected) <= self._room else dict(islice(rejected.items(), self._room))

    def refuse(
        self,
        batch: Batch,
        rejected: Mapping[int, str],
        id_of: Callable[[int], int | None],
        now: Now,
    ) -> list[FailedRow]:
        """Count refusals; return what to write. id_of: the row's place in the queue, None when it is new."""
        written = []
        for index, reason in rejected.items():
            failed_id = id_of(index)
            before = self.rows.get(failed_id) if failed_id is not None else None
            if failed_id is None:
                self._last_id = failed_id = self._last_id + 1
            attempts = (before.attempts if before else 0) + 1
            pause_s = min(self.retry_after_s * 2 ** (attempts - 1), LONGEST_PAUSE_S)
            refused = _Refused(batch.kind, attempts, now.wall_ms, now.monotonic_s + pause_s, is_lent=True)
            self._remember(failed_id, refused)
            row = failed_row(batch, index, reason)
            written.append(row._replace(failed_id=failed_id, attempts=attempts, failed_at_ms=now.wall_ms))
        self._count()
        return written

    def adopt(self, rows: Iterable[FailedRow]) -> list[FailedRow]:
        """Take over refused rows of another outbox; return them under numbers of this one."""
        adopted = []
        for row in rows:
            self._last_id += 1
            self._remember(self._last_id, _Refused(row.kind, row.attempts, row.failed_at_ms, 0.0))
            self._queue(self._last_id)
            adopted.append(row._replace(failed_id=self._last_id))
        self._count()
        return adopted

    def forget(self, ids: Collection[int]) -> None:
        """Rows left the queue."""
        for failed_id in ids:
            self.rows.pop(failed_id, None)
            self._waiting.discard(failed_id)
        self._count()

    def aged(self, before_ms: int) -> list[int]:
        """Return the dead letters older than that."""
        return [
            each
            for each, row in self.rows.items()
            if each not in self._waiting and row.failed_at_ms < before_ms
        ]
