"""Runs in MicroPython: the ring on real LittleFS, cut at every change of the flash chip.

    power_cuts.py POLICY PROGRAM_BYTES SEED STEP     prints what was seen, or ends with a traceback

A life is lived once, and every program and erase of it is kept. Then the chip is put together as it was
before, within and after each of them; a ring that knows nothing is mounted on it and asked for everything.
"""

import gc
import os
import sys

from firmware.node.ring import Ring
from tools.flash_image import FlashImage

BLOCKS = 24
FLUSH_BYTES = 160
SEGMENT_BYTES = 1024  # each takes one erase block
CAPACITY_BYTES = 6 * 4096
START_MS = 1_800_000_000_000
TANK, FLOW = 1, 2
EVICTED, THINNED, CORRUPT = 0, 1, 4


def new_ring(policy):
    return Ring(
        "/flash/ring",
        CAPACITY_BYTES,
        segment_bytes=SEGMENT_BYTES,
        flush_bytes=FLUSH_BYTES,
        policy=policy,
    )


def everything(ring, from_seq):
    """Return what the ring gives and explains: seq -> row or cause, as far as it can be told now."""
    found, seq = {}, from_seq
    while True:
        rows = ring.read(seq, 50)
        lost = ring.loss(seq) if rows is None or rows[1] > seq else None
        if lost:
            for number in range(seq, lost.last_seq + 1):
                found[number] = lost.cause
            seq = lost.last_seq + 1
        elif rows:
            kind_id, first_seq, rows = rows
            assert first_seq == seq, (first_seq, seq)
            for row in rows:
                found[seq] = (kind_id,) + row
                seq += 1
        else:
            return found


class Life:
    """One run, and what the ring promised in it.

    changes: (address, bytes or None) of the chip. moments: after each call of the ring, how many changes
    there had been, next_seq, acknowledged, epoch, and what could be read. rows: seq -> row, for ever.
    """

    def __init__(self, policy, program_bytes, seed):
        self.policy, self.program_bytes, self.seed = policy, program_bytes, seed
        self.chip = FlashImage(BLOCKS)
        os.VfsLfs2.mkfs(self.chip, progsize=program_bytes)
        self.start = bytes(self.chip.data)
        self.changes, self.moments, self.rows, self.times = [], [], {}, {}
        self.random, self.value, self.asked = seed, 0, 0
        self.waiting = {TANK: [], FLOW: []}
        self.chip.on_change = self.keep
        self.step_ms = (7_000, 20_000)[seed % 2]  # of the second nothing is left when it was thinned enough

    def keep(self, address, data):
        self.changes.append((address, data and bytes(data)))
        return 0

    def draw(self, most):
        self.random = (self.random * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.random >> 8) % most

    def boot(self):
        self.ring = new_ring(self.policy)
        self.waiting = {TANK: [], FLOW: []}
        self.ring.mount()
        self.at_ms, self.is_known = 1000, False
        self.note()

    def learn(self):
        self.ring.set_clock(self.ring.boot, START_MS + self.value * 20_000)
        self.is_known = True
        self.note()

    def append(self):
        self.value += 1
        kind_id = (TANK, FLOW)[self.draw(5) == 0]
        values = [None if self.draw(7) == 0 else self.draw(20000) - 5000 for _ in range(5)]
        values = tuple(values + [self.value])
        self.at_ms += self.step_ms
        self.waiting[kind_id].append(values)
        self.ring.append(kind_id, self.at_ms, values, self.draw(3), 0, self.ring.boot)
        self.note()

    def flush(self):
        assert self.ring.flush() == self.ring.next_seq
        self.note()

    def acknowledge(self, share):
        waiting = self.ring.next_seq - 1 - self.ring.acked
        self.asked = self.ring.acked + waiting * share // 100
        self.ring.acknowledge(self.asked)
        self.note()

    def note(self):
        """Enter what is numbered now; it must be what was appended, in order of each kind."""
        before = self.moments[-1] if self.moments else None
        if before and before[0] == len(self.changes) and before[1] == self.ring.next_seq:
            found = before[4]
        else:
            found = everything(self.ring, self.ring.acked + 1)
        for seq in sorted(found):
            self.enter(seq, found[seq])
        moment = (len(self.changes), self.ring.next_seq, self.asked, self.ring.epoch, found)
        self.moments.append(moment)

    def enter(self, seq, row):
        if isinstance(row, int):
            return
        if seq in self.rows:
            assert self.rows[seq] == row, (seq, self.rows[seq], row)
            return
        self.rows[seq] = row
        waiting = self.waiting[row[0]]
        if waiting and row[2] in waiting:  # not so when it had waited for a clock through a boot
            assert waiting.pop(0) == row[2]

    def live(self):
        os.mount(os.VfsLfs2(self.chip, progsize=self.program_bytes), "/flash")
        for _ in range(3):  # two of them never know the time
            self.boot()
            for _ in range(14):
                self.append()
            self.flush()
        self.learn()
        self.rounds(25, 60)
        self.boot()
        self.learn()
        self.rounds(50, 0)  # the hub is away: the ring is full
        self.acknowledge(30)
        self.ring.close()
        self.boot()
        for _ in range(5):
            self.append()
        self.flush()
        self.learn()
        self.rounds(15, 90)
        self.ring.close()
        self.note()
        os.umount("/flash")

    def rounds(self, count, share):
        for _ in range(count):
            for _ in range(2 + self.draw(9)):
                self.append()
            if self.draw(3):
                self.flush()
            if share and self.draw(2):
                self.acknowledge(share)


