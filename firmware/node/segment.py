"""Segments: append-once files of blocks in one folder, named after the first number they cover.

`NNNNNNNN.seg` holds rows as they were flushed, `NNNNNNNN.thn` what was left of older ones when room was
needed. A file is never written in its middle: one that ends in something else than a whole block is not
appended to any more. Owns which files there are and what they cover, and leaves what happens to the ring.

The last of them is the mark: a file without rows of its own, whose name is behind every number that was
given. It is moved before numbers are, so what is torn off or lost in front of it leaves a gap, and a ring
without a mark is a damaged one. Usually it is an older file, renamed, that is no longer needed: its blocks
are of lower numbers than its name and do not count. The next file is written in its place. On LittleFS a
flush costs two commits that way, one for the name and one for the rows.
"""

import os

from firmware.node.block import Block, Draft

DISK_BLOCK_BYTES = 4096  # LittleFS gives a file whole erase blocks

_MOST_BOOTS = 16  # so that old clocks can be forgotten with the file that needs them
_PLAIN = ".seg"
_THINNED = ".thn"
_UNNAMED = "mark"  # until it is whole


class Segment:
    """One file. Covers first_seq..end_seq - 1.

    size: bytes in the file; whole: bytes up to the end of the last whole block. boots: lowest and highest
    boot whose clock is needed to read it, (0, 0) when none is.
    """

    def __init__(self, folder: str, first_seq: int, is_thinned: bool) -> None:
        self.path = "%s/%08x%s" % (folder, first_seq, _THINNED if is_thinned else _PLAIN)
        self.is_thinned = is_thinned
        self.first_seq = self.end_seq = first_seq
        self.size = self.whole = 0
        self.boots = (0, 0)

    @property
    def disk_bytes(self) -> int:
        """What the file takes from the disk."""
        return -(-self.size // DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES

    @property
    def is_sound(self) -> bool:
        """Whether more may be appended: it ends with a whole block, and does not need too many clocks."""
        return 0 < self.size == self.whole and self.boots[1] - self.boots[0] < _MOST_BOOTS

    def note(self, end_seq: int, boot: int) -> None:
        """Enter a block that is in the file."""
        self.end_seq = end_seq
        if boot:
            self.boots = (min(self.boots[0] or boot, boot), max(self.boots[1], boot))


class Segments:
    """All that have rows, oldest first; loads their blocks into one Block.

    epoch: that of the newest whole block; None when there is none. mark: None before the first number, and
    when it was lost. named_seq: no name or block of a number from there on was found by mount().
    """

    def __init__(self, folder: str, block: Block) -> None:
        self._folder = folder
        self._block = block
        self._file = self._reading = None
        self.all = []
        self.epoch = self.mark = None
        self.named_seq = 0

    def mount(self) -> int:
        """Find what there is, reading every file once; return the highest acknowledged number they know."""
        self.release()
        self.all, self.epoch, self.mark = [], None, None
        found = [segment for segment in [self._named(name) for name in os.listdir(self._folder)] if segment]
        found.sort(key=lambda segment: segment.first_seq)
        acked = self.named_seq = 0
        for segment in reversed(found):
            acked = max(acked, self.scan(segment))
            is_last = not self.named_seq
            self.named_seq = max(self.named_seq, segment.end_seq)
            if segment.end_seq > segment.first_seq and self.epoch is not None:
                self.all.insert(0, segment)
            elif is_last and segment.whole and not segment.is_thinned:
                self.mark = segment  # a file of lost rows would begin with none that can be read
            else:
                self._delete(segment)
        self._drop_what_was_thinned()
        return acked

    def load(self, segment: Segment, at: int) -> int:
        """Load the block at this position; return the position behind it, 0 when no whole one is there."""
        if self._reading is not segment:
            self.release()
            self._file = open(segment.path, "rb")
            self._reading = segment
        after = self._block.load(self._file, at)
        if after and self.epoch is None:
            self.epoch = self._block.epoch
        return after

    def holds_own(self) -> bool:
        """Whether the block loaded last belongs to this ring, and to the file it was loaded from."""
        return self._block.epoch == self.epoch and self._block.first_seq >= self._reading.first_seq

    def scan(self, segment: Segment) -> int:
        """Find out what the file covers; return the highest acknowledged number its blocks know."""
        segment.size, segment.whole, segment.end_seq = os.stat(segment.path)[6], 0, segment.first_seq
        segment.boots = (0, 0)
        acked = 0
        while True:
            after = self.load(segment, segment.whole)
            if not after:
                return acked
            if self._block.epoch == self.epoch:
                acked = max(acked, self._block.acked)
            if self.holds_own():
                segment.note(max(segment.end_seq, self._block.end_seq), self._block.boot)
            segment.whole = after

    def rescan(self, segment: Segment) -> None:
        """Find out how much of a write that failed is there after all."""
        self.release()
        if segment.path.split("/")[-1] in os.listdir(self._folder):
            self.scan(segment)
        if segment.end_seq == segment.first_seq:
            self.all = [other for other in self.all if other is not segment]

    def open_for(self, first_seq: int, size: int, limit: int, is_thinned: bool = False) -> Segment:
        """Return the segment for size more bytes from first_seq on: the newest of its sort, or a new one.

        limit: in bytes; what would be longer begins a new one. So do numbers that do not follow: should the
        block be damaged, the file's name still says which they were.
        """
        sort = [segment for segment in self.all if segment.is_thinned == is_thinned]
        newest = sort[-1] if sort else None
        is_fit = newest and newest.is_sound and newest.end_seq == first_seq
        if is_fit and newest.size + size <= limit:
            return newest
        segment = Segment(self._folder, first_seq, is_thinned)
        self.all.insert(len(sort) if is_thinned else len(self.all), segment)
        return segment

    def reserve(self, end_seq: int, acked: int, segment: Segment | None = None) -> None:
        """Move the mark to end_seq, durably, unless it is there; before numbers up to there are given.

        segment: what is to be written next; it may be in the mark's place.
        """
        if self.mark and self.mark.first_seq >= end_seq:
            return
        self.release()
        source, self.mark = self.mark, None
        if source is None or (segment and segment.path == source.path):
            source = self._spare(acked)
        if source is None:
            source = self._unnamed_mark(end_seq, acked)
        mark = Segment(self._folder, end_seq, False)
        os.rename(source.path, mark.path)
        mark.size = source.size
        self.mark = mark

    def write_mark(self, next_seq: int, acked: int) -> None:
        """Put the mark at next_seq, durably, with what is acknowledged in it."""
        self.release()
        source, mark = self._unnamed_mark(next_seq, acked), Segment(self._folder, next_seq, False)
        os.rename(source.path, mark.path)
        mark.size = source.size
        if self.mark and self.mark.path != mark.path:
            self._delete(self.mark)
        self.mark = mark

    def append(self, segment: Segment):
        """Return the file to append blocks to; on flash once it is closed."""
        self.release()
        return open(segment.path, "ab" if segment.size else "wb")

    def remove(self, segment: Segment) -> None:
        """Delete the file."""
        self.release()
        self._delete(segment)
        self.all.remove(segment)

    def release(self) -> None:
        """Close what is open for reading."""
        if self._file is not None:
            self._file.close()
        self._file = self._reading = None

    @property
    def disk_bytes(self) -> int:
        """What all files take from the disk."""
        marked = self.mark.disk_bytes if self.mark else 0
        return marked + sum([segment.disk_bytes for segment in self.all])

    def _named(self, name: str):
        stem, extension = name[:-4], name[-4:]
        try:
            segment = Segment(self._folder, int(stem, 16), extension == _THINNED)
        except ValueError:
            return None
        return segment if segment.path == "%s/%s" % (self._folder, name) else None

    def _spare(self, acked: int) -> Segment | None:
        """Take the oldest file away from the others when the hub has stored all of it."""
        oldest = self.all[0] if len(self.all) > 1 else None
        if oldest and oldest.is_sound and oldest.end_seq - 1 <= acked and not oldest.is_thinned:
            return self.all.pop(0)
        return None

    def _unnamed_mark(self, next_seq: int, acked: int) -> Segment:
        mark = Segment(self._folder, next_seq, False)
        mark.path = "%s/%s" % (self._folder, _UNNAMED)
        with open(mark.path, "wb") as file:
            mark.size = Draft(0, 0).write(file, self.epoch, next_seq, acked, 0)
        return mark

    def _drop_what_was_thinned(self) -> None:
        thinned = max([0] + [segment.end_seq for segment in self.all if segment.is_thinned])
        for segment in [it for it in self.all if not it.is_thinned and it.end_seq <= thinned]:
            self.remove(segment)

    def _delete(self, segment: Segment) -> None:
        self.release()
        os.remove(segment.path)
