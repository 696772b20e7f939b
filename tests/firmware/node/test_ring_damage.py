"""What a ring does when files of it are gone or damaged: no number and no time is given twice."""

import os
from pathlib import Path

import pytest

from firmware.node.ring import Ring
from shared_schema.enums import LossCause
from tests.firmware.node.rows import CAPACITY_BYTES, START_MS, TANK, ring_in, told, values_of


def files(folder: Path, *extensions: str) -> list[Path]:
    return sorted(path for path in (folder / "ring").rglob("*.*") if path.suffix in extensions)


def flushed(folder: Path, rows: int) -> Ring:
    """Return a ring with so many rows, each flushed by itself."""
    ring = ring_in(folder)
    for number in range(1, rows + 1):
        ring.append(TANK, START_MS + number, values_of(number))
        ring.flush()
    return ring


def unknown_then_known(folder: Path) -> dict:
    """Return what is told of a row that was taken before the time was known."""
    ring = ring_in(folder)
    ring.append(TANK, 5_000, values_of(1), boot=ring.boot)
    ring.flush()
    ring.set_clock(ring.boot, START_MS)
    return told(ring)


@pytest.mark.parametrize("kept_bytes", [0, 30, 31, 200])
def test_what_was_torn_off_is_lost_and_its_numbers_are_not_given_again(
    kept_bytes: int, tmp_path: Path
) -> None:
    before = told(flushed(tmp_path, 9))
    os.truncate(files(tmp_path, ".seg")[-1], kept_bytes)
    ring = ring_in(tmp_path)
    assert ring.next_seq == 10
    found = told(ring)
    assert list(found) == list(range(1, 10))
    assert all(row in (before[seq], LossCause.CORRUPT) for seq, row in found.items())
    assert found[9] == LossCause.CORRUPT
    ring.append(TANK, START_MS, values_of(10))
    assert ring.flush() == 11
    assert told(ring_in(tmp_path)) == {**found, 10: (TANK, START_MS, values_of(10), 0, 0)}


def test_the_newest_file_may_be_gone_and_then_the_mark(tmp_path: Path) -> None:
    epoch = flushed(tmp_path, 200).epoch
    files(tmp_path, ".seg")[-1].unlink()
    assert (ring_in(tmp_path).epoch, ring_in(tmp_path).next_seq) == (epoch, 201)
    files(tmp_path, ".end")[0].unlink()
    assert ring_in(tmp_path).next_seq >= 201


def test_without_the_mark_numbers_go_on_behind_all_that_may_have_been_given(tmp_path: Path) -> None:
    epoch = flushed(tmp_path, 9).epoch
    files(tmp_path, ".end")[0].unlink()
    for _ in range(2):
        ring = ring_in(tmp_path)
        assert (ring.epoch, ring.next_seq) == (epoch, 10 + CAPACITY_BYTES)
        lost = ring.loss(10)
        assert (lost.cause, lost.last_seq) == (LossCause.CORRUPT, 9 + CAPACITY_BYTES)


def test_the_name_of_a_damaged_mark_still_counts(tmp_path: Path) -> None:
    before = told(flushed(tmp_path, 9))
    files(tmp_path, ".end")[0].write_bytes(b"")
    assert ring_in(tmp_path).next_seq == 10
    assert told(ring_in(tmp_path)) == before


def test_begins_a_new_epoch_when_nothing_can_be_read(tmp_path: Path) -> None:
    epoch = flushed(tmp_path, 9).epoch
    for path in files(tmp_path, ".seg", ".end"):
        path.write_bytes(bytes(path.stat().st_size))
    ring = ring_in(tmp_path)
    assert ring.epoch != epoch
    assert (ring.next_seq, told(ring), files(tmp_path, ".seg", ".end")) == (1, {}, [])


@pytest.mark.parametrize("first", [0, 1])
def test_either_file_of_the_journal_may_be_gone_and_then_the_other(first: int, tmp_path: Path) -> None:
    before = unknown_then_known(tmp_path)
    files(tmp_path, ".log")[first].unlink()
    assert told(ring_in(tmp_path)) == before
    files(tmp_path, ".log")[1 - first].write_bytes(b"")
    assert told(ring_in(tmp_path)) == before
    assert len(files(tmp_path, ".log")) == 2


@pytest.mark.parametrize("kept_bytes", [None, 0, 12])
def test_a_row_whose_clock_is_gone_is_lost_and_comes_with_no_other_time(
    kept_bytes: int | None, tmp_path: Path
) -> None:
    unknown_then_known(tmp_path)
    for path in files(tmp_path, ".log"):
        if kept_bytes is None:
            path.unlink()
        else:
            os.truncate(path, kept_bytes)
    for later_ms in (0, 10**6, 10**7):
        ring = ring_in(tmp_path)
        assert told(ring) == {1: LossCause.CORRUPT}
        ring.set_clock(ring.boot, START_MS + later_ms)
        assert told(ring) == {1: LossCause.CORRUPT}


def test_both_files_torn_back_to_an_earlier_boot_are_noticed(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    sizes = []
    for number in (1, 2):
        ring.append(TANK, 5_000, values_of(number), boot=ring.boot)
        ring.flush()
        sizes.append(files(tmp_path, ".log")[0].stat().st_size)
        ring.set_clock(ring.boot, START_MS)
        ring = ring_in(tmp_path)
    for path in files(tmp_path, ".log"):
        os.truncate(path, sizes[0])
    ring = ring_in(tmp_path)
    ring.set_clock(ring.boot, START_MS + 99)
    assert told(ring) == dict.fromkeys((1, 2), LossCause.CORRUPT)
