"""One transaction's worth of changes, gathered first and prepared once.

A work is prepared when it is written for the first time and stays as it is until it is on disk: a repeated
attempt writes the same numbers again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from hub.outbox.chunk import Columns, Run, Runs
from hub.outbox.directory import Directory, Shape
from hub.outbox.leases import Chunk
from hub.outbox.losses import Loss, as_readings, merged
from hub.outbox.records import ChunkRow, FailedRow, Transaction
from hub.outbox.sealing import Draft, Sort, draft, seal
from hub.outbox.squeeze import Zstandard
from hub.outbox.waiting import Forgotten
from hub.ports import Reading, Stamp
from shared_schema.enums import Lane, LossCause

SNAPSHOT_CHUNKS = 1000  # as many chunks are read again after a crash, a fraction of a second


class Rewrite(NamedTuple):
    """What a chunk becomes."""

    chunk_id: int
    sort: Sort
    runs: Runs
    columns: Columns


class Import(NamedTuple):
    """A chunk of another outbox. streams: (device_key, epoch, first_seq, rows), in the columns' order."""

    lane: int
    shape: Shape
    boot_id: str
    level: int
    streams: Sequence[tuple[str, int, int, int]]
    columns: Columns


@dataclass(slots=True)
class Work:
    """What one transaction changes."""

    stamp: Stamp
    telemetry: Sequence[Reading] = ()
    alarms: Sequence[Reading] = ()
    forgotten: dict[str, Forgotten] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    rewrites: list[Rewrite] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    drop: list[int] = field(default_factory=list)
    states: list[tuple[int, bytes]] = field(default_factory=list)
    failed: list[FailedRow] = field(default_factory=list)
    unfailed: list[int] = field(default_factory=list)
    needs_snapshot: bool = False
    salvage_progress: tuple[str, int] | None = None
    reserved: list[Chunk] = field(default_factory=list)
    transaction: Transaction | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (
            self.telemetry or self.alarms or self.forgotten or self.losses or self.rewrites or self.imports
            or self.drop or self.states or self.failed or self.unfailed or self.needs_snapshot
            or self.salvage_progress
        )  # fmt: skip

    def prepare(
        self, directory: Directory, hub_device_key: str, boot_id: str, zstandard: Zstandard
    ) -> Transaction:
        """Number what is new and return the transaction, the same one however often asked."""
        if self.transaction is None:
            before = directory.through_chunk
            if self.salvage_progress is not None:
                name, through = self.salvage_progress
                directory.salvaged[name] = through
            drafts = self._drafts(directory, hub_device_key, boot_id)
            put = [_squeezed(each, zstandard) for each in drafts]
            # Two slots in turn, so that damage to one page leaves the other; names that are new go into both.
            has_new_names = directory.is_changed
            snapshot: tuple[int, bytes] | None = None
            slots: Sequence[int] = ()
            if has_new_names or self._touches_the_past or _is_due(before, directory.through_chunk):
                body = zstandard.squeeze(directory.encode())
                snapshot = (directory.version, body)
                slots = (0, 1) if has_new_names else (directory.version % 2,)
            self.transaction = Transaction(
                put, self.drop, self.states, self.failed, self.unfailed, snapshot, slots
            )
        return self.transaction

    def for_a_fresh_file(self) -> "Work":
        """Return what of it another file can still take: what is new, just refused, or of a third file."""
        if self.reserved:
            return Work(self.stamp)
        losses = self.losses if self.salvage_progress else []
        return replace(self, losses=losses, rewrites=[], drop=[], states=[], unfailed=[], transaction=None)

    @property
    def _touches_the_past(self) -> bool:
        return bool(
            self.rewrites
            or self.imports
            or self.drop
            or self.states
            or self.losses
            or self.needs_snapshot
            or self.salvage_progress
        )

    def _drafts(self, directory: Directory, hub_device_key: str, boot_id: str) -> list[Draft]:
        losses = merged([*self.losses, *_numbered(directory, self.forgotten)])
        for loss in losses:
            directory.count_loss(loss.cause_name, loss.rows)
        ledger = as_readings(losses, hub_device_key, self.stamp)
        directory.appended += len(self.telemetry) + len(self.alarms) + len(ledger)
        return [
            *seal(directory, boot_id, self.telemetry, Lane.LIVE),
            *seal(directory, boot_id, [*self.alarms, *ledger], Lane.ALARM),
            *(_rewritten(directory, rewrite) for rewrite in self.rewrites),
            *(_imported(directory, each) for each in self.imports),
        ]


def _is_due(before: int, after: int) -> bool:
    return before // SNAPSHOT_CHUNKS != after // SNAPSHOT_CHUNKS


def _numbered(directory: Directory, forgotten: dict[str, Forgotten]) -> list[Loss]:
    losses = []
    for device_key, gone in forgotten.items():
        first = directory.assign(directory.ref_of(device_key, directory.epoch), gone.rows)
        last = first + gone.rows - 1
        losses.append(
            Loss(
                device_key,
                directory.epoch,
                first,
                last,
                gone.rows,
                LossCause.DISK,
                gone.first_at_ms,
                gone.last_at_ms,
            )
        )
    return losses


def _rewritten(directory: Directory, rewrite: Rewrite) -> Draft:
    return draft(directory, rewrite.sort, rewrite.runs, rewrite.columns, rewrite.chunk_id)


def _imported(directory: Directory, each: Import) -> Draft:
    runs = [Run(directory.ref_of(key, epoch, first), first, rows) for key, epoch, first, rows in each.streams]
    directory.see_runs(runs)
    boot = directory.boot_ref(each.boot_id) if each.boot_id else 0
    sort = Sort(each.lane, directory.shape_ref(each.shape), boot, each.level)
    return draft(directory, sort, Runs.of(runs), each.columns)


def _squeezed(each: Draft, zstandard: Zstandard) -> ChunkRow:
    return ChunkRow(
        each.chunk_id, each.lane, each.shape, each.boot, each.level, each.rows, each.first_at, each.last_at,
        zstandard.squeeze(each.runs), zstandard.squeeze(each.body),
    )  # fmt: skip
