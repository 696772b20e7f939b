"""The ring: a node's rows on flash, from the moment they are numbered until the hub has stored them.

What holds, whatever is cut off at any moment:
1. flush() gives numbers, and returns when they are on flash. They have no gaps; nothing has two numbers.
2. A row keeps number, time and values until it is acknowledged. Whatever is missing before, loss() explains.
3. Times that count from a boot leave only when that boot's clock is on flash, so they are the same each time.
4. The epoch is new only when nothing of an older one could be read.
5. No file is written in its middle, and none is deleted before what replaces it is on flash.

What is to be sent, beginning behind what the hub says is stored:
    found = ring.read(seq, 120)
    lost = ring.loss(seq) if found is None or found[1] > seq else None
    lost goes first: continue behind lost.last_seq; otherwise found: continue behind its last row
    neither: nothing more can be sent now
"""

import os
from errno import EEXIST

from firmware.node.block import HEAD_BYTES, PREFIX_BYTES, Block, Draft
from firmware.node.journal import Journal
from firmware.node.segment import Segments
from firmware.node.thinning import Thinning
from shared_schema.enums import LossCause, TimeQuality
from shared_schema.metrics import KINDS
from shared_schema.packing import EARLIEST_MS, LATEST_MS, MAX_INTEGER

DROP_OLDEST = "drop_oldest"
THIN = "thin"
POLICIES = (DROP_OLDEST, THIN)

_ENOSPC = 28  # not in MicroPython's errno
_EPOCHS = 0x7FFFFFFF  # the cloud keeps it in a signed integer
_LARGEST_VALUE = MAX_INTEGER // 2  # so that any step between two is at most MAX_INTEGER
_MOST_CLOCKS = 64
_WALL = 0  # in place of a boot: Unix ms
_WIDTHS = {kind.id: len(kind.fields) for kind in KINDS if kind.is_telemetry}


_WALL_CLOCK = (0, 0, None)
_NO_POINT = (_WALL, 0)


class Loss:
    """Numbers without rows. cause: of LossCause. Times in Unix ms of the first and last; 0 when unknown."""

    def __init__(self, cause: int, first_seq: int, last_seq: int, first_at_ms: int, last_at_ms: int) -> None:
        self.cause = cause
        self.first_seq = first_seq
        self.last_seq = last_seq
        self.first_at_ms = first_at_ms
        self.last_at_ms = last_at_ms


