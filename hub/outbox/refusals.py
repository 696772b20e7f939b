"""Rows the cloud refused: lent again later and only among themselves, then set aside as dead letters.

A refused row leaves its chunk for the queue of failed rows in one transaction, so it is never in both. Until
that is on disk it counts as lent.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hub.outbox.batches import failed_row
from hub.outbox.records import WANTS_PURGE, FailedHead, FailedRow
from hub.ports import Batch
from shared_schema.limits import ATTEMPTS_BEFORE_DEAD_LETTER

LONGEST_PAUSE_S = 3600.0


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
    """What is remembered of refused rows. retry_after_s: the first pause; each further one is twice that."""

    retry_after_s: float
    rows: dict[int, _Refused] = field(default_factory=dict)
    dead_letters: int = 0
    _last_id: int = 0
    _waiting: set[int] = field(default_factory=set)

    def load(self, heads: Iterable[FailedHead]) -> list[int]:
        """Learn what the file holds now; return the ids an operator wants purged."""
        lent = {failed_id for failed_id, row in self.rows.items() if row.is_lent}
        due = {failed_id: (row.due_s, row.attempts) for failed_id, row in self.rows.items()}
        self.rows.clear()
        self._waiting.clear()
        purged = []
        for head in heads:
            due_s, attempts = due.get(head.failed_id, (0.0, head.attempts))
            self._last_id = max(self._last_id, head.failed_id)
            is_reset = attempts != head.attempts
            row = _Refused(head.kind, head.attempts, head.failed_at_ms, 0.0 if is_reset else due_s)
            row.is_lent = head.failed_id in lent
            self._remember(head.failed_id, row)
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

    def _count(self) -> None:
        self.dead_letters = len(self.rows) - len(self._waiting)

    def next_due_s(self) -> float | None:
        """Return when the next row may be lent again."""
        return min(
            (self.rows[each].due_s for each in self._waiting if not self.rows[each].is_lent), default=None
        )

    def lend(self, now_s: float, limit: int) -> list[int]:
        """Lend rows of one kind that are due."""
        due = [
            each
            for each in sorted(self._waiting)
            if not self.rows[each].is_lent and self.rows[each].due_s <= now_s
        ]
        lent = [each for each in due if self.rows[each].kind == self.rows[due[0]].kind][:limit]
        for each in lent:
            self.rows[each].is_lent = True
        return lent

    def give_back(self, ids: Iterable[int]) -> None:
        """End a loan."""
        for failed_id in ids:
            if failed_id in self.rows:
                self.rows[failed_id].is_lent = False

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
