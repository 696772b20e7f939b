"""Room on the disk: what the hub has stored goes first, then the oldest rows are thinned or dropped.

What is dropped is in the journal before its file is deleted.
"""

from firmware.node.block import Block
from firmware.node.clocks import WALL
from firmware.node.journal import Journal
from firmware.node.segment import DISK_BLOCK_BYTES, Segment, Segments
from shared_schema.enums import LossCause

ENOSPC = 28  # not in MicroPython's errno


class Room:
    """capacity_bytes: of the disk, in whole erase blocks. thinning: a Thinning, None to drop at once."""

    def __init__(
        self,
        segments: Segments,
        block: Block,
        journal: Journal,
        thinning,
        capacity_bytes: int,
    ) -> None:
        self._segments = segments
        self._block = block
        self._journal = journal
        self._thinning = thinning
        self.capacity_bytes = capacity_bytes

    @property
    def bytes_free(self) -> int:
        """What is left; negative when the ring has to give something up."""
        return self.capacity_bytes - self._segments.disk_bytes

    def forget(self, acked: int) -> None:
        """Delete the files of which everything is acknowledged, but the newest, and a small one to reuse."""
        segments = self._segments.all
        while len(segments) > 1 and segments[0].end_seq - 1 <= acked:
            if segments[0].size <= DISK_BLOCK_BYTES and not (
                len(segments) > 2 and segments[1].end_seq - 1 <= acked
            ):
                return
            self._segments.remove(segments[0])

    def make(self, acked: int) -> bool:
        """Give up as little as possible of the oldest; return False when there is nothing to give."""
        if len(self._segments.all) < 2:
            return False
        oldest = self._segments.all[0]
        if oldest.end_seq - 1 <= acked:
            self._segments.remove(oldest)
        elif not self._thinned_one(acked):
            self._evict(oldest, acked)
        return True

    def _thinned_one(self, acked: int) -> bool:
        thinned_bytes = sum([segment.disk_bytes for segment in self._segments.all if segment.is_thinned])
        plain = [segment for segment in self._segments.all if not segment.is_thinned]
        if self._thinning is None or len(plain) < 2 or thinned_bytes > self.capacity_bytes // 4 * 3:
            return False
        try:
            return self._thinning.thin(plain[0], acked)
        except OSError as error:
            if error.errno != ENOSPC:
                raise
            return False

    def _evict(self, segment: Segment, acked: int) -> None:
        loss = [LossCause.EVICTED, max(acked + 1, segment.first_seq), segment.end_seq - 1]
        loss += self._ends_of(segment)
        try:
            self._journal.add_loss(loss)
        except OSError as error:
            if error.errno != ENOSPC:
                raise
            self._segments.remove(segment)  # there is no room for the entry otherwise
            self._journal.add_loss(loss)
            return
        self._segments.remove(segment)

    def _ends_of(self, segment: Segment) -> list:
        """Return boot and ms of the first row, and boot and ms of the last."""
        first, last_at, at = None, 0, 0
        while True:
            after = self._segments.load(segment, at)
            if not after:
                break
            if self._segments.holds_own() and self._block.rows:
                last_at = at
                first = first or (self._block.boot, next(self._block.each())[1])
            at = after
        if first is None:
            return [WALL, 0, WALL, 0]
        self._segments.load(segment, last_at)
        return [first[0], first[1], self._block.boot, self._block.last_at_ms()]
