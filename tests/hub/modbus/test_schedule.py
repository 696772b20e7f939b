"""Fixed-rate schedules."""

from hypothesis import given
from hypothesis import strategies as st

from hub.modbus.schedule import Period, phases


@given(st.floats(0.05, 100), st.floats(0, 1e6), st.lists(st.floats(0, 5), min_size=1, max_size=40))
def test_releases_never_leave_the_grid(interval_s: float, start_s: float, delays: list[float]) -> None:
    period = Period(interval_s, 0.0, start_s)
    for delay in delays:
        now_s = period.release_s + delay * interval_s
        period.advance(now_s)
        steps = (period.release_s - start_s) / interval_s
        assert abs(steps - round(steps)) < 1e-6
        # What is due next began at most one interval ago: nothing is caught up.
        assert period.release_s > now_s - interval_s * (1 + 1e-9)


@given(st.floats(0.05, 100), st.lists(st.floats(0, 7), min_size=1, max_size=40))
def test_every_period_either_had_a_turn_or_is_counted_as_missed(
    interval_s: float, delays: list[float]
) -> None:
    period = Period(interval_s, 0.0, 0.0)
    for delay in delays:
        period.advance(period.release_s + delay * interval_s)
    assert len(delays) + period.missed == round(period.release_s / interval_s)


def test_a_turn_in_time_misses_nothing() -> None:
    period = Period(1.0, 0.0, 100.0)
    for second in range(50):
        assert period.release_s == 100.0 + second
        period.advance(period.release_s + 0.9)
    assert period.missed == 0


def test_what_began_while_the_bus_was_gone_is_missed() -> None:
    period = Period(1.0, 0.25, 0.0)
    period.skip(10.0)
    assert period.missed == 10
    assert period.release_s == 10.25


def test_polls_of_one_interval_are_spread_over_it() -> None:
    found = phases([1.0, 5.0, 1.0, 1.0, 1.0], 0.0)
    assert sorted(found[:1] + found[2:]) == [0.0, 0.25, 0.5, 0.75]
    assert all(0 <= phase < 5.0 for phase in phases([5.0] * 7, 0.9))
