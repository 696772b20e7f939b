"""The ring: a node's rows on flash, from the moment they are numbered until the hub has stored them.

What holds, whatever is cut off at any moment:
1. flush() gives numbers, and returns when they are on flash. They have no gaps; nothing has two numbers.
2. A row keeps number, time and values until it is acknowledged. Whatever is missing before, loss() explains.
3. Times that count from a boot leave only when that boot's clock is on flash, so they are the same each time.
4. The epoch is new only when nothing of an older one could be read.
5. No file is written in its middle, and none is deleted before what replaces it is on flash.

What holds when files are damaged, torn off or lost between two boots, or a folder goes back in time, and
again after the next boot:
6. A number is never given to two rows of an epoch. Before numbers are given the mark is behind them, durably:
   the name of a file in a folder apart (segment.py). A boot goes on at the mark; what does not reach up to it
   is lost, and the journal notes how far the numbers went before anyone is told.
7. Without a mark nothing tells how far the numbers went. They go on behind as many as the whole ring could
   hold after the last that can be read; the loss then counts more than ever was. Without anything whole, or
   when epochs do not agree, the epoch is new.
8. A clock is in both files of the journal, one of them apart, before rows are stamped with it. When both are
   damaged, rows whose clock is missing are lost: they may have been sent, and would come with another time.
What does not hold: both folders going back in time at once, which only the hub could notice.

What is to be sent, beginning behind what the hub says is stored:
    found = ring.read(seq, 120)
    lost = ring.loss(seq) if found is None or found[1] > seq else None
    lost goes first: continue behind lost.last_seq; otherwise found: continue behind its last row
    neither: nothing more can be sent now
"""

import os
from errno import EEXIST

from firmware.node.block import FEWEST_RECORD_BYTES, HEAD_BYTES, PREFIX_BYTES, Block, Draft
from firmware.node.clocks import MOST_CLOCKS, WALL, Clocks
from firmware.node.contents import Contents, width_of
from firmware.node.journal import Journal
from firmware.node.room import ENOSPC, Room
from firmware.node.segment import Segments
from shared_schema.enums import LossCause, TimeQuality
from shared_schema.packing import LATEST_MS, MAX_INTEGER
from shared_schema.reports import Loss

DROP_OLDEST = "drop_oldest"
THIN = "thin"
POLICIES = (DROP_OLDEST, THIN)

_EPOCHS = 0x7FFFFFFF  # the cloud keeps it in a signed integer
_LARGEST_VALUE = MAX_INTEGER // 2  # so that any step between two is at most MAX_INTEGER


