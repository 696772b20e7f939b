"""The journal: what the segments cannot tell. Which clock a boot had, and what was dropped on purpose.

    NNNNNNNN.log = items: u8 length | u32 crc32 | item        length and crc32 are those of the item
    item: u32 epoch | u8 sort | varints
    clock: boot, zigzag offset_ms, exact_from_ms, time quality
    loss:  cause, first_seq, last_seq, boot and ms of the first row, boot and ms of the last
    rows:  boot
    floor: seq

Items are appended to two files, in folders of their own: what one of them lost, the other has. Every item may
be read twice. When the files have grown, or one is damaged, what still matters is written to the next two and
the old ones are deleted, so that a cut leaves one of them whole at least.
"""

import os
import struct
from binascii import crc32

from shared_schema.packing import LinkError, Reader, put_varint, zigzag

_NAME = "%08x.log"
_CLOCK = 1
_LOSS = 2
_ROWS = 3
_FLOOR = 4
_PREFIX_BYTES = 5
_ITEM_BYTES = 80
_MOST_BYTES = 1024  # a file this long is written anew, as far as it still matters
_MOST_LOSSES = 16  # beyond it neighbours are put together


class Journal:
    """clocks: boot -> (offset_ms, exact_from_ms, time quality), never changed once there.
    losses: [cause, first_seq, last_seq, first boot, first ms, last boot, last ms], in order of their numbers.
    A loss explains the numbers in its range that have no row; those that have one are not lost.
    floor_seq: numbers below it are not given any more, though nothing else may tell that they were.
    last_boot: the highest that may have rows that need its clock. is_whole: one of the files could be read.
    """

    def __init__(self, folders: tuple) -> None:
        self._folders = folders
        self._item = bytearray(_PREFIX_BYTES + _ITEM_BYTES)

    def mount(self, epoch: int) -> None:
        """Read what belongs to this epoch."""
        self._epoch, self.clocks, self.losses, self.last_boot = epoch, {}, [], 0
        self.floor_seq = 0
        paths = self._found()
        checksums = [self._read(path) for path in paths]
        self._size = max([os.stat(path)[6] for path in paths] or [0])
        self.is_whole = any(checksums)
        is_sound = paths == self._paths() and checksums[0] == checksums[1] != 0
        self._is_damaged = bool(paths) and not is_sound

    def repair(self) -> None:
        """Write it anew when one of the two is damaged. Raises OSError when the disk does not take it."""
        if self._is_damaged:
            self._write_anew()

    def add_rows(self, boot: int) -> None:
        """Enter, durably and once, that there are rows that need the clock of this boot."""
        if boot > self.last_boot:
            self.last_boot = boot
            self._append([_ROWS, boot])
        self.repair()

    def add_floor(self, seq: int) -> None:
        """Enter, durably and once, that numbers below seq are not given any more."""
        if seq > self.floor_seq:
            self.floor_seq = seq
            self._append([_FLOOR, seq])
        self.repair()

    def add_clock(self, boot: int, offset_ms: int, exact_from_ms: int, time_quality: int) -> None:
        """Freeze the clock of a boot, durably."""
        self._append([_CLOCK, boot, zigzag(offset_ms), exact_from_ms, time_quality])
        self.clocks[boot] = (offset_ms, exact_from_ms, time_quality)

    def add_loss(self, loss: list) -> None:
        """Enter a loss, durably."""
        self._append([_LOSS] + loss)
        self._merge(loss)

    def trim(self, acked: int, oldest_boot: int) -> None:
        """Forget losses up to acked, and clocks that only boots before oldest_boot needed."""
        self.losses = [loss for loss in self.losses if loss[2] > acked]
        used = [boot for loss in self.losses for boot in (loss[3], loss[5])]
        oldest_boot = min(oldest_boot, self.last_boot)
        for boot in [boot for boot in self.clocks if boot < oldest_boot and boot not in used]:
            del self.clocks[boot]
        if self._size > _MOST_BYTES:
            live = (len(self.losses) + len(self.clocks) + 2) * _ITEM_BYTES
            if live * 2 < self._size:
                self._write_anew()

    def loss_at(self, seq: int):
        """Return the loss that explains this number, or None."""
        for loss in self.losses:
            if loss[1] <= seq <= loss[2]:
                return loss
        return None

    def _read(self, path: str) -> int:
        """Enter what is in a file; return its checksum, 0 when not all of it can be read."""
        checksum = 0
        with open(path, "rb") as file:
            prefix = file.read(_PREFIX_BYTES)
            while len(prefix) == _PREFIX_BYTES:
                length, item_checksum = struct.unpack(">BI", prefix)
                item = file.read(length)
                if len(item) != length or crc32(item) != item_checksum or not self._understood(item):
                    return 0
                checksum = crc32(item, checksum)
                prefix = file.read(_PREFIX_BYTES)
        return 0 if prefix else checksum

    def _understood(self, item: bytes) -> bool:
        reader = Reader(item)
        try:
            if reader.u32() != self._epoch:
                return False
            sort = reader.u8()
            if sort == _CLOCK:
                boot, offset_ms = reader.varint(), reader.signed_varint()
                self.clocks[boot] = (offset_ms, reader.varint(), reader.varint())
            elif sort == _ROWS:
                self.last_boot = max(self.last_boot, reader.varint())
            elif sort == _FLOOR:
                self.floor_seq = max(self.floor_seq, reader.varint())
            elif sort == _LOSS:
                self._merge([reader.varint() for _ in range(7)])
        except LinkError:
            return False
        return True

    def _merge(self, loss: list) -> None:
        losses = sorted(self.losses + [loss], key=lambda it: it[1])
        self.losses = losses[:1]
        for after in losses[1:]:
            before = self.losses[-1]
            if before[0] == after[0] and after[1] <= before[2] + 1:
                _join(before, after)
            else:
                self.losses.append(after)
        if len(self.losses) > _MOST_LOSSES:
            _join(self.losses[0], self.losses.pop(1))

    def _append(self, fields: list) -> None:
        self.repair()
        self._number = self._number or 1
        self._is_damaged = True  # until it is written
        for path in self._paths():
            with open(path, "ab") as file:
                size = self._put(file, fields)
        self._is_damaged = False
        self._size += size

    def _put(self, file, fields: list) -> int:
        struct.pack_into(">I", self._item, _PREFIX_BYTES, self._epoch)
        at = _PREFIX_BYTES + 4
        for field in fields:
            at = put_varint(self._item, at, field)
        checksum = crc32(memoryview(self._item)[_PREFIX_BYTES:at])
        struct.pack_into(">BI", self._item, 0, at - _PREFIX_BYTES, checksum)
        file.write(memoryview(self._item)[:at])
        return at

    def _write_anew(self) -> None:
        self._is_damaged = True
        old = self._found()
        self._number += 1
        for path in self._paths():
            with open(path, "wb") as file:
                self._size = self._put_all(file)
        for path in old:
            os.remove(path)
        self._is_damaged = False

    def _put_all(self, file) -> int:
        size = self._put(file, [_ROWS, self.last_boot]) + self._put(file, [_FLOOR, self.floor_seq])
        for boot, clock in self.clocks.items():
            size += self._put(file, [_CLOCK, boot, zigzag(clock[0]), clock[1], clock[2]])
        for loss in self.losses:
            size += self._put(file, [_LOSS] + loss)
        return size

    def _paths(self) -> list:
        return ["%s/%s" % (folder, _NAME % self._number) for folder in self._folders]

    def _found(self) -> list:
        """Return the paths of all files there are; note the highest number."""
        paths, self._number = [], 0
        for folder in self._folders:
            for name in os.listdir(folder):
                number = _number(name)
                if number:
                    self._number = max(self._number, number)
                    paths.append("%s/%s" % (folder, name))
        return paths


def _number(name: str) -> int:
    """Return the number of a file of the journal, 0 for another name."""
    try:
        number = int(name[:-4], 16)
    except ValueError:
        return 0
    return number if name == _NAME % number else 0


def _join(before: list, after: list) -> None:
    """Make one loss of two, in place; after begins later."""
    if after[2] > before[2]:
        before[2], before[5], before[6] = after[2], after[5], after[6]
