"""What can be read from the ring: rows as they are sent, and losses where there are none."""

from firmware.node.block import Block
from firmware.node.clocks import WALL, Clocks, stamped
from firmware.node.journal import Journal
from firmware.node.segment import Segments
from shared_schema.enums import LossCause
from shared_schema.metrics import telemetry_kind
from shared_schema.reports import Loss

_NOWHERE = (WALL, 0)


class Contents:
    """Finds rows by their numbers. Remembers where it was, so reading on costs no search."""

    def __init__(self, segments: Segments, block: Block, journal: Journal, clocks: Clocks) -> None:
        self._segments = segments
        self._block = block
        self._journal = journal
        self._clocks = clocks
        self._last = None  # (segment, position, first number) of the block read last

    def rows(self, from_seq: int, most_rows: int) -> tuple | None:
        """Return (kind_id, first_seq, rows) of the first rows from from_seq on, of one kind in a row."""
        kind_id = first_seq = 0
        rows = []
        for block in self._blocks_from(from_seq):
            clock = self._clocks.of(block.boot)
            if clock is None or (rows and block.kind_id != kind_id):
                break
            for seq, at_ms, values, quality, time_quality in block.each():
                if seq < from_seq:
                    continue
                if not rows:
                    kind_id, first_seq = block.kind_id, seq
                elif seq != first_seq + len(rows):
                    return kind_id, first_seq, rows
                recorded_at_ms, known = stamped(clock, at_ms, time_quality)
                rows.append((recorded_at_ms, _fitted(values, kind_id), quality, known))
                if len(rows) == most_rows:
                    return kind_id, first_seq, rows
        return (kind_id, first_seq, rows) if rows else None

    def loss(self, from_seq: int, next_seq: int) -> Loss | None:
        """Return what is lost from from_seq on, up to the next row or to next_seq; None as Ring.loss."""
        behind = self._row_from(from_seq)
        last_seq = (behind[0] if behind else next_seq) - 1
        if last_seq < from_seq:
            return None
        cause, last_seq, first, last = self._explained(from_seq, last_seq, behind)
        first_at_ms, last_at_ms = self._clocks.known_ms(*first), self._clocks.known_ms(*last)
        if first_at_ms is None or last_at_ms is None:
            return None
        return Loss(cause, from_seq, last_seq, first_at_ms, last_at_ms)

    def _blocks_from(self, seq: int):
        """Load one after the other the blocks that have numbers from seq on, and yield each."""
        for segment in list(self._segments.all):
            if segment.end_seq <= seq:
                continue
            at = 0
            if self._last and self._last[0] is segment and self._last[2] <= seq:
                at = self._last[1]
            while True:
                after = self._segments.load(segment, at)
                if not after:
                    break
                block = self._block
                if (
                    self._segments.holds_own()
                    and block.end_seq > seq
                    and not self._clocks.is_gone(block.boot)
                ):
                    self._last = (segment, at, block.first_seq)
                    yield block
                at = after

    def _row_from(self, seq: int) -> tuple | None:
        """Return (seq, boot, ms) of the first row from seq on."""
        for block in self._blocks_from(seq):
            for row in block.each():
                if row[0] >= seq:
                    return row[0], block.boot, row[1]
        return None

    def _explained(self, from_seq: int, last_seq: int, behind: tuple | None) -> tuple:
        """Return the cause, how far it reaches, and (boot, ms) of where the loss begins and ends."""
        recorded = self._journal.loss_at(from_seq)
        if recorded:
            return recorded[0], min(last_seq, recorded[2]), recorded[3:5], recorded[5:7]
        for loss in self._journal.losses:
            if loss[1] > from_seq:
                last_seq = min(last_seq, loss[1] - 1)
        cause = LossCause.CORRUPT
        for segment in self._segments.all:
            if segment.is_thinned and segment.first_seq <= from_seq < segment.end_seq:
                cause, last_seq = LossCause.THINNED, min(last_seq, segment.end_seq - 1)
        last = behind[1:] if behind else _NOWHERE
        before = self._row_from(from_seq - 1)
        return cause, last_seq, before[1:] if before and before[0] < from_seq else last, last


def _fitted(values: tuple, kind_id: int) -> tuple:
    """Return as many values as the kind has fields now; it may have got more since the row was stored."""
    width = width_of(kind_id, len(values))
    return (values + (None,) * (width - len(values)))[:width]


def width_of(kind_id: int, unknown: int) -> int:
    """Return how many fields a kind has; unknown when there is no such kind."""
    kind = telemetry_kind(kind_id)
    return unknown if kind is None else len(kind.metric_ids)
