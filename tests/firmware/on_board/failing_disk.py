"""Runs in MicroPython: a LittleFS whose chip refuses one program or erase; the node goes on living.

failing_disk.py STEP     prints how many failures there were, or ends with a traceback
"""

import os
import sys

from tests.firmware.on_board.power_cuts import BLOCKS, START_MS, TANK, everything, new_ring
from tools.flash_image import FlashImage

EIO = 5
ROWS = 400
DISK = 3


class Refusal:
    """Refuses the change with this number, once."""

    def __init__(self, number):
        self.number, self.count = number, 0

    def __call__(self, address, change):
        self.count += 1
        return -EIO if self.count == self.number else 0


def values_of(number):
    return (number, number * 977 % 5000, None, 4, 5, 6)


def live(policy, refusal):
    """Return the ring after a life of ROWS rows in which one change was refused."""
    chip = FlashImage(BLOCKS)
    os.VfsLfs2.mkfs(chip, progsize=32)
    os.mount(os.VfsLfs2(chip, progsize=32), "/flash")
    ring = new_ring(policy)
    ring.mount()
    chip.on_change = refusal
    for number in range(1, ROWS + 1):
        ring.append(TANK, START_MS + number * 9000, values_of(number))
        if number % 40 == 0:
            ring.acknowledge(ring.acked + (ring.next_seq - 1 - ring.acked) // 20)
    try:
        ring.flush()
    except OSError:
        ring.flush()
    return ring


def check(ring, policy):
    """Every number has one row or a cause; every value one number."""
    assert ring.next_seq == ROWS + 1, ring.next_seq
    found = everything(ring, ring.acked + 1)
    assert sorted(found) == list(range(ring.acked + 1, ROWS + 1)), sorted(found)
    for seq, row in found.items():
        if not isinstance(row, int):
            assert row[1:3] == (START_MS + seq * 9000, values_of(seq)), (seq, row)
        else:
            assert row != DISK  # once is not enough to lose anything
    again = new_ring(policy)
    again.mount()
    later = everything(again, ring.acked + 1)
    assert later == found, [(seq, later.get(seq), row) for seq, row in found.items() if later.get(seq) != row]
    os.umount("/flash")


def main(step):
    failures = 0
    for policy in ("drop_oldest", "thin"):
        number = 1
        while True:
            refusal = Refusal(number)
            ring = live(policy, refusal)
            try:
                check(ring, policy)
            except Exception:
                print("refused change", number, policy)
                raise
            if refusal.count < number:
                break
            failures += 1
            number += step
    print("failures", failures)


main(int(sys.argv[1]))
