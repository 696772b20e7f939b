"""Back-off, breaker and pace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.uplink.backoff import JITTER, LONGEST_REQUESTED_S, Backoff
from hub.uplink.breaker import Breaker
from hub.uplink.pace import Pace


@pytest.mark.parametrize(
    ("base_s", "max_s", "pauses_s"),
    [(30, 300, [30, 60, 120, 240, 300, 300]), (1, 60, [1, 2, 4, 8, 16, 32, 60, 60])],
)
def test_doubles_up_to_its_ceiling_and_starts_over(
    base_s: float, max_s: float, pauses_s: list[float]
) -> None:
    backoff = Backoff(base_s, max_s)
    assert [backoff.next_s(0.0) for _ in pauses_s] == pauses_s
    backoff.reset()
    assert backoff.next_s(0.0) == base_s


@given(st.lists(st.tuples(st.floats(0, 1), st.none() | st.floats(0, 1e12)), min_size=1, max_size=80))
def test_every_pause_is_bounded_and_never_shorter_than_asked_for(
    asks: list[tuple[float, float | None]],
) -> None:
    backoff = Backoff(30, 300)
    for failures, (chance, requested_s) in enumerate(asks):
        pause_s = backoff.next_s(chance, requested_s)
        nominal_s = min(30 * 2**failures, 300)
        assert nominal_s * (1 - JITTER) <= pause_s <= max(nominal_s, LONGEST_REQUESTED_S)
        assert pause_s >= min(requested_s or 0.0, LONGEST_REQUESTED_S)
        if requested_s is None:
            assert pause_s <= nominal_s


def test_the_breaker_starts_open_with_a_probe_due() -> None:
    breaker = Breaker(Backoff(30, 300), now_s=5.0)
    assert breaker.is_open
    assert breaker.wait_s(5.0) == 0.0


def test_the_breaker_waits_longer_with_every_failed_probe_and_forgets_when_it_closes() -> None:
    breaker = Breaker(Backoff(30, 300), now_s=0.0)
    breaker.close(0.0)
    breaker.trip(10.0, 0.0)
    assert (breaker.is_open, breaker.wait_s(10.0), breaker.wait_s(50.0)) == (True, 30.0, 0.0)
    breaker.trip(40.0, 0.0)
    assert breaker.wait_s(40.0) == 60.0
    assert breaker.close(100.0) == 90.0
    breaker.trip(200.0, 0.0, requested_s=45.0)
    assert breaker.wait_s(200.0) == 45.0


@given(st.integers(100, 50_000), st.lists(st.integers(1, 1000), min_size=1, max_size=60))
def test_keeps_its_pace_over_any_stretch(rows_per_s: int, batches: list[int]) -> None:
    now_s, pace = 0.0, Pace(rows_per_s, 0.0)
    for rows in batches:
        now_s += pace.wait_s(now_s)
        pace.spend(rows, now_s)
    # One second's burst, and a debt of one batch.
    assert sum(batches) <= rows_per_s * (now_s + 1) + max(batches) + 1e-3


def test_waits_for_exactly_what_it_owes() -> None:
    pace = Pace(100, 0.0)
    pace.spend(150, 0.0)
    assert pace.wait_s(0.0) == pytest.approx(0.5)
    assert pace.wait_s(0.5) == pytest.approx(0.0)