def cut_images(life, step):
    """Yield (changes that are whole, the chip) for cuts before and in the middle of changes."""
    data = bytearray(life.start)
    for index, (address, change) in enumerate(life.changes):
        wanted = index % step == life.seed % step
        size = life.chip.block_bytes if change is None else len(change)
        new = b"\xff" * size if change is None else change
        if wanted:
            yield index, bytearray(data)
            torn = bytearray(data)
            torn[address : address + size // 2] = new[: size // 2]
            yield index, bytearray(torn)
            if change is None:  # an erase cut short leaves anything
                torn[address + size // 2 : address + size] = bytes(
                    [(index * 7 + at) & 0xFF for at in range(size // 2)]
                )
                yield index, torn
        data[address : address + size] = new


def check(life, whole, data):
    """Mount what is left and hold it against what was promised."""
    chip = FlashImage(BLOCKS)
    chip.data = data
    os.mount(os.VfsLfs2(chip, progsize=life.program_bytes), "/flash")
    before = [moment for moment in life.moments if moment[0] <= whole][-1:]
    after = [moment for moment in life.moments if moment[0] > whole][:1]
    numbered, epoch = (before[0][1], before[0][3]) if before else (1, None)
    asked = max([moment[2] for moment in before + after])
    looks = [moment[4] for moment in before + after]

    ring = new_ring(life.policy)
    ring.mount()
    assert ring.acked <= asked, (ring.acked, asked)
    most = (after or before)[0][1]
    assert numbered <= ring.next_seq <= most, (numbered, ring.next_seq, most)
    assert numbered == 1 or ring.epoch == epoch, (ring.epoch, epoch)
    first_seq, next_seq = ring.acked + 1, ring.next_seq
    first_look = everything(ring, first_seq)
    for seq, row in first_look.items():
        if seq < numbered or row != CORRUPT:  # what was in memory when the power went is said to be lost
            compare(life, looks, seq, row)
    ring.set_clock(ring.boot, START_MS)
    whole_look = everything(ring, first_seq)
    assert sorted(whole_look) == list(range(first_seq, next_seq)), (sorted(whole_look), first_seq, next_seq)
    for seq, row in whole_look.items():
        assert first_look.get(seq, row) == row
        if not isinstance(row, int):
            assert life.rows[seq][2:4] == row[2:4], (seq, life.rows[seq], row)
    goes_on(life, ring, first_seq, whole_look)
    os.umount("/flash")
    return len(whole_look), len([row for row in whole_look.values() if isinstance(row, int)])


def compare(life, looks, seq, row):
    if not isinstance(row, int):
        assert life.rows[seq] == row, (seq, life.rows[seq], row)
        return
    causes = [look[seq] for look in looks if isinstance(look.get(seq), int)]
    # Thinned and evicted by one call, and cut between.
    assert row in causes or (causes and row == THINNED), (seq, row, causes)


def goes_on(life, ring, first_seq, look):
    """The ring can be written to and acknowledged, and a further boot finds all of it again, unchanged."""
    next_seq = ring.next_seq
    ring.append(TANK, 5000, (1, 2, 3, 4, 5, 6), 0, 0, ring.boot)
    assert ring.flush() == next_seq + 1
    again = new_ring(life.policy)
    again.mount()
    assert again.epoch == ring.epoch
    assert again.next_seq == next_seq + 1
    for seq, row in everything(again, first_seq).items():
        assert seq not in look or look[seq] == row or isinstance(row, int), (seq, look[seq], row)
    again.acknowledge(next_seq)
    again.append(TANK, START_MS, (1, 2, 3, 4, 5, 7))
    again.flush()
    again.flush()
    assert again.read(again.acked + 1, 9)[1:] == (next_seq + 1, [(START_MS, (1, 2, 3, 4, 5, 7), 0, 0)])


def main(policy, program_bytes, seed, step):
    life = Life(policy, program_bytes, seed)
    life.live()
    causes = {row for moment in life.moments for row in moment[4].values() if isinstance(row, int)}
    assert not causes - {EVICTED, THINNED}, causes
    cuts = rows = losses = 0
    for whole, data in cut_images(life, step):
        try:
            found = check(life, whole, data)
        except Exception:
            print("cut within change %d of %d" % (whole, len(life.changes)))
            raise
        cuts, rows, losses = cuts + 1, rows + found[0], losses + found[1]
        if cuts % 20 == 0:
            gc.collect()
    print("changes %d cuts %d rows %d losses %d" % (len(life.changes), cuts, rows, losses), sorted(causes))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
