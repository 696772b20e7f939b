"""Histograms and usage."""

from hypothesis import given
from hypothesis import strategies as st

from hub.modbus.tally import Histogram, Usage


@given(st.lists(st.floats(1e-4, 50), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_percentile_is_right_to_within_a_bucket(durations: list[float], share: float) -> None:
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration, 0.0)
    found = histogram.percentile_s(share)
    ordered = sorted(durations)
    exact = next(d for i, d in enumerate(ordered, 1) if i >= share * len(ordered) - 1e-9)
    assert found is not None
    assert exact / 1.13 <= found <= exact * 1.13


def test_what_is_older_than_two_minutes_is_forgotten() -> None:
    histogram = Histogram()
    histogram.add(5.0, 0.0)
    for second in range(60, 200, 60):
        histogram.add(0.01, float(second))
    found = histogram.percentile_s(1.0)
    assert found is not None
    assert found < 0.02


def test_usage_is_the_share_of_the_last_minute() -> None:
    usage = Usage(0.0)
    for second in range(300):
        usage.add(0.25, float(second))
    assert abs(usage.share(299.9) - 0.25) < 0.01
    assert usage.share(10_000.0) == 0.0
