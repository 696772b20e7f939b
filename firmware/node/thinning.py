"""Thinning: of an old segment only the first row of each minute is kept, so that a long outage fits."""

from firmware.node.block import Block, Draft
from firmware.node.segment import Segment, Segments

MINUTE_MS = 60_000


class Thinning:
    """Moves rows from plain segments into thinned ones, through one block and one draft of its own."""

    def __init__(self, segments: Segments, block: Block, segment_bytes: int, flush_bytes: int) -> None:
        self._segments = segments
        self._block = block
        self._segment_bytes = segment_bytes
        self._draft = Draft(0, flush_bytes, True)
        self._minutes = {}  # the last one kept, by kind

    def thin(self, segment: Segment, acked: int) -> bool:
        """Keep a row a minute of those behind acked; return False, having done nothing, when it saves little.

        What is kept is on flash before the segment is deleted.
        """
        rows = kept = 0
        minutes = self._minutes.copy()
        for _ in self._blocks_of(segment, 0):
            rows += self._block.rows
            kept += self._pick(acked, minutes)
        if 2 * kept > rows:
            return False
        first_seq = max([segment.first_seq] + [it.end_seq for it in self._segments.all if it.is_thinned])
        thinned = self._segments.open_for(first_seq, segment.size // 2, self._segment_bytes, 0, True)
        try:
            self._move(segment, thinned, acked)
        except OSError:
            self._segments.rescan(thinned)
            raise
        self._segments.remove(segment)
        return True

    def _move(self, segment: Segment, thinned: Segment, acked: int) -> None:
        size, end_seq = thinned.whole, thinned.end_seq
        with self._segments.append(thinned) as file:
            for block in self._blocks_of(segment, end_seq):
                self._pick(acked, self._minutes)
                span = block.end_seq - block.first_seq
                size += self._draft.write(file, block.epoch, block.first_seq, acked, block.boot, span)
                thinned.note(block.first_seq, block.end_seq, block.boot)
        thinned.size = thinned.whole = size

    def _blocks_of(self, segment: Segment, from_seq: int):
        at = 0
        while True:
            at = self._segments.load(segment, at)
            if not at:
                return
            if self._segments.holds_own() and self._block.first_seq >= from_seq:
                yield self._block

    def _pick(self, acked: int, minutes: dict) -> int:
        """Put what is kept of the block into the draft, and return how many rows that is."""
        draft, block = self._draft, self._block
        draft.clear()
        draft.kind_id = block.kind_id
        last_seq = block.first_seq - 1
        for seq, at_ms, values, quality, time_quality in block.each():
            minute = (block.boot, at_ms // MINUTE_MS)
            if seq > acked and minutes.get(block.kind_id) != minute and not draft.is_full:
                minutes[block.kind_id] = minute
                draft.add(at_ms, quality, time_quality, values, seq - last_seq)
                last_seq = seq
        return draft.rows