class Ring:
    """Rows of one node in one folder. mount() comes first.

    capacity_bytes: of the disk, in whole erase blocks; at least two segments. flush_bytes: in memory for each
    kind, up to 4096; when so many wait, append flushes by itself. policy: what happens to the oldest rows
    when there is no room.

    acked: everything up to it is stored by the hub. next_seq: the number that
    the next row flushed will have. disk_error: why rows are not on flash, None when all is well.
    """

    def __init__(
        self,
        folder: str,
        capacity_bytes: int,
        *,
        segment_bytes: int = 16384,
        flush_bytes: int = 1024,
        policy: str = DROP_OLDEST,
    ) -> None:
        if capacity_bytes < 2 * segment_bytes or not 64 <= flush_bytes <= 4096 or policy not in POLICIES:
            raise ValueError("a ring of %d bytes, %d at once, %s" % (capacity_bytes, flush_bytes, policy))
        self._folders = (folder, folder + "/apart")
        self._segment_bytes = segment_bytes
        self._flush_bytes = flush_bytes
        block = Block(flush_bytes + 256)
        self._segments = Segments(self._folders[0], self._folders[1], block)
        self._journal = Journal(self._folders)
        self._clocks = Clocks(self._segments, block, self._journal)
        self._contents = Contents(self._segments, block, self._journal, self._clocks)
        thinning = None
        if policy == THIN:
            from firmware.node.thinning import Thinning  # noqa: PLC0415 - others do without its memory

            thinning = Thinning(self._segments, block, segment_bytes, flush_bytes)
        self._room = Room(self._segments, block, self._journal, thinning, capacity_bytes)
        self._drafts = {}
        self.capacity_bytes = capacity_bytes

    def mount(self) -> None:
        """Read what is on flash and begin a new boot; mend what was damaged.

        Raises OSError when the disk cannot be read. When it cannot be written, losses are not told yet.
        """
        for folder in self._folders:
            try:
                os.mkdir(folder)
            except OSError as error:
                if error.errno != EEXIST:
                    raise
        self.acked = self._acked_on_flash = self._segments.mount()
        is_new = self._segments.epoch is None
        if is_new:
            self._segments.epoch = int.from_bytes(os.urandom(4), "big") & _EPOCHS
        self._journal.mount(self.epoch)
        self._clocks.begin()
        self._floor_seq = 0
        self.next_seq = 1 if is_new else self._first_free_seq()
        self.disk_error = self._writing = self._unwritten = None
        self._draft_boot = WALL
        for draft in self._drafts.values():
            draft.clear()
        if not is_new:
            self._mend_if_possible()
        self._segments.release()

    @property
    def boot(self) -> int:
        """The number of this boot, for rows that are stamped with the time since it began."""
        return self._clocks.boot

    @property
    def epoch(self) -> int:
        """Which life of this memory the numbers belong to."""
        return self._segments.epoch

    @property
    def oldest_seq(self) -> int:
        """The lowest number that is not acknowledged."""
        return self.acked + 1

    @property
    def rows_in_memory(self) -> int:
        """How many rows wait for their numbers."""
        return sum([draft.rows for draft in self._drafts.values()])

    @property
    def rows_waiting(self) -> int:
        """How many numbers are not acknowledged, and rows have none yet."""
        return self.next_seq - 1 - self.acked + self.rows_in_memory

    @property
    def bytes_free(self) -> int:
        """What is left of capacity_bytes."""
        return max(0, self._room.bytes_free)

    def append(
        self,
        kind_id: int,
        at_ms: int,
        values: tuple,
        quality: int = 0,
        time_quality: int = 0,
        boot: int | None = None,
    ) -> None:
        """Take a row into memory.

        values: for each field of the kind a scaled integer or None. at_ms: Unix ms; with boot, which is the
        ring's own, ms since it began. Rows that fill the memory while the disk takes nothing become losses.
        Raises ValueError for what is no row, OSError when the disk does not even answer.
        """
        at_ms, in_boot = self._clocks.placed(at_ms, boot)
        _require_row(kind_id, at_ms, values, quality, time_quality)
        if self._is_full() or (self.rows_in_memory and in_boot != self._draft_boot):
            self._flush_or_drop()
        self._draft_boot = in_boot
        if kind_id not in self._drafts:
            self._drafts[kind_id] = Draft(kind_id, self._flush_bytes)
        self._drafts[kind_id].add(at_ms, quality, time_quality, values)
        if self._is_full():
            try:
                self.flush()
            except OSError:
                pass  # kept as disk_error; the memory holds until the next row

    def flush(self) -> int:
        """Number what is in memory, durably; return next_seq, below which everything is on flash.

        Raises OSError when the disk does not take it; the rows stay in memory for the next time.
        """
        try:
            self._recover()
            self._mend()
            if self._draft_boot != WALL and (self.rows_in_memory or self._unwritten):
                self._journal.add_rows(self._draft_boot)
            if self._unwritten:
                self._segments.reserve(self.next_seq, self._acked_on_flash)
                self._journal.add_loss(self._unwritten)
                self._unwritten = None
            if self.rows_in_memory:
                self._write_with_room()
            self._room.forget(self._acked_on_flash)
            while self._room.bytes_free < 0 and self._room.make(self.acked):
                pass
            self._trim_journal()
        except OSError as error:
            self.disk_error = error
            raise
        self._segments.release()
        self.disk_error = None
        return self.next_seq

    def close(self) -> None:
        """Flush, and keep on flash what is acknowledged. Raises OSError as flush."""
        self.flush()
        if self.acked > self._acked_on_flash:
            self._segments.keep_acked(self.next_seq, self.acked)
            self._acked_on_flash = self.acked

    def acknowledge(self, stored_seq: int) -> None:
        """Note that the hub has stored, or knows why not, everything up to stored_seq of this epoch.

        The next flush makes it durable and frees the space. A number the ring has not given yet is one it
        forgot, by damage: it goes on behind it.
        """
        if not 0 <= stored_seq < MAX_INTEGER // 2:
            raise ValueError("stored up to %d" % stored_seq)
        self.acked = max(self.acked, stored_seq)
        self.next_seq = max(self.next_seq, self.acked + 1)

    def read(self, from_seq: int, most_rows: int) -> tuple | None:
        """Return (kind_id, first_seq, rows): of the first rows from from_seq on, those of one kind in a row.

        rows: (recorded_at in Unix ms, values, quality, time quality), as batches.encode takes them.
        None when there are none, or when their clock is not known yet.
        """
        found = self._contents.rows(from_seq, most_rows)
        self._segments.release()
        return found

    def loss(self, from_seq: int) -> Loss | None:
        """Return what is lost from from_seq on; None when from_seq has a row, or cannot be told of yet."""
        found = self._contents.loss(from_seq, self._told_seq())
        self._segments.release()
        return found

    def set_clock(self, boot: int, offset_ms: int, time_quality: int = TimeQuality.CORRECTED) -> None:
        """Say when this boot began, in Unix ms. Only the first time counts. Raises OSError when not durable.

        Rows of earlier boots whose clock was never known are placed so that they end where this one begins.
        """
        self._clocks.set(boot, offset_ms, time_quality, self._has_pending())
        while len(self._journal.clocks) > MOST_CLOCKS and self._room.make(self.acked):
            self._trim_journal()

    def _first_free_seq(self) -> int:
        segments = self._segments
        ends = [segment.end_seq for segment in segments.all]
        ends += [loss[2] + 1 for loss in self._journal.losses]
        known_seq = max([self._journal.floor_seq] + ends)
        next_seq = max(known_seq, self.acked + 1)
        if segments.mark:
            next_seq = max(next_seq, segments.mark.first_seq)
        else:
            next_seq += self._room.capacity_bytes // FEWEST_RECORD_BYTES
        if next_seq > known_seq:  # the mark alone knows
            self._floor_seq = next_seq
        return next_seq

    def _mend(self) -> None:
        if self.next_seq > 1:
            self._is_mended = False
            self._segments.reserve(self.next_seq, self._acked_on_flash)
            self._journal.add_floor(self._floor_seq)
            self._clocks.settle()
        self._is_mended = True

    def _mend_if_possible(self) -> None:
        try:
            self._mend()
        except OSError as error:
            self.disk_error = error

    def _told_seq(self) -> int:
        """Return the number from which on losses are not told: they could still become others."""
        if self._segments.mark is None or not self._is_mended:
            return 0
        return min(self._segments.mark.first_seq, self._unwritten[1] if self._unwritten else self.next_seq)

    def _is_full(self) -> bool:
        used = 0
        for draft in self._drafts.values():
            if draft.is_full:
                return True
            used += draft.used
        return used >= self._flush_bytes

    def _flush_or_drop(self) -> None:
        try:
            self.flush()
        except OSError:
            self._recover()
            self._drop_what_is_in_memory()

    def _drop_what_is_in_memory(self) -> None:
        drafts = [draft for draft in self._drafts.values() if draft.rows]
        first_at_ms = min([draft.first_at_ms for draft in drafts])
        last_at_ms = max([draft.last_at_ms for draft in drafts])
        first_seq, self.next_seq = self.next_seq, self.next_seq + self.rows_in_memory
        if self._unwritten:
            self._unwritten[2] = self.next_seq - 1
            self._unwritten[5:] = [self._draft_boot, last_at_ms]
        else:
            self._unwritten = [LossCause.DISK, first_seq, self.next_seq - 1, self._draft_boot, first_at_ms]
            self._unwritten += [self._draft_boot, last_at_ms]
        for draft in drafts:
            draft.clear()

    def _write_with_room(self) -> None:
        while self.rows_in_memory:
            try:
                self._write([draft for draft in self._drafts.values() if draft.rows])
            except OSError as error:
                self._recover()
                if error.errno != ENOSPC or not self._room.make(self.acked):
                    raise

    def _write(self, drafts: list) -> None:
        size = sum([draft.used + PREFIX_BYTES + HEAD_BYTES for draft in drafts])
        # LittleFS copies the last block of a file that is appended to. While the hub keeps up, none is.
        limit = self._segment_bytes if self.acked < self.next_seq - 1 else 0
        segment = self._segments.open_for(self.next_seq, size, limit, self._acked_on_flash)
        self._writing = (segment, drafts)
        self._segments.reserve(self.next_seq + self.rows_in_memory, self._acked_on_flash)
        end_seq, size, acked = self.next_seq, segment.whole, self.acked
        with self._segments.append(segment) as file:
            for draft in drafts:
                size += draft.write(file, self.epoch, end_seq, acked, self._draft_boot)
                end_seq += draft.rows
        self._writing = None
        segment.size = segment.whole = size
        segment.note(self.next_seq, end_seq, self._draft_boot)
        self._segments.wrote(segment)
        self.next_seq, self._acked_on_flash = end_seq, acked
        for draft in drafts:
            draft.clear()

    def _recover(self) -> None:
        """Find out which blocks of a write that failed are on flash after all: their rows have numbers."""
        if self._writing is None:
            return
        segment, drafts = self._writing
        self._segments.rescan(segment)
        self._writing = None
        for draft in drafts:
            if self.next_seq + draft.rows > segment.end_seq:
                return
            self.next_seq += draft.rows
            draft.clear()

    def _trim_journal(self) -> None:
        boots = [segment.boots[0] for segment in self._segments.all if segment.boots[0]]
        self._journal.trim(self._acked_on_flash, min(boots or [self.boot]))

    def _has_pending(self) -> bool:
        boots = [segment.boots[1] for segment in self._segments.all]
        boots += [loss[5] for loss in self._journal.losses]
        if self.rows_in_memory or self._unwritten:
            boots.append(self._draft_boot)
        return self.boot in boots


def _require_row(kind_id: int, at_ms: int, values: tuple, quality: int, time_quality: int) -> None:
    if len(values) != width_of(kind_id, -1):
        raise ValueError("%d values for kind %d" % (len(values), kind_id))
    if not (0 <= at_ms <= LATEST_MS and 0 <= quality <= 3 and 0 <= time_quality <= 3):
        raise ValueError("recorded at %d, quality %d, %d" % (at_ms, quality, time_quality))
    for value in values:
        if value is not None and not -_LARGEST_VALUE <= value <= _LARGEST_VALUE:
            raise ValueError("a value of %d" % value)
