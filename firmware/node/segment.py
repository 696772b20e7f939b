"""Segments: append-once files of blocks in one folder; and the mark, whose name is behind every number.

`NNNNNNNN.seg` holds rows as they were flushed, `NNNNNNNN.thn` what was left of older ones when room was
needed. What numbers are in it, its blocks say. A file is never written in its middle: one that ends in
something else than a whole block is not appended to any more. One that the hub has stored is written anew
for later rows: on LittleFS that takes one commit, and a file deleted and another made take three.

`NNNNNNNN.end` is the mark. It is renamed before numbers are given, so whatever is torn off or lost leaves a
gap in front of it, and a ring without a mark is a damaged one. It lies in a folder apart: a damaged folder of
LittleFS goes back in time as a whole, and every folder is by itself in that.

Owns which files there are and what they cover, and leaves what happens to the ring.
"""

import os

from firmware.node.block import Block, Draft

DISK_BLOCK_BYTES = 4096  # LittleFS gives a file whole erase blocks

_MOST_BOOTS = 16  # so that old clocks can be forgotten with the file that needs them
_PLAIN = ".seg"
_THINNED = ".thn"
_MARK = ".end"


class Segment:
    """One file. Covers first_seq..end_seq - 1: nothing when they are the same.

    size: bytes in the file; whole: bytes up to the end of the last whole block. boots: lowest and highest
    boot whose clock is needed to read it, (0, 0) when none is.
    """

    def __init__(self, path: str, first_seq: int, is_thinned: bool = False) -> None:
        self.path = path
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

    def note(self, first_seq: int, end_seq: int, boot: int) -> None:
        """Enter a block that is in the file, behind those entered before."""
        if self.first_seq == self.end_seq:
            self.first_seq = first_seq
        self.end_seq = end_seq
        if boot:
            self.boots = (min(self.boots[0] or boot, boot), max(self.boots[1], boot))


class Segments:
    """All that have rows, oldest first; loads their blocks into one Block.

    apart: the folder of the mark. epoch: that of the blocks; None when none is whole, or they do not agree.
    mark: covers nothing, from the number in its name on; None before the first number, and when it was lost.
    """

    def __init__(self, folder: str, apart: str, block: Block) -> None:
        self._folder = folder
        self._apart = apart
        self._block = block
        self._file = self._reading = None
        self.all = []
        self.epoch = self.mark = None

    def mount(self) -> int:
        """Find what there is, reading every file once; return the highest acknowledged number they know."""
        self.release()
        self.all, self.epoch, self.mark = [], None, None
        self._is_mixed = False
        acked = self._find_mark()
        for name in os.listdir(self._folder):
            number = _number(name, _PLAIN) or _number(name, _THINNED)
            if number:
                segment = Segment(self._path(name), number, name.endswith(_THINNED))
                acked = max(acked, self.scan(segment))
                self.all.append(segment)
        if self._is_mixed:
            self.epoch = None
        for segment in [it for it in self.all if it.end_seq == it.first_seq or self.epoch is None]:
            self.remove(segment)
        if self.epoch is None:
            self._forget_mark()
        self.all.sort(key=lambda segment: (segment.first_seq, segment.end_seq))
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
        if after and self.epoch != self._block.epoch:
            self._is_mixed = True
        return after

    def holds_own(self) -> bool:
        """Whether the block loaded last belongs to this ring."""
        return self._block.epoch == self.epoch

    def scan(self, segment: Segment) -> int:
        """Find out what the file covers; return the highest acknowledged number its blocks know."""
        segment.size, segment.whole, segment.end_seq = os.stat(segment.path)[6], 0, segment.first_seq
        segment.boots = (0, 0)
        acked = 0
        while True:
            after = self.load(segment, segment.whole)
            if not after:
                return acked
            if self.holds_own():
                acked = max(acked, self._block.acked)
                if self._block.end_seq > max(self._block.first_seq, segment.end_seq):
                    segment.note(self._block.first_seq, self._block.end_seq, self._block.boot)
            segment.whole = after

    def rescan(self, segment: Segment) -> None:
        """Find out how much of a write that failed is there after all."""
        self.release()
        if segment.path.split("/")[-1] in os.listdir(self._folder):
            self.scan(segment)
        if segment.end_seq == segment.first_seq:
            self.all = [other for other in self.all if other is not segment]
        else:
            self.wrote(segment)

    def wrote(self, segment: Segment) -> None:
        """Forget the rows that were in the file before."""
        self.all = [other for other in self.all if other is segment or other.path != segment.path]

    def open_for(
        self, first_seq: int, size: int, limit: int, acked: int, is_thinned: bool = False
    ) -> Segment:
        """Return the segment for size more bytes from first_seq on: the newest of its sort, or a new one.

        limit: in bytes; what would be longer begins a new one. So do numbers that do not follow.
        acked: as it is on flash; a file of lower numbers is written anew.
        """
        sort = [segment for segment in self.all if segment.is_thinned == is_thinned]
        newest = sort[-1] if sort else None
        if newest and newest.is_sound and newest.end_seq == first_seq and newest.size + size <= limit:
            return newest
        path = self._path("%08x%s" % (first_seq, _THINNED if is_thinned else _PLAIN))
        if not is_thinned and len(sort) > 1 and sort[0].end_seq - 1 <= acked:
            path = sort[0].path
        segment = Segment(path, first_seq, is_thinned)
        self.all.insert(len(sort) if is_thinned else len(self.all), segment)
        return segment

    def reserve(self, end_seq: int, acked: int) -> None:
        """Move the mark to end_seq, durably, unless it is there; before numbers up to there are given."""
        if self.mark and self.mark.first_seq >= end_seq:
            return
        self.release()
        before, self.mark = self.mark, None
        mark = self._mark_at(end_seq)
        if before is None:
            self._write_mark(mark, acked)
        else:
            os.rename(before.path, mark.path)
        self.mark = mark

    def keep_acked(self, next_seq: int, acked: int) -> None:
        """Put what is acknowledged into the mark, durably."""
        self.reserve(next_seq, acked)
        self._write_mark(self.mark, acked)

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
        return sum([segment.disk_bytes for segment in self.all])

    def _path(self, name: str) -> str:
        return "%s/%s" % (self._folder, name)

    def _find_mark(self) -> int:
        numbers = [_number(name, _MARK) for name in os.listdir(self._apart)]
        for number in sorted([number for number in numbers if number]):
            self._forget_mark()
            self.mark = self._mark_at(number)
        return self.scan(self.mark) if self.mark else 0

    def _forget_mark(self) -> None:
        if self.mark:
            self._delete(self.mark)
        self.mark = None

    def _mark_at(self, seq: int) -> Segment:
        return Segment("%s/%08x%s" % (self._apart, seq, _MARK), seq)

    def _write_mark(self, mark: Segment, acked: int) -> None:
        with open(mark.path, "wb") as file:
            Draft(0, 0).write(file, self.epoch, mark.first_seq, acked, 0)

    def _drop_what_was_thinned(self) -> None:
        thinned = max([0] + [segment.end_seq for segment in self.all if segment.is_thinned])
        for segment in [it for it in self.all if not it.is_thinned and it.end_seq <= thinned]:
            self.remove(segment)

    def _delete(self, segment: Segment) -> None:
        self.release()
        os.remove(segment.path)


def _number(name: str, extension: str) -> int:
    """Return the number in a file's name, 0 when it is no name of this sort."""
    try:
        number = int(name[:-4], 16)
    except ValueError:
        return 0
    return number if name == "%08x%s" % (number, extension) else 0
