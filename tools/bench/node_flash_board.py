"""Runs in MicroPython: a node's ring on real LittleFS for so many seconds, a row of four metrics each.

    node_flash_board.py PROGRAM_BYTES SEGMENT_BYTES FLUSH_BYTES FLUSH_S SECONDS     prints one JSON object

FLUSH_S 0: only when the memory is full. What is numbered is acknowledged every 30 s.
"""

import gc
import json
import os
import random
import sys

from firmware.node.block import Draft
from firmware.node.ring import Ring
from tools.flash_image import FlashImage

BLOCKS = 256  # 1 MB
CAPACITY_BYTES = 262_144
ACKNOWLEDGE_S = 30
START_MS = 1_800_000_000_000
TANK = 1


class Payload:
    """Counts the bytes of the records in every block written, heads left out."""

    def __init__(self) -> None:
        self.bytes = 0
        write = Draft.write

        def counted(draft: Draft, *arguments: int) -> int:
            self.bytes += draft.used
            size: int = write(draft, *arguments)
            return size

        Draft.write = counted


def live(ring: Ring, flush_s: int, seconds: int) -> None:
    """Measure, store and be acknowledged."""
    values = [15_000, 48_000, 1_850, 310]
    for second in range(seconds):
        for index in range(4):
            values[index] += random.getrandbits(3) - 3 if random.getrandbits(1) else 0
        at_ms = START_MS + second * 1000 + random.getrandbits(4)
        ring.append(TANK, at_ms, (values[0], values[1], values[2], values[3], None, None))
        if flush_s and second % flush_s == 0:
            ring.flush()
        if second % ACKNOWLEDGE_S == 0:
            ring.acknowledge(ring.next_seq - 1)


def main(program_bytes: int, segment_bytes: int, flush_bytes: int, flush_s: int, seconds: int) -> None:
    """Format, live, and say what it cost."""
    random.seed(1)
    chip = FlashImage(BLOCKS)
    lfs = os.VfsLfs2  # type: ignore[attr-defined]
    lfs.mkfs(chip, progsize=program_bytes)
    os.mount(lfs(chip, progsize=program_bytes), "/flash")  # type: ignore[attr-defined]
    payload = Payload()
    gc.collect()
    before = gc.mem_alloc()  # type: ignore[attr-defined]
    ring = Ring("/flash/ring", CAPACITY_BYTES, segment_bytes=segment_bytes, flush_bytes=flush_bytes)
    ring.mount()
    live(ring, flush_s, 600)
    gc.collect()
    memory = gc.mem_alloc() - before  # type: ignore[attr-defined]
    chip.programmed, payload.bytes = 0, 0
    chip.erases = [0] * BLOCKS
    live(ring, flush_s, seconds)
    found = {"payload": payload.bytes, "programmed": chip.programmed, "erases": chip.erases, "memory": memory}
    print(json.dumps(found))


main(*[int(argument) for argument in sys.argv[1:]])
