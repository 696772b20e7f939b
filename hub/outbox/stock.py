"""All the outbox knows in memory, and every decision about it that needs no disk.

Rules:
1. What is taken stays on loan until it is settled; what is settled as stored is never lent again by this hub.
2. What was settled is told to the disk later, all at once. A crash before that sends those rows again, and
   the cloud ignores them.
3. A row changes place (chunk to queue of failed rows, chunk to ledger) in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hub.outbox.batches import batch_of, batch_of_failed
from hub.outbox.boots import place_ended
from hub.outbox.chunk import Columns, Run, Runs, decode_runs
from hub.outbox.directory import Directory
from hub.outbox.leases import FREE, GONE, RESTING, Chunk, Segment, Shelf
from hub.outbox.losses import Loss
from hub.outbox.records import ChunkHead, ChunkRow, FailedRow
from hub.outbox.refusals import LONGEST_PAUSE_S, Now, Refusals
from hub.outbox.rewriting import Gap
from hub.outbox.sealing import KIND_OF
from hub.outbox.squeeze import Zstandard
from hub.outbox.work import Work
from hub.ports import Batch
from shared_schema.enums import Lane
from shared_schema.metrics import LOSS

DROP_AT_ONCE = 256  # settled chunks are dropped before their time when there are so many


@dataclass(frozen=True, slots=True)
class Loan:
    """What a batch was made of: segments of chunks, or ids of refused rows."""

    segments: Sequence[Segment] = ()
    failed_ids: Sequence[int] = ()


@dataclass(slots=True)
class Stock:
    """Directory, shelf, refusals and loans."""

    directory: Directory
    refusals: Refusals
    shelf: Shelf = field(init=False)
    loans: dict[int, Loan] = field(default_factory=dict)
    _next_batch: int = 0
    _failed: dict[int, FailedRow] = field(default_factory=dict)
    _unfailed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.is_held)

    def is_held(self, chunk: Chunk) -> bool:
        """Whether a chunk waits for the clock of its boot, or is of a kind this hub does not know."""
        if chunk.boot and self.directory.boots[chunk.boot - 1].offset_ms is None:
            return True
        return self.directory.shapes[chunk.shape].kind not in KIND_OF

    def is_telemetry(self, chunk: Chunk) -> bool:
        """Whether a chunk may be thinned."""
        shape = self.directory.shapes[chunk.shape]
        kind = KIND_OF.get(shape.kind)
        return kind is not None and kind.is_telemetry and kind.field_names == shape.field_names

    def is_ledger(self, chunk: Chunk) -> bool:
        """Whether a chunk holds loss entries."""
        return self.directory.shapes[chunk.shape].kind == LOSS.name

    def load(self, heads: Sequence[ChunkHead], states: Mapping[int, bytes], zstandard: Zstandard) -> None:
        """Put on the shelf what lies on disk; all of it is backlog."""
        for head in heads:
            raw = states.get(head.chunk_id)
            rows = None if raw is None else bytearray(zstandard.restore(raw))
            if rows is not None and len(rows) != head.rows:
                rows = None
            self._shelve(head, rows)
        last = max((head.chunk_id for head in heads), default=0)
        self.directory.through_chunk = max(self.directory.through_chunk, last)
        self.shelf.mark_backlog(self.directory.through_chunk)

    def _shelve(self, head: ChunkHead, states: bytearray | None = None) -> None:
        self.shelf.add(Chunk(*head, states=states))

    def recover(self, newer: Sequence[ChunkRow], zstandard: Zstandard) -> None:
        """Move the counters past the chunks that are newer than the snapshot. Raises DamagedChunk."""
        for row in newer:
            self.directory.see_runs(decode_runs(zstandard.restore(row.runs)))
            self.directory.see_time(row.boot, row.last_at)
            self.directory.appended += row.rows

    def lend(self, lane: int, limit: int, now_s: float) -> Loan | None:
        """Lend rows of one kind; None when there are none."""
        if lane == Lane.LIVE and (ids := self.refusals.lend(now_s, limit)):
            return Loan(failed_ids=ids)
        self.shelf.wake(now_s)
        segments = self.shelf.lend(lane, limit)
        return Loan(segments) if segments else None

    def take_back(self, loan: Loan) -> None:
        """End a loan from which nothing came."""
        self.refusals.give_back(loan.failed_ids)
        self.shelf.give_back(loan.segments, lambda _: FREE)

    def batch(self, lane: int, loan: Loan, contents: Mapping[int, tuple[Runs, Columns]]) -> Batch:
        """Return lent rows of chunks as a batch."""
        self._next_batch += 1
        self.loans[self._next_batch] = loan
        return batch_of(self._next_batch, lane, self.directory, loan.segments, contents)

    def batch_of_failed(self, lane: int, rows: Sequence[FailedRow]) -> Batch:
        """Return lent refused rows as a batch."""
        self._next_batch += 1
        self.loans[self._next_batch] = Loan(failed_ids=[row.failed_id for row in rows])
        return batch_of_failed(self._next_batch, lane, rows)

    def settle(
        self,
        batch: Batch,
        stored: Collection[int],
        rejected: Mapping[int, str],
        now: Now,
        rest_s: float = 0.0,
    ) -> None:
        """End a loan with what became of its rows. Refused rows for which there is no room rest as well."""
        loan = self.loans.pop(batch.batch_id, None)
        if loan is None:
            return
        if loan.failed_ids:
            self._settle_failed(batch, loan.failed_ids, stored, rejected, now, rest_s=rest_s)
            return
        if len(stored) == len(batch):
            self.directory.settled += self.shelf.give_back_whole(loan.segments)
            return
        admitted = self.refusals.admitted(rejected)
        fates = dict.fromkeys(rejected, RESTING)
        fates.update(dict.fromkeys((*stored, *admitted), GONE))
        kept = RESTING if rest_s > 0 else FREE
        if len(admitted) < len(rejected):
            rest_s = max(rest_s, LONGEST_PAUSE_S)
        left = self.shelf.give_back(
            loan.segments, lambda index: fates.get(index, kept), now.monotonic_s + rest_s
        )
        self.directory.settled += max(0, left - len(admitted))
        refused = self.refusals.refuse(batch, admitted, lambda _: None, now)
        self._failed.update({row.failed_id: row for row in refused})

    def _settle_failed(
        self,
        batch: Batch,
        ids: Sequence[int],
        stored: Collection[int],
        rejected: Mapping[int, str],
        now: Now,
        *,
        rest_s: float,
    ) -> None:
        self.refusals.give_back(ids, now.monotonic_s + rest_s if rest_s > 0 else 0.0)
        known = {index: reason for index, reason in rejected.items() if ids[index] in self.refusals.rows}
        refused = self.refusals.refuse(batch, known, lambda index: ids[index], now)
        self._failed.update({row.failed_id: row for row in refused})
        left = {ids[index] for index in stored}
        self.refusals.forget(left)
        for failed_id in left:
            self._failed.pop(failed_id, None)
        self._unfailed |= left
        self.directory.settled += len(left)

    @property
    def has_urgent_news(self) -> bool:
        """Whether the disk should hear of it at the next commit."""
        return bool(self._failed) or len(self.shelf.done) >= DROP_AT_ONCE

    @property
    def has_news(self) -> bool:
        """Whether the disk has something to hear."""
        return bool(self._failed or self._unfailed or self.shelf.done or self.shelf.touched)

    def tell(self, work: Work, zstandard: Zstandard) -> None:
        """Put what the disk does not know yet into a transaction."""
        work.drop += self.shelf.done
        # Lent rows are still owed to the cloud; only what is gone is remembered.
        work.states += [
            (
                chunk.chunk_id,
                zstandard.squeeze(bytes(GONE if state == GONE else FREE for state in chunk.states)),
            )
            for chunk in self.shelf.touched.values()
            if chunk.states is not None
        ]
        work.failed += self._failed.values()
        work.unfailed += self._unfailed
        self.shelf.done = []
        self.shelf.touched = {}
        self._failed, self._unfailed = {}, set()
        if work.drop:
            self.directory.oldest_chunk = min(self.shelf.chunks, default=self.directory.through_chunk + 1)
            self.directory.raise_floors(self.directory.oldest_chunk)

    def publish(self, work: Work) -> None:
        """Take in what is on disk now."""
        assert work.transaction is not None
        for chunk_id in work.drop:
            self.shelf.forget(chunk_id)
        for row in work.transaction.put:
            self._shelve(ChunkHead(*row[:8], size=len(row.runs) + len(row.body)))
        self.refusals.forget(work.unfailed)
        self.refusals.give_back(row.failed_id for row in work.failed)
        self.shelf.release([chunk for chunk in work.reserved if chunk.is_reserved])
        if work.needs_snapshot:
            self.shelf.queue_all()

    def losses_of(self, runs: Sequence[Run], chunk: Chunk, cause: int, detail: str = "") -> list[Loss]:
        """Return the ledger entries for whole runs of a chunk."""
        first_at, last_at = self.wall_span(chunk.boot, chunk.first_at, chunk.last_at)
        return [
            Loss(
                self.directory.keys[ref], self.directory.epochs[ref], first_seq, first_seq + rows - 1, rows,
                cause, first_at, last_at, detail,
            )
            for ref, first_seq, rows in runs
        ]  # fmt: skip

    def wall_span(self, boot: int, first_at: int, last_at: int) -> tuple[int | None, int | None]:
        """Return wall times of chunk times; None where the boot's clock is unknown."""
        if not boot:
            return first_at, last_at
        offset = self.directory.boots[boot - 1].offset_ms
        return (None, None) if offset is None else (first_at + offset, last_at + offset)

    def oldest_ms(self) -> int | None:
        """Return the wall time of the oldest chunk, as far as it is known."""
        oldest = next(iter(self.shelf.chunks.values()), None)
        return None if oldest is None else self.wall_span(oldest.boot, oldest.first_at, oldest.last_at)[0]

    def refusal_losses(self, rows: Sequence[FailedRow], cause: int) -> list[Loss]:
        """Return the ledger entries of refused rows that are given up."""
        return [
            Loss(
                row.device_key, row.epoch, row.seq, row.seq, 1, cause, row.recorded_at_ms, row.recorded_at_ms,
                row.reason,
            )
            for row in rows
        ]  # fmt: skip

    def loss_of(self, gap: Gap, boot: int, cause: int) -> Loss:
        """Return the ledger entry of a gap."""
        times = self.wall_span(boot, gap.first_at, gap.last_at)
        key, epoch = self.directory.keys[gap.ref], self.directory.epochs[gap.ref]
        return Loss(key, epoch, gap.first_seq, gap.last_seq, gap.rows, cause, *times)

    def has_something(self, now_s: float) -> bool:
        """Whether any lane has something to lend."""
        self.shelf.wake(now_s)
        due_s = self.next_due_s()
        return (due_s is not None and due_s <= now_s) or self.shelf.has_something()

    def next_due_s(self) -> float | None:
        """Return when something may be lent that may not be now."""
        due = (self.refusals.next_due_s(), self.shelf.next_due_s())
        return min((each for each in due if each is not None), default=None)

    def continue_batches_of(self, other: "Stock") -> None:
        """Number batches on from another stock's, so that its batches are not taken for this one's."""
        self._next_batch = other._next_batch  # noqa: SLF001

    def place_boot(self, boot_id: str, offset_ms: int, time_quality: int) -> bool:
        """Say when a boot began, unless that is known already; whether it was not."""
        boot = self.directory.boots[self.directory.boot_ref(boot_id) - 1]
        if boot.offset_ms is not None:
            return False
        boot.offset_ms, boot.time_quality = offset_ms, time_quality
        self.directory.is_changed = True
        return True

    def place_ended(self, current_boot_id: str, now_ms: int | None) -> bool:
        """Place boots that ended without ever knowing the clock; whether that was possible and needed."""
        boots = self.directory.boots
        ended = [boot for boot in boots if boot.boot_id != current_boot_id]
        if all(boot.offset_ms is not None for boot in ended):
            return False
        current = next((boot for boot in boots if boot.boot_id == current_boot_id), None)
        began_ms = now_ms if current is None or current.offset_ms is None else current.offset_ms
        if began_ms is None:
            return False
        self.directory.is_changed = bool(place_ended(ended, began_ms))
        return True