class Ring:
    """Rows of one node in one folder. mount() comes first.

    capacity_bytes: of the disk, in whole erase blocks; at least two segments. flush_bytes: in memory for each
    kind, up to 4096; when so many wait, append flushes by itself. policy: what happens to the oldest rows when
    there is no room.

    boot: the number of this boot. acked: everything up to it is stored by the hub. next_seq: the number that
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
        self._folder = folder
        self._capacity_bytes = capacity_bytes
        self._segment_bytes = segment_bytes
        self._flush_bytes = flush_bytes
        self._block = Block(flush_bytes + 256)
        self._segments = Segments(folder, self._block)
        self._journal = Journal(folder)
        self._thinning = None
        if policy == THIN:
            self._thinning = Thinning(self._segments, self._block, segment_bytes, flush_bytes)
        self._drafts = {}

    def mount(self) -> None:
        """Read what is on flash and begin a new boot. Raises OSError when the disk cannot be read."""
        try:
            os.mkdir(self._folder)
        except OSError as error:
            if error.errno != EEXIST:
                raise
        self.acked = self._acked_on_flash = self._segments.mount()
        if self._segments.epoch is None:
            self._segments.epoch = int.from_bytes(os.urandom(4), "big") & _EPOCHS
        self._journal.mount(self.epoch)
        ends = [segment.end_seq for segment in self._segments.all]
        ends += [loss[2] + 1 for loss in self._journal.losses]
        self.next_seq = max([self.acked + 1] + ends)
        self.disk_error = self._writing = self._unwritten = self._cursor = self._clock = None
        self._draft_boot = _WALL
        for draft in self._drafts.values():
            draft.clear()
        self._number_this_boot()
        self._segments.release()

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
        return max(0, self._capacity_bytes - self._segments.disk_bytes)

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
        at_ms, in_boot = self._placed(at_ms, boot)
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
            if self._unwritten:
                self._journal.add_loss(self._unwritten)
                self._unwritten = None
            if self.rows_in_memory:
                self._write_with_room()
            self._forget_acknowledged()
            while self._segments.disk_bytes > self._capacity_bytes and self._make_room():
                pass
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
            self._write([Draft(0, 0)])

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
        found = self._rows_from(from_seq, most_rows)
        self._segments.release()
        return found

    def _rows_from(self, from_seq: int, most_rows: int) -> tuple | None:
        kind_id = first_seq = 0
        rows = []
        for block in self._blocks_from(from_seq):
            clock = self._clock_of(block.boot)
            if clock is None or (rows and block.kind_id != kind_id):
                break
            for seq, at_ms, values, quality, time_quality in block.each():
                if seq < from_seq:
                    continue
                if not rows:
                    kind_id, first_seq = block.kind_id, seq
                elif seq != first_seq + len(rows):
                    return kind_id, first_seq, rows
                rows.append(_row(clock, kind_id, at_ms, values, quality, time_quality))
                if len(rows) == most_rows:
                    return kind_id, first_seq, rows
        return (kind_id, first_seq, rows) if rows else None

    def loss(self, from_seq: int) -> Loss | None:
        """Return what is lost from from_seq on; None when from_seq has a row, or cannot be told of yet."""
        found = self._loss_from(from_seq)
        self._segments.release()
        return found

    def _loss_from(self, from_seq: int) -> Loss | None:
        behind = self._row_from(from_seq)
        last_seq = (behind[0] if behind else self.next_seq) - 1
        if self._unwritten:
            last_seq = min(last_seq, self._unwritten[1] - 1)
        if last_seq < from_seq:
            return None
        cause, last_seq, first, last = self._explained(from_seq, last_seq, behind)
        first_at_ms, last_at_ms = self._known_ms(first), self._known_ms(last)
        if first_at_ms is None or last_at_ms is None:
            return None
        return Loss(cause, from_seq, last_seq, first_at_ms, last_at_ms)

    def set_clock(self, boot: int, offset_ms: int, time_quality: int = TimeQuality.CORRECTED) -> None:
        """Say when this boot began, in Unix ms. Only the first time counts. Raises OSError when not durable.

        Rows of earlier boots whose clock was never known are placed so that they end where this one begins.
        """
        self._require_own(boot)
        if not EARLIEST_MS <= offset_ms <= LATEST_MS:
            raise ValueError("a boot that began at %d" % offset_ms)
        if self._clock is not None:
            return
        if self._has_pending():
            self._journal.add_clock(self.boot, offset_ms - self._base_ms, self._base_ms, time_quality)
        self._clock = offset_ms
        while len(self._journal.clocks) > _MOST_CLOCKS and self._make_room():
            self._trim_journal()

    # Writing

    def _placed(self, at_ms: int, boot: int | None) -> tuple:
        if boot is None:
            return at_ms, _WALL
        self._require_own(boot)
        if self._clock is not None:
            return at_ms + self._clock, _WALL
        return at_ms + self._base_ms, self.boot

    def _require_own(self, boot: int) -> None:
        if boot != self.boot:
            raise ValueError("boot %d is not this one, %d" % (boot, self.boot))

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
            points = [self._draft_boot, first_at_ms, self._draft_boot, last_at_ms]
            self._unwritten = [LossCause.DISK, first_seq, self.next_seq - 1] + points
        for draft in drafts:
            draft.clear()

    def _write_with_room(self) -> None:
        while self.rows_in_memory:
            try:
                self._write([draft for draft in self._drafts.values() if draft.rows])
            except OSError as error:
                self._recover()
                if error.errno != _ENOSPC or not self._make_room():
                    raise

    def _write(self, drafts: list) -> None:
        size = sum([draft.used + PREFIX_BYTES + HEAD_BYTES for draft in drafts])
        # LittleFS copies the last block of a file that is appended to; when the hub keeps up there is no need.
        limit = self._segment_bytes if self.acked < self.next_seq - 1 else 0
        segment = self._segments.open_for(self.next_seq, size, limit)
        self._writing = (segment, drafts)
        end_seq, size, acked = self.next_seq, segment.whole, self.acked
        with self._segments.append(segment) as file:
            for draft in drafts:
                size += draft.write(file, self.epoch, end_seq, acked, self._draft_boot)
                end_seq += draft.rows
        self._writing = None
        segment.size = segment.whole = size
        segment.note(end_seq, self._draft_boot)
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

    # Making room

    def _forget_acknowledged(self) -> None:
        while len(self._segments.all) > 1 and self._segments.all[0].end_seq - 1 <= self._acked_on_flash:
            self._segments.remove(self._segments.all[0])
        self._trim_journal()

    def _trim_journal(self) -> None:
        boots = [segment.boots[0] for segment in self._segments.all if segment.boots[0]]
        self._journal.trim(self._acked_on_flash, min([self.boot] + boots))

    def _make_room(self) -> bool:
        """Give up as little as possible of the oldest; return False when there is nothing to give."""
        if len(self._segments.all) < 2:
            return False
        oldest = self._segments.all[0]
        if oldest.end_seq - 1 <= self.acked:
            self._segments.remove(oldest)
        elif not self._thinned_one():
            self._evict(oldest)
        return True

    def _thinned_one(self) -> bool:
        segments = self._segments.all
        thinned_bytes = sum([segment.disk_bytes for segment in segments if segment.is_thinned])
        plain = [segment for segment in segments if not segment.is_thinned]
        if self._thinning is None or len(plain) < 2 or thinned_bytes > self._capacity_bytes // 4 * 3:
            return False
        try:
            return self._thinning.thin(plain[0], self.acked)
        except OSError as error:
            if error.errno != _ENOSPC:
                raise
            return False

    def _evict(self, segment) -> None:
        first, last = self._ends_of(segment)
        loss = [LossCause.EVICTED, max(self.acked + 1, segment.first_seq), segment.end_seq - 1]
        loss += [first[0], first[1], last[0], last[1]]
        try:
            self._journal.add_loss(loss)
        except OSError as error:
            if error.errno != _ENOSPC:
                raise
            self._segments.remove(segment)  # there is no room for the entry otherwise
            self._journal.add_loss(loss)
            return
        self._segments.remove(segment)

    def _ends_of(self, segment) -> tuple:
        """Return (boot, ms) of the first and of the last row in a segment."""
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
            return _NO_POINT, _NO_POINT
        self._segments.load(segment, last_at)
        return first, (self._block.boot, self._last_at_ms())

    def _last_at_ms(self) -> int:
        last_at_ms = 0
        for row in self._block.each():
            last_at_ms = max(last_at_ms, row[1])
        return last_at_ms

    # Reading

    def _blocks_from(self, seq: int):
        """Load one after the other the blocks that have numbers from seq on, and yield each."""
        for segment in list(self._segments.all):
            if segment.end_seq <= seq:
                continue
            at = 0
            if self._cursor and self._cursor[0] is segment and self._cursor[2] <= seq:
                at = self._cursor[1]
            while True:
                after = self._segments.load(segment, at)
                if not after:
                    break
                block = self._block
                if self._segments.holds_own() and block.end_seq > seq and not self._is_orphan(block.boot):
                    self._cursor = (segment, at, block.first_seq)
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
        last = behind[1:] if behind else _NO_POINT
        before = self._row_from(from_seq - 1)
        return cause, last_seq, before[1:] if before and before[0] < from_seq else last, last

    # Clocks

    def _number_this_boot(self) -> None:
        """Boots whose clocks were never known share one number: the next goes on where the last ended."""
        points = [(segment.boots[1], segment) for segment in self._segments.all]
        highest = max([0] + [boot for boot, _ in points])
        lost = max([(0, 0)] + [(loss[5], loss[6]) for loss in self._journal.losses])
        last_at_ms = max([lost[1]] if lost[0] >= highest else [0])
        newest = [segment for boot, segment in points if boot == highest and boot][-1:]
        for segment in newest:
            last_at_ms = max(last_at_ms, self._last_in(segment, highest))
        highest = max(highest, lost[0])
        if highest and highest not in self._journal.clocks:
            self.boot, self._base_ms = highest, last_at_ms + 1
        else:
            self.boot, self._base_ms = max([highest] + list(self._journal.clocks)) + 1, 0

    def _last_in(self, segment, boot: int) -> int:
        at = last_at_ms = 0
        while True:
            at = self._segments.load(segment, at)
            if not at:
                return last_at_ms
            if self._segments.holds_own() and self._block.boot == boot:
                last_at_ms = max(last_at_ms, self._last_at_ms())

    def _clock_of(self, boot: int) -> tuple | None:
        return self._journal.clocks.get(boot) if boot else _WALL_CLOCK

    def _is_orphan(self, boot: int) -> bool:
        """Whether the clock of an earlier boot is gone, by damage: nothing can place its rows."""
        return self._clock_of(boot) is None and boot != self.boot

    def _known_ms(self, point: tuple) -> int | None:
        clock = self._clock_of(point[0])
        if clock is None:
            return 0 if self._is_orphan(point[0]) else None
        return clock[0] + point[1]

    def _has_pending(self) -> bool:
        boots = [segment.boots[1] for segment in self._segments.all]
        boots += [loss[5] for loss in self._journal.losses]
        if self.rows_in_memory or self._unwritten:
            boots.append(self._draft_boot)
        return self.boot in boots


def _require_row(kind_id: int, at_ms: int, values: tuple, quality: int, time_quality: int) -> None:
    if len(values) != _WIDTHS.get(kind_id, -1):
        raise ValueError("%d values for kind %d" % (len(values), kind_id))
    if not (0 <= at_ms <= LATEST_MS and 0 <= quality <= 3 and 0 <= time_quality <= 3):
        raise ValueError("recorded at %d, quality %d, %d" % (at_ms, quality, time_quality))
    for value in values:
        if value is not None and not -_LARGEST_VALUE <= value <= _LARGEST_VALUE:
            raise ValueError("a value of %d" % value)


def _row(clock: tuple, kind_id: int, at_ms: int, values: tuple, quality: int, time_quality: int) -> tuple:
    """Return a row as it is sent. A kind may have got fields since it was stored."""
    offset_ms, exact_from_ms, known = clock
    if known is not None:
        time_quality = known if at_ms >= exact_from_ms else TimeQuality.ESTIMATED
    width = _WIDTHS.get(kind_id, len(values))
    return offset_ms + at_ms, (values + (None,) * (width - len(values)))[:width], quality, time_quality
