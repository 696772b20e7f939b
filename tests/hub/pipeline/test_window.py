from itertools import groupby
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.pipeline.window import Closed, RollingMean, Window
from hub.ports import Stamp
from shared_schema.enums import TimeQuality

AGGREGATES = ("mean", "min", "max", "last", "sum", "count", "total")
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
SYNCED, PENDING = TimeQuality.SYNCED, TimeQuality.PENDING
START_MS = 1_800_000_000_000


def window(length_s: float = 60.0, aggregates: tuple[str, ...] = ("count",)) -> Window:
    return Window(length_s, aggregates, PENDING)


def at(seconds: float, quality: int = SYNCED) -> Stamp:
    return Stamp(START_MS + round(seconds * 1000), quality)


def feed(target: Window, stamps: list[Stamp], value: float = 1.0) -> list[Closed]:
    return [closed for stamp in stamps if (closed := target.add(stamp, [value], is_sure=True))]


values = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(st.floats(0.1, 40), values), min_size=1, max_size=100))
def test_every_aggregate_is_what_the_whole_window_says(steps: list[tuple[float, float]]) -> None:
    target = window(aggregates=AGGREGATES)
    taken_s, samples, closed = 0.0, [], []
    for step_s, value in steps:
        taken_s += step_s
        stamp = at(taken_s)
        samples.append((stamp.recorded_at_ms // MINUTE_MS, value))
        closed.append(target.add(stamp, [value] * len(AGGREGATES), is_sure=True))
    closed.append(target.cut())
    expected = [
        (number, [value for _, value in group])
        for number, group in groupby(samples, key=lambda sample: sample[0])
    ]
    seen = [one for one in closed if one]
    assert len(seen) == len(expected)
    for one, (_, group) in zip(seen, expected, strict=True):
        mean = fsum(group) / len(group)
        assert one.values == [
            pytest.approx(mean, abs=1e-6),
            min(group),
            max(group),
            group[-1],
            pytest.approx(fsum(group), abs=1e-6),
            len(group),
            group[-1],
        ]
    for one, (number, _) in zip(seen[:-1], expected[:-1], strict=True):
        assert one.recorded_at_ms == (number + 1) * MINUTE_MS


clock_moves = st.sampled_from(["", "known", "unknown", "back", "on", "tick"])


@given(st.lists(st.tuples(st.floats(0.1, 100), clock_moves), max_size=100))
def test_no_sample_is_lost_or_counted_twice_whatever_the_clock_does(steps: list[tuple[float, str]]) -> None:
    target, closed = window(), []
    since_boot_s, offset_ms, quality, taken = 0.0, START_MS, SYNCED, 0
    for step_s, move in steps:
        since_boot_s += step_s
        if move in {"known", "unknown"}:
            quality = SYNCED if move == "known" else PENDING
        offset_ms += {"back": -3 * HOUR_MS, "on": 3 * HOUR_MS}.get(move, 0)
        now = Stamp(round(since_boot_s * 1000) + (offset_ms if quality == SYNCED else 0), quality)
        if move == "tick":
            closed.append(target.due(now, 2000))
        else:
            closed.append(target.add(now, [1.0], is_sure=True))
            taken += 1
    closed.append(target.cut())
    assert sum(one.values[0] or 0 for one in closed if one) == taken
    assert sum(one.samples for one in closed if one) == taken


def test_is_aligned_to_the_wall_clock() -> None:
    closed = feed(window(300.0), [at(200), at(299), at(301)])
    assert [(one.recorded_at_ms - START_MS, one.samples) for one in closed] == [(300_000, 2)]


def test_ends_early_when_the_clock_comes_to_be_known() -> None:
    closed = feed(window(), [Stamp(1000, PENDING), Stamp(2000, PENDING), at(3)])
    assert [(one.recorded_at_ms, one.time_quality, one.samples) for one in closed] == [(2000, PENDING, 2)]


def test_ends_early_when_the_clock_steps_back() -> None:
    closed = feed(window(), [at(7201), at(7202), at(3)])
    assert [(one.recorded_at_ms, one.samples) for one in closed] == [(at(7202).recorded_at_ms, 2)]


def test_a_sample_that_comes_late_counts_to_the_next_window() -> None:
    target = window()
    assert feed(target, [at(50), at(61), at(59.9)])[0].samples == 1
    closed = target.cut()
    assert closed is not None
    assert closed.samples == 2


def test_time_alone_ends_a_window_after_a_grace() -> None:
    target = window()
    feed(target, [at(10)])
    assert target.due(at(61.9), 2000) is None
    closed = target.due(at(62.1), 2000)
    assert closed is not None
    assert closed.recorded_at_ms == at(60).recorded_at_ms
    assert target.due(at(200), 2000) is None


def test_one_doubtful_sample_makes_the_window_doubtful_and_only_that_one() -> None:
    target = window()
    target.add(at(1), [1.0], is_sure=True)
    target.add(at(2), [None], is_sure=False)
    doubtful = target.add(at(61), [1.0], is_sure=True)
    fine = target.cut()
    assert doubtful is not None
    assert fine is not None
    assert (doubtful.is_sure, doubtful.values, fine.is_sure) == (False, [1.0], True)


def test_a_mean_of_a_million_small_values_keeps_its_last_digit() -> None:
    target = window(aggregates=("mean",))
    target.add(at(0), [1e9], is_sure=True)
    for _ in range(10_000):
        target.add(at(1), [1e-7], is_sure=True)
    closed = target.cut()
    assert closed is not None
    assert closed.values[0] == pytest.approx((1e9 + 1e-3) / 10_001, abs=1e-11)


@given(st.lists(st.tuples(st.floats(0.1, 30), st.floats(-1e3, 1e3)), min_size=1, max_size=200))
def test_a_rolling_mean_is_the_mean_of_the_last_five_minutes(steps: list[tuple[float, float]]) -> None:
    rolling, taken_s, taken = RollingMean(300.0), 0.0, []
    for step_s, value in steps:
        taken_s += step_s
        taken.append((taken_s, value))
        mean = rolling.add(value, taken_s)
        bucket = int(taken_s / 5.0)
        recent = [value for at_s, value in taken if int(at_s / 5.0) > bucket - 60]
        assert mean == pytest.approx(fsum(recent) / len(recent), abs=1e-6)
        assert all(taken_s - at_s < 305 for at_s, _ in taken[-len(recent) :])


def test_a_rolling_mean_forgets_what_is_older_after_a_long_silence() -> None:
    rolling = RollingMean(300.0)
    for at_s in range(300):
        rolling.add(100.0, at_s)
    assert rolling.add(5.0, 10_000.0) == 5.0
