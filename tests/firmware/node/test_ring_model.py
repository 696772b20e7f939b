"""The ring against a dictionary, with boots and crashes in between; and on a disk that changes bytes."""

import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware.node.ring import POLICIES
from shared_schema.enums import LossCause
from tests.firmware.node.rows import FLOW, START_MS, TANK, ring_in, told, values_of

DROPPED = (LossCause.EVICTED, LossCause.THINNED)
STEPS = 40


class RingAgainstModel(RuleBasedStateMachine):
    """rows: what every number is, once it was told. memory: values that have no number yet, by kind."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ring-"))
        self.rows: dict[int, Any] = {}
        self.memory: dict[int, list[Any]] = {TANK: [], FLOW: []}
        self.lost: set[int] = set()
        self.count = self.asked = 0
        self.given = 1

    @initialize(policy=st.sampled_from(POLICIES))
    def first_boot(self, policy: str) -> None:
        self.policy = policy
        self.ring = ring_in(self.folder, policy=policy)
        self.epoch = self.ring.epoch
        self.at_ms = 0

    @rule(
        kind=st.sampled_from((TANK, FLOW)), count=st.integers(1, 60), step_ms=st.sampled_from((1_000, 9_000))
    )
    def append(self, kind: int, count: int, step_ms: int) -> None:
        for _ in range(count):
            self.count += 1
            self.at_ms += step_ms
            next_seq = self.ring.next_seq
            self.memory[kind].append(values_of(self.count))
            self.ring.append(kind, self.at_ms, values_of(self.count), self.count % 3, 0, self.ring.boot)
            if self.ring.next_seq != next_seq:
                self.number(next_seq, kind)

    @rule()
    def flush(self) -> None:
        next_seq = self.ring.next_seq
        assert self.ring.flush() == self.ring.next_seq
        assert self.ring.rows_in_memory == 0
        self.number(next_seq)

    def number(self, next_seq: int, kind: int = TANK) -> None:
        """As many numbers were given as rows were in memory; the last appended, of kind, may still wait."""
        waiting = sum(len(values) for values in self.memory.values()) - self.ring.rows_in_memory
        assert self.ring.next_seq == next_seq + waiting
        self.epoch = self.ring.epoch
        self.given = self.ring.next_seq
        self.forget_what_is_numbered(kind)

    def forget_what_is_numbered(self, kind: int) -> None:
        last = self.memory[kind][-1:] if self.ring.rows_in_memory else []
        self.memory = {TANK: [], FLOW: [], kind: last}

    @rule(share=st.integers(0, 100))
    def acknowledge(self, share: int) -> None:
        self.asked = max(
            self.asked, self.ring.acked + (self.ring.next_seq - 1 - self.ring.acked) * share // 100
        )
        self.ring.acknowledge(self.asked)

    @rule(after_ms=st.integers(0, 10**9))
    def learn_the_time(self, after_ms: int) -> None:
        self.ring.set_clock(self.ring.boot, START_MS + self.count * 60_000 + after_ms)

    @rule(is_orderly=st.booleans())
    def boot(self, is_orderly: bool) -> None:
        if is_orderly:
            self.flush()
            self.ring.close()
        numbered, acked = self.ring.next_seq, self.ring.acked
        for values in self.memory.values():
            values.clear()
        self.mount()
        self.at_ms = 0
        assert self.given <= self.ring.next_seq <= numbered
        assert self.ring.acked == acked if is_orderly else self.ring.acked <= acked

    def mount(self) -> None:
        self.ring = ring_in(self.folder, policy=self.policy)

    @invariant()
    def nothing_changed(self) -> None:
        if not hasattr(self, "ring"):
            return
        assert self.rows == {} or self.ring.epoch == self.epoch
        for seq, row in told(self.ring).items():
            if isinstance(row, int):
                assert row in DROPPED
                self.lost.add(seq)
            else:
                assert self.rows.setdefault(seq, row) == row
                assert seq not in self.lost
                assert row[2:4] == (values_of(row[2][0]), row[2][0] % 3)

    def teardown(self) -> None:
        if hasattr(self, "ring"):
            self.at_the_end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def at_the_end(self) -> None:
        """Every number has a row or a cause, once the time is known; no value has two numbers."""
        self.ring.flush()
        self.ring.set_clock(self.ring.boot, START_MS)
        self.nothing_changed()
        assert list(told(self.ring)) == list(range(self.ring.acked + 1, self.ring.next_seq))
        values = [row[2][0] for row in self.rows.values()]
        assert len(values) == len(set(values))


class DamagedRing(RingAgainstModel):
    """The same, while bytes of the files change, ends are torn off, and files come and go between boots.

    What is still there is unchanged and has its number and time; what is gone is said to be lost. A number
    that was given is not given again in its epoch; a new epoch begins only when nothing whole is left.

    past: what was in either folder once, in this epoch.
    """

    past: list[dict[str, bytes]] | None = None

    def pick(self, seed: int) -> tuple[random.Random, Path | None]:
        chance = random.Random(seed)
        files = sorted(path for path in (self.folder / "ring").rglob("*.*") if path.suffix != ".txt")
        return chance, chance.choice(files) if files else None

    @rule(seed=st.integers(0, 2**32))
    def flip_a_byte(self, seed: int) -> None:
        chance, path = self.pick(seed)
        if path is not None and path.stat().st_size:
            data = bytearray(path.read_bytes())
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
        self.boot_after_damage()

    @rule(seed=st.integers(0, 2**32))
    def tear(self, seed: int) -> None:
        chance, path = self.pick(seed)
        if path is not None:
            os.truncate(path, chance.randrange(path.stat().st_size + 1))
        self.boot_after_damage()

    @rule(seed=st.integers(0, 2**32), count=st.integers(1, 2))
    def lose_files(self, seed: int, count: int) -> None:
        for number in range(count):
            _, path = self.pick(seed + number)
            if path is not None:
                path.unlink()
        self.boot_after_damage()

    @rule()
    def remember(self) -> None:
        self.past = [
            {path.name: path.read_bytes() for path in folder.glob("*.*")} for folder in self.folders()
        ]

    @rule(index=st.sampled_from((0, 1)))
    def go_back_in_time(self, index: int) -> None:
        folder = self.folders()[index]
        if self.past:
            for path in folder.glob("*.*"):
                path.unlink()
            for name, data in self.past[index].items():
                (folder / name).write_bytes(data)
        self.boot_after_damage()

    def folders(self) -> tuple[Path, Path]:
        return self.folder / "ring", self.folder / "ring" / "apart"

    @rule(name=st.sampled_from(("a.txt", "00000001.seg.txt", "xyz.seg", "1.seg", "readme", "0000000G.log")))
    def find_a_foreign_file(self, name: str) -> None:
        (self.folder / "ring" / name).write_bytes(b"\x00\x30foreign" * 9)
        self.boot(is_orderly=False)
        assert (self.folder / "ring" / name).exists()
        (self.folder / "ring" / name).unlink()

    def boot_after_damage(self) -> None:
        epoch = self.ring.epoch
        for values in self.memory.values():
            values.clear()
        self.mount()
        self.at_ms = 0
        if self.ring.epoch == epoch:
            assert self.ring.next_seq >= self.given
            return
        assert self.ring.next_seq == 1  # nothing whole was left
        self.past = None
        self.rows, self.lost, self.epoch, self.asked, self.given = {}, set(), self.ring.epoch, 0, 1

    def number(self, next_seq: int, kind: int = TANK) -> None:
        if any(self.memory.values()):
            self.given = self.ring.next_seq
        self.forget_what_is_numbered(kind)

    @invariant()
    def nothing_changed(self) -> None:
        if not hasattr(self, "ring"):
            return
        for seq, row in told(self.ring).items():
            if not isinstance(row, int):
                assert self.rows.setdefault(seq, row) == row


EVERYDAY = settings(max_examples=50, stateful_step_count=STEPS)
SOAK = settings(max_examples=int(os.environ.get("PENSTOCK_SOAK", "4000")), stateful_step_count=STEPS)


class TestRing(RingAgainstModel.TestCase):
    settings = EVERYDAY


class TestDamagedRing(DamagedRing.TestCase):
    settings = EVERYDAY


@pytest.mark.soak
class TestRingLong(RingAgainstModel.TestCase):
    settings = SOAK


@pytest.mark.soak
class TestDamagedRingLong(DamagedRing.TestCase):
    settings = SOAK
