"""Runs in MicroPython: the ring on a LittleFS with less room than promised; then one that takes nothing."""

import os

from firmware.node.ring import Ring
from tests.firmware.on_board.power_cuts import START_MS, TANK, everything
from tools.flash_image import FlashImage

BLOCKS = 16
EVICTED, DISK = 0, 3
EIO = 5


def new_ring():
    ring = Ring("/flash/ring", 64 * 4096, segment_bytes=4096, flush_bytes=160)
    ring.mount()
    return ring


def append(ring, numbers):
    for number in numbers:
        ring.append(TANK, START_MS + number * 1000, (number, number * 977 % 5000, None, 4, 5, 6))


def causes(found):
    return {row for row in found.values() if isinstance(row, int)}


def gives_up_the_oldest_when_the_disk_is_full():
    ring = new_ring()
    append(ring, range(1, 8001))
    ring.flush()
    found = everything(ring, 1)
    assert sorted(found) == list(range(1, 8001))
    assert causes(found) == {EVICTED}, causes(found)
    assert len([row for row in found.values() if not isinstance(row, int)]) > 2000
    assert everything(new_ring(), 1) == found
    ring.acknowledge(8000)
    ring.close()
    return ring


def counts_what_memory_could_not_hold(ring, chip):
    before = ring.next_seq
    chip.on_change = lambda address, change: -EIO
    append(ring, range(before, before + 90))
    assert ring.disk_error
    assert everything(ring, before) == {}  # not told before it is on flash
    chip.on_change = chip.accept
    ring.flush()
    assert ring.disk_error is None
    found = everything(ring, before)
    assert sorted(found) == list(range(before, before + 90))
    assert causes(found) == {DISK}, causes(found)
    assert len([row for row in found.values() if not isinstance(row, int)]) > 5
    again = new_ring()
    assert everything(again, before) == found
    assert again.next_seq == ring.next_seq == before + 90
    print("DISK", len([row for row in found.values() if row == DISK]))


def main():
    chip = FlashImage(BLOCKS)
    os.VfsLfs2.mkfs(chip, progsize=32)
    os.mount(os.VfsLfs2(chip, progsize=32), "/flash")
    counts_what_memory_could_not_hold(gives_up_the_oldest_when_the_disk_is_full(), chip)


main()
