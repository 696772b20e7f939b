"""What the ring promises, one sentence at a time."""

from pathlib import Path

import pytest

from firmware.node.ring import DROP_OLDEST, POLICIES, THIN, Ring
from shared_schema.batches import decode, encode
from shared_schema.enums import LossCause, TimeQuality
from tests.firmware.node.rows import FLOW, START_MS, TANK, ring_in, told, values_in, values_of

MINUTE_MS = 60_000
WEEK_MINUTES = 7 * 24 * 60


def fill(ring: Ring, numbers: range, step_ms: int = 1000, kind: int = TANK) -> None:
    for number in numbers:
        ring.append(kind, START_MS + number * step_ms, values_of(number))
    ring.flush()


def test_numbers_begin_at_one_and_are_given_by_flush(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    ring.append(TANK, START_MS, values_of(1))
    assert (ring.next_seq, ring.read(1, 9), ring.rows_waiting) == (1, None, 1)
    assert ring.flush() == 2
    assert ring.read(1, 9) == (TANK, 1, [(START_MS, values_of(1), 0, 0)])


def test_what_is_read_is_what_a_batch_takes(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    fill(ring, range(1, 8))
    kind, first_seq, rows = ring.read(1, 120)
    buffer = bytearray(2048)
    size = encode(kind, first_seq, rows, buffer)
    assert decode(bytes(buffer[:size])).rows() == rows


def test_rows_of_a_kind_stay_together_though_they_were_taken_in_turn(tmp_path: Path) -> None:
    ring = ring_in(tmp_path, flush_bytes=1024)
    for number in range(1, 21):
        ring.append((TANK, FLOW)[number % 2], START_MS + number, values_of(number))
    ring.flush()
    first = ring.read(1, 120)
    assert len(first[2]) == 10
    second = ring.read(11, 120)
    assert {first[0], second[0]} == {TANK, FLOW}
    assert sorted(values_in(told(ring))) == list(range(1, 21))


def test_a_boot_later_everything_is_there_with_number_time_and_values(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    fill(ring, range(1, 90))
    before, epoch = told(ring), ring.epoch
    ring.append(TANK, START_MS, values_of(999))  # not flushed
    again = ring_in(tmp_path)
    assert (again.epoch, again.next_seq, told(again)) == (epoch, 90, before)


def test_acknowledged_files_go_and_the_next_boot_knows(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    fill(ring, range(1, 200))
    ring.acknowledge(150)
    ring.close()
    assert len(list((tmp_path / "ring").glob("*.seg"))) <= 3
    again = ring_in(tmp_path)
    assert (again.acked, again.oldest_seq) == (150, 151)
    assert values_in(told(again)) == list(range(151, 200))


def test_an_empty_ring_goes_on_with_its_numbers(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    fill(ring, range(1, 200))
    for _ in range(3):
        ring.acknowledge(199)
        ring.close()
        ring = ring_in(tmp_path)
    assert (ring.next_seq, ring.acked, told(ring)) == (200, 199, {})


def test_goes_on_behind_what_the_hub_has_when_it_forgot_numbers(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    fill(ring, range(1, 9))
    ring.acknowledge(20)
    ring.append(TANK, START_MS, values_of(9))
    assert ring.flush() == 22
    assert told(ring_in(tmp_path)) == {21: (TANK, START_MS, values_of(9), 0, 0)}


def test_a_full_ring_drops_the_oldest_and_says_which(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    fill(ring, range(1, 1001))
    lost = ring.loss(1)
    assert (lost.cause, lost.first_seq) == (LossCause.EVICTED, 1)
    assert (lost.first_at_ms, lost.last_at_ms) == (START_MS + 1000, START_MS + 1000 * lost.last_seq)
    assert values_in(told(ring)) == list(range(lost.last_seq + 1, 1001))
    assert told(ring_in(tmp_path)) == told(ring)
    assert 0 <= ring.bytes_free < 4096 * 2


def test_a_full_ring_that_thins_keeps_a_row_a_minute(tmp_path: Path) -> None:
    ring = ring_in(tmp_path, policy=THIN)
    fill(ring, range(1, 1001))
    found = told(ring)
    assert list(found) == list(range(1, 1001))
    assert {row for row in found.values() if isinstance(row, int)} == {LossCause.THINNED}
    thinned = [row for seq, row in found.items() if not isinstance(row, int) and seq < 500]
    assert len(thinned) == len({row[1] // MINUTE_MS for row in thinned}) > 7
    assert told(ring_in(tmp_path, policy=THIN)) == found


@pytest.mark.parametrize("policy", POLICIES)
def test_a_week_without_the_hub(policy: str, tmp_path: Path) -> None:
    """A row a minute of four metrics in 256 kB: nothing has to go."""
    ring = ring_in(tmp_path, capacity_bytes=262_144, segment_bytes=16_384, flush_bytes=1024, policy=policy)
    for minute in range(1, WEEK_MINUTES + 1):
        level = 15_000 + minute % 97
        ring.append(TANK, START_MS + minute * MINUTE_MS, (level, 48_000 - level, 1_850, minute, None, None))
    ring.flush()
    assert [row[2][3] for row in told(ring).values()] == list(range(1, WEEK_MINUTES + 1))
    assert ring.bytes_free > 262_144 // 2


@pytest.mark.parametrize("policy", POLICIES)
def test_a_day_without_the_hub_in_a_seventh_of_the_room(policy: str, tmp_path: Path) -> None:
    outage(tmp_path, policy, WEEK_MINUTES // 7, 9 * 4096, 4096)


@pytest.mark.soak
@pytest.mark.parametrize("policy", POLICIES)
def test_a_week_without_the_hub_at_twelve_rows_a_minute(policy: str, tmp_path: Path) -> None:
    outage(tmp_path, policy, WEEK_MINUTES, 262_144, 16_384)


def outage(folder: Path, policy: str, minutes: int, capacity_bytes: int, segment_bytes: int) -> None:
    sizes = {"capacity_bytes": capacity_bytes, "segment_bytes": segment_bytes, "flush_bytes": 1024}
    ring = ring_in(folder, policy=policy, **sizes)
    rows = minutes * 12
    expected = {
        seq: (TANK, START_MS + seq * 5_000, (seq % 90, 48_000, 1_850, seq, None, None), 0, 0)
        for seq in range(1, rows + 1)
    }
    for row in expected.values():
        ring.append(*row)
    ring.flush()
    found = told(ring)
    assert list(found) == list(range(1, rows + 1))
    kept = [seq for seq, row in found.items() if not isinstance(row, int)]
    assert all(found[seq] == expected[seq] for seq in kept)
    if policy == DROP_OLDEST:
        assert kept == list(range(kept[0], rows + 1))
        assert rows // 8 < len(kept) < rows
    else:  # all of it is there, its beginning minute by minute
        assert kept[0] == 1
        assert minutes <= len({found[seq][1] // MINUTE_MS for seq in kept}) <= len(kept) < rows // 2


def test_rows_wait_for_their_clock_and_then_never_change(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    ring.append(TANK, 5_000, values_of(1), boot=ring.boot)
    ring.flush()
    assert (ring.read(1, 9), ring.loss(1)) == (None, None)
    ring.set_clock(ring.boot, START_MS)
    row = (START_MS + 5_000, values_of(1), 0, TimeQuality.CORRECTED)
    assert ring.read(1, 9) == (TANK, 1, [row])
    ring.set_clock(ring.boot, START_MS + 999)
    assert ring_in(tmp_path).read(1, 9) == (TANK, 1, [row])


def test_a_clock_once_known_is_used_at_once(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    ring.set_clock(ring.boot, START_MS)
    ring.append(TANK, 5_000, values_of(1), boot=ring.boot)
    ring.flush()
    assert ring.read(1, 9)[2] == [(START_MS + 5_000, values_of(1), 0, TimeQuality.SYNCED)]
    assert not list((tmp_path / "ring").glob("*.log"))


def test_boots_that_never_knew_the_time_end_where_the_next_begins(tmp_path: Path) -> None:
    for number in (1, 2):
        ring = ring_in(tmp_path)
        ring.append(TANK, 1_000, values_of(number), boot=ring.boot)
        ring.append(TANK, 61_000, values_of(number), boot=ring.boot)
        ring.flush()
    ring = ring_in(tmp_path)
    ring.append(TANK, 2_000, values_of(3), boot=ring.boot)
    ring.set_clock(ring.boot, START_MS)
    ring.flush()
    rows = ring.read(1, 9)[2]
    assert [row[3] for row in rows] == [TimeQuality.ESTIMATED] * 4 + [TimeQuality.CORRECTED]
    assert rows[4][0] == START_MS + 2_000
    assert rows[3][0] == START_MS - 1
    assert rows[3][0] - rows[2][0] == rows[1][0] - rows[0][0] == 60_000
    assert ring_in(tmp_path).read(1, 9)[2] == rows


def test_a_loss_waits_for_its_clock_too(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    for number in range(1, 1001):
        ring.append(TANK, number * 1_000, values_of(number), boot=ring.boot)
    ring.flush()
    assert told(ring) == {}
    ring.set_clock(ring.boot, START_MS)
    assert ring.loss(1).first_at_ms == START_MS + 1_000
    assert list(told(ring)) == list(range(1, 1001))


def test_many_clocks_are_bounded(tmp_path: Path) -> None:
    for number in range(1, 80):
        ring = ring_in(tmp_path, capacity_bytes=4096 * 100)
        ring.append(TANK, 1_000, values_of(number), boot=ring.boot)
        ring.flush()
        ring.set_clock(ring.boot, START_MS + number * MINUTE_MS)
    found = told(ring)
    assert list(found) == list(range(1, 80))
    assert LossCause.EVICTED in found.values()
    assert values_in(found)[-50:] == list(range(30, 80))
    assert len(ring._journal.clocks) <= 64


@pytest.mark.parametrize(
    "row",
    [
        (99, START_MS, values_of(1)),
        (TANK, START_MS, (1, 2)),
        (TANK, -1, values_of(1)),
        (TANK, START_MS, (2**60, *values_of(1)[1:])),
        (TANK, START_MS, values_of(1), 4),
        (TANK, START_MS, values_of(1), 0, 9),
        (TANK, START_MS, values_of(1), 0, 0, 77),
    ],
)
def test_refuses_what_is_no_row(row: tuple, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        ring_in(tmp_path).append(*row)


def test_extremes_come_back(tmp_path: Path) -> None:
    ring = ring_in(tmp_path)
    most = 2**52 - 1
    rows = [(most, -most, 0, None, most, -most), (-most, most, None, 0, None, most), (None,) * 6]
    for values in rows:
        ring.append(TANK, START_MS, values, 2, 3)
    ring.append(TANK, START_MS - 86_400_000, rows[0])  # a clock set back
    ring.flush()
    assert [row[1] for row in ring.read(1, 9)[2]] == [*rows, rows[0]]
    assert ring.read(4, 9)[2] == [(START_MS - 86_400_000, rows[0], 0, 0)]
