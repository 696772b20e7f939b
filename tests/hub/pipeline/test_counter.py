from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.pipeline.counter import Counter, CounterSettings, Verdict

PERIOD_S = 10.0


def totals(settings: CounterSettings, raws: list[float]) -> list[float]:
    counter = Counter(settings)
    return [counter.accept(raw, number * PERIOD_S).total for number, raw in enumerate(raws)]


CASES: dict[str, tuple[CounterSettings, list[float], list[float], Verdict]] = {
    # name: what is known, raw values, totals, the last verdict
    "counts": (CounterSettings(), [10, 12, 15], [10, 12, 15], ""),
    "wraps": (CounterSettings(wrap=1000), [900, 990, 40, 60], [900, 990, 990, 1060], "wrapped"),
    "restarts at 0": (CounterSettings(), [900, 990, 0, 7], [900, 990, 990, 997], "restarted"),
    "restarts, wrap known, far from it": (
        CounterSettings(wrap=1000),
        [400, 500, 2, 9],
        [400, 500, 500, 509],
        "restarted",
    ),
    "answers one poll with 0": (CounterSettings(), [900, 0, 905], [900, 900, 905], "glitch"),
    "answers one poll with 0 near the wrap": (
        CounterSettings(wrap=1000),
        [990, 0, 995],
        [990, 990, 995],
        "glitch",
    ),
    "falls back by a few": (CounterSettings(noise=3), [100, 98, 101], [100, 100, 101], ""),
    "falls back by more": (CounterSettings(noise=3), [100, 90, 101], [100, 100, 101], "glitch"),
    "replaced by a newer one": (CounterSettings(), [900, 700, 710], [900, 900, 910], "replaced"),
    "replaced by one that trembles": (
        CounterSettings(noise=3),
        [900, 700, 698, 710],
        [900, 900, 900, 910],
        "",
    ),
    "replaced by an older one": (
        CounterSettings(max_rate_per_s=1),
        [900, 50_000, 50_005],
        [900, 900, 905],
        "replaced",
    ),
    "replaced by one that had counted little": (
        CounterSettings(max_rate_per_s=1),
        [900, 300, 305],
        [900, 900, 905],
        "replaced",
    ),
    "one wild value": (CounterSettings(max_rate_per_s=1), [900, 50_000, 905], [900, 900, 905], "glitch"),
    "restarts at a known rate": (
        CounterSettings(max_rate_per_s=1),
        [40, 50, 30, 35],
        [40, 50, 50, 85],
        "restarted",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_total_goes_on_when_the_counter(name: str) -> None:
    settings, raws, expected, verdict = CASES[name]
    counter = Counter(settings)
    counted = [counter.accept(raw, number * PERIOD_S) for number, raw in enumerate(raws)]
    assert [one.total for one in counted] == expected
    assert counted[-1].verdict == verdict


class Poll(NamedTuple):
    """What happened before a poll: flow, then perhaps a restart; and whether the poll answers 0 wrongly."""

    flow: int
    is_glitch: bool


WRAP = 65_536
polls = st.lists(st.builds(Poll, st.integers(0, WRAP // 4 // 2), st.booleans()), max_size=60)


@given(st.integers(0, WRAP - 1), polls)
def test_wraps_lose_nothing_and_wrong_zeros_add_nothing(start: int, series: list[Poll]) -> None:
    counter = Counter(CounterSettings(wrap=WRAP))
    true = start
    counter.accept(start, 0.0)
    was_glitch = False
    for number, poll in enumerate(series, start=1):
        true += poll.flow
        is_glitch = poll.is_glitch and not was_glitch
        was_glitch = is_glitch
        counted = counter.accept(0 if is_glitch else true % WRAP, number * PERIOD_S)
        assert counted.total <= true
    for number in (1, 2):
        counted = counter.accept(true % WRAP, (len(series) + number) * PERIOD_S)
    assert counted.total == true


RATE = 100


@given(st.lists(st.tuples(st.integers(0, RATE * int(PERIOD_S)), st.booleans()), min_size=1, max_size=60))
def test_restarts_lose_no_more_than_what_was_never_seen(series: list[tuple[int, bool]]) -> None:
    counter = Counter(CounterSettings(max_rate_per_s=RATE))
    raw, true, at_s = 100_000, 100_000, 0.0
    counter.accept(raw, at_s)
    for flow, has_restarted in series:
        # Restarts come one at a time, with enough counted that going back is told from going on.
        if has_restarted and raw > 4 * RATE * PERIOD_S:
            raw = 0
            counter.accept(raw, at_s := at_s + PERIOD_S)
            raw, true = raw + flow, true + flow
            counter.accept(raw, at_s := at_s + PERIOD_S)
        raw, true = raw + flow, true + flow
        counted = counter.accept(raw, at_s := at_s + PERIOD_S)
        assert counted.total == true


wild = st.floats(0, 1e9)
settings_of_any = st.builds(
    CounterSettings,
    wrap=st.none() | st.floats(1, 1e9),
    max_rate_per_s=st.none() | st.floats(0, 1e6),
    noise=st.floats(0, 100),
)


@given(settings_of_any, st.lists(wild, max_size=50), st.floats(0.1, 10))
def test_a_total_never_falls(settings: CounterSettings, raws: list[float], scale: float) -> None:
    counter = Counter(settings)
    before = -1.0
    for number, raw in enumerate(raws):
        total = counter.accept(raw, number * PERIOD_S, scale).total
        assert total >= before - 1e-6 * max(1.0, abs(before))
        before = total


@given(st.integers(0, WRAP - 1), polls, st.integers(0, 60))
def test_a_hub_that_starts_again_goes_on_from_the_saved_state(
    start: int, series: list[Poll], cut: int
) -> None:
    settings = CounterSettings(wrap=WRAP)
    counter, true = Counter(settings), start
    counter.accept(start, 0.0)
    for number, poll in enumerate(series):
        if number == cut:
            counter = Counter(settings, counter.state)
        true += poll.flow
        for _ in range(2):
            counted = counter.accept(true % WRAP, number * PERIOD_S)
    assert counted.total == true if series else True


def test_an_old_state_is_as_good_as_a_fresh_one() -> None:
    counter = Counter(CounterSettings(wrap=1000))
    for number, raw in enumerate([900, 990, 40, 60]):
        counter.accept(raw, number * PERIOD_S)
    saved = counter.state
    for number, raw in enumerate([80, 200, 500]):
        counter.accept(raw, 100 + number * PERIOD_S)
    later = Counter(CounterSettings(wrap=1000), saved)
    assert later.accept(510, 9999.0).total == 1510


def test_a_new_scale_counts_only_what_comes_after_it() -> None:
    counter = Counter(CounterSettings())
    counter.accept(100, 0.0, scale=1.0)
    assert counter.accept(110, 10.0, scale=2.0).total == 120
    assert counter.accept(120, 20.0, scale=2.0).total == 140


def test_starts_at_the_offset_of_the_meter() -> None:
    counter = Counter(CounterSettings())
    assert counter.accept(100, 0.0, scale=1.0, offset=5000.0).total == 5100
