"""The journal: what the segments cannot tell. Which clock a boot had, and what was dropped on purpose.

    NNNNNNNN.log = items: u8 length | u32 crc32 | item        length and crc32 are those of the item
    item: u32 epoch | u8 sort | varints
    clock: boot, zigzag offset_ms, exact_from_ms, time quality
    loss:  cause, first_seq, last_seq, boot and ms of the first row, boot and ms of the last

Items are appended; every one may be read twice. When the file has grown, what still matters is written to
the next one and the old one is deleted, so that a cut leaves one of them whole, or both.
"""

import os
import struct
from binascii import crc32

from shared_schema.packing import LinkError, Reader, put_varint, zigzag

_NAME = "%08x.log"
_CLOCK = 1
_LOSS = 2
_PREFIX_BYTES = 5
_ITEM_BYTES = 80
_MOST_BYTES = 1024  # a file this long is written anew, as far as it still matters
_MOST_LOSSES = 16  # beyond it neighbours are put together


class Journal:
    """clocks: boot -> (offset_ms, exact_from_ms, time quality), never changed once there.
    losses: [cause, first_seq, last_seq, first boot, first ms, last boot, last ms], in order of their numbers.
    A loss explains the numbers in its range that have no row; those that have one are not lost.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._item = bytearray(_PREFIX_BYTES + _ITEM_BYTES)
        self.clocks = {}
        self.losses = []
        self._numbers = []  # of the files there are
        self._size = 0
        self._is_damaged = False

    def mount(self, epoch: int) -> None:
        """Read what belongs to this epoch."""
        self._epoch, self.clocks, self.losses, self._size = epoch, {}, [], 0
        self._numbers = sorted(
            [number for number in [_number(name) for name in os.listdir(self._folder)] if number]
        )
        whole = [self._read(number) for number in self._numbers]
        self._is_damaged = len(whole) > 1 or False in whole

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
        for boot in [boot for boot in self.clocks if boot < oldest_boot and boot not in used]:
            del self.clocks[boot]
        if self._size > _MOST_BYTES:
            live = (len(self.losses) + len(self.clocks)) * _ITEM_BYTES
            if live * 2 < self._size:
                self._write_anew()

    def loss_at(self, seq: int):
        """Return the loss that explains this number, or None."""
        for loss in self.losses:
            if loss[1] <= seq <= loss[2]:
                return loss
        return None

    def _read(self, number: int) -> bool:
        """Enter what is in a file; return False when part of it cannot be read."""
        with open(self._path(number), "rb") as file:
            prefix = file.read(_PREFIX_BYTES)
            while len(prefix) == _PREFIX_BYTES:
                length, checksum = struct.unpack(">BI", prefix)
                item = file.read(length)
                if len(item) != length or crc32(item) != checksum or not self._understood(item):
                    return False
                self._size += _PREFIX_BYTES + length
                prefix = file.read(_PREFIX_BYTES)
        return not prefix

    def _understood(self, item: bytes) -> bool:
        reader = Reader(item)
        try:
            if reader.u32() != self._epoch:
                return False
            sort = reader.u8()
            if sort == _CLOCK:
                boot, offset_ms = reader.varint(), reader.signed_varint()
                self.clocks[boot] = (offset_ms, reader.varint(), reader.varint())
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
        if self._is_damaged:
            self._write_anew()
        if not self._numbers:
            self._numbers = [1]
        self._is_damaged = True  # until it is written
        with open(self._path(self._numbers[-1]), "ab") as file:
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
        number, size = (self._numbers or [0])[-1] + 1, 0
        with open(self._path(number), "wb") as file:
            for boot, clock in self.clocks.items():
                size += self._put(file, [_CLOCK, boot, zigzag(clock[0]), clock[1], clock[2]])
            for loss in self.losses:
                size += self._put(file, [_LOSS] + loss)
        self._numbers, old_numbers = [number], self._numbers
        self._size, self._is_damaged = size, False
        for old in old_numbers:
            os.remove(self._path(old))

    def _path(self, number: int) -> str:
        return "%s/%s" % (self._folder, _NAME % number)


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
