"""What is brought over from a damaged outbox, and what is entered as lost.

Rows keep their identity: they arrive under the epoch of the outbox they were first stored in. What the
damaged file's snapshot says was there, and no readable chunk holds, is entered as corrupt. Some of it may
have been delivered shortly before: the ledger never says less than what is missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.outbox import directory as directories
from hub.outbox.boots import place_ended
from hub.outbox.chunk import Columns, DamagedChunk, decode_body, decode_runs
from hub.outbox.directory import Directory
from hub.outbox.leases import GONE
from hub.outbox.losses import Loss
from hub.outbox.records import ChunkRow
from hub.outbox.rewriting import packed, unpacked
from hub.outbox.squeeze import Zstandard
from hub.outbox.work import Import
from shared_schema.enums import LossCause

DONE = -1  # in place of a chunk id: nothing is left to bring over
# A damaged page can hold anything, also a column of another type.
_DAMAGES = (DamagedChunk, IndexError, ValueError, TypeError, OverflowError)
DETAIL = "the outbox file was damaged; some of these may have been delivered before"


@dataclass(slots=True)
class Salvage:
    """One damaged outbox being brought over. found: per stream, the ranges that could be read."""

    old: Directory
    zstandard: Zstandard
    found: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    damaged: int = 0

    def place_boots(self, current_boot_id: str, now_ms: int) -> None:
        """Place the boots that ended; the current one may still learn its time."""
        place_ended([boot for boot in self.old.boots if boot.boot_id != current_boot_id], now_ms)

    def take(self, row: ChunkRow, states: bytes | None) -> Import | None:
        """Return what is left in a chunk; None when that is nothing, or cannot be read."""
        restore = self.zstandard.restore
        try:
            runs, columns = decode_runs(restore(row.runs)), decode_body(restore(row.body))
            left = unpacked(runs, columns, self._states(states, row.rows))
            shape = self.old.shapes[row.shape]
            boot = self.old.boots[row.boot - 1] if row.boot else None
            streams = [(self.old.keys[ref], self.old.epochs[ref], first, rows) for ref, first, rows in runs]
        except _DAMAGES:
            self.damaged += 1
            return None
        for ref, first, rows in runs:
            self.found.setdefault(ref, []).append((first, first + rows - 1))
        if not left:
            return None
        if len(left) < row.rows:
            runs, columns = packed(left)
            streams = [(self.old.keys[ref], self.old.epochs[ref], first, rows) for ref, first, rows in runs]
        boot_id = ""
        if boot is not None and boot.offset_ms is None:
            boot_id = boot.boot_id
        elif boot is not None and boot.offset_ms is not None:
            times = [at + boot.offset_ms for at in columns.recorded_at_ms]
            columns = Columns(times, columns.qualities, [boot.time_quality] * len(times), columns.values)
        return Import(row.lane, shape, boot_id, row.level, streams, columns)

    def _states(self, squeezed: bytes | None, rows: int) -> bytes | None:
        try:
            return None if squeezed is None else _fitting(self.zstandard.restore(squeezed), rows)
        except _DAMAGES:
            return None

    def losses(self) -> list[Loss]:
        """Return what is missing, once every chunk was looked at."""
        losses = []
        for ref, (key, epoch) in enumerate(zip(self.old.keys, self.old.epochs, strict=True)):
            ranges = sorted(self.found.get(ref, ()))
            end = max([self.old.next_seqs[ref] - 1, *(last for _, last in ranges)])
            losses += [
                Loss(key, epoch, first, last, last - first + 1, LossCause.CORRUPT, detail=DETAIL)
                for first, last in _between(self.old.floors[ref], end, ranges)
            ]
        return losses


def newest(snapshots: Iterable[bytes], zstandard: Zstandard) -> Directory | None:
    """Return the newest snapshot that can be read."""
    for body in snapshots:
        try:
            return directories.decode(zstandard.restore(body))
        except DamagedChunk:
            continue
    return None


def unfinished(wrecks: Sequence[str], salvaged: Mapping[str, int]) -> list[str]:
    """Return the damaged files that still have something to give."""
    return [path for path in wrecks if salvaged.get(path, 0) != DONE]


def _fitting(states: bytes, rows: int) -> bytes | None:
    # Rows sent twice are ignored by the cloud; rows not sent because of a damaged list would be lost.
    return states if len(states) == rows and set(states) <= {GONE, 1} else None


def _between(first: int, last: int, ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    missing = []
    for begin, end in ranges:
        if begin > first:
            missing.append((first, begin - 1))
        first = max(first, end + 1)
    if first <= last:
        missing.append((first, last))
    return missing
