from math import inf, nan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.pipeline.calibration import (
    Calibration,
    CalibrationSchedule,
    DatedCalibration,
    Linear,
    Polynomial,
    Table,
)

raws = st.floats(-1e6, 1e6)


@st.composite
def linears(draw: st.DrawFn) -> Linear:
    scale = draw(st.floats(1e-6, 1e6)) * draw(st.sampled_from([1, -1]))
    return Linear(scale, draw(st.floats(-1e6, 1e6)))


@st.composite
def polynomials(draw: st.DrawFn) -> Polynomial:
    coefficients = draw(st.lists(st.floats(-10, 10), min_size=2, max_size=6))
    low = draw(st.floats(-10, 10))
    try:
        return Polynomial(tuple(coefficients), low, low + draw(st.floats(0.01, 10)))
    except ValueError:
        assume(False)
        raise


@st.composite
def tables(draw: st.DrawFn) -> Table:
    count = draw(st.integers(2, 20))
    steps = st.lists(st.floats(0.01, 100), min_size=count, max_size=count)
    sign = draw(st.sampled_from([1, -1]))
    raw, value, points = draw(st.floats(-100, 100)), draw(st.floats(-100, 100)), []
    for step, rise in zip(draw(steps), draw(steps), strict=True):
        raw, value = raw + step, value + sign * rise
        points.append((raw, value))
    return Table(tuple(points))


curves = st.one_of(linears(), polynomials(), tables())


@given(curves, st.floats(-0.2, 1.2))
def test_the_raw_value_can_be_had_again(curve: Calibration, where: float) -> None:
    low, high = max(curve.low, -1e3), min(curve.high, 1e3)
    raw = low + where * (high - low)
    value = curve.apply(raw)
    # A step in raw of one millionth of the range is what the flattest allowed slope still tells apart.
    again = curve.inverse(value)
    nearby = (abs(curve.apply(again + d) - value) for d in (-1e-6 * (high - low), 1e-6 * (high - low)))
    assert again == pytest.approx(raw, abs=1e-6 * (high - low)) or min(nearby) < 1e-9 * (abs(value) + 1)


@given(curves, st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))
def test_is_strictly_monotone_inside_and_outside_its_range(curve: Calibration, a: float, b: float) -> None:
    low, high = max(curve.low, -1e3), min(curve.high, 1e3)
    assume(b - a > 1e-3)
    is_rising = curve.apply(low) < curve.apply(high)
    left, right = curve.apply(low + a * (high - low)), curve.apply(low + b * (high - low))
    assert left < right if is_rising else left > right


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Linear(0.0, 5.0), "scale of 0"),
        (lambda: Linear(nan), "finite"),
        (lambda: Linear(1.0, 0.0, 5.0, 5.0), "range from 5 to 5 is empty"),
        (lambda: Polynomial((0.0, 0.0, 1.0), -1.0, 2.0), "turns around before raw 2"),
        (lambda: Polynomial((0.0, 0.0, 1.0), 0.0, 2.0), "turns around|flat at raw 0"),
        (lambda: Polynomial((0.0, 0.0, 0.0, 1.0), -1.0, 1.0), "raw 0"),
        (lambda: Polynomial((0.0, 3.0, 0.0, -1.0), -3.0, 3.0), "turns around"),
        (lambda: Polynomial((1.0, 1e-40), 0.0, 1.0), "hardly changes"),
        (lambda: Polynomial((1.0,), 0.0, 1.0), "2 to 8 coefficients"),
        (lambda: Polynomial((1.0, 1.0), 0.0, inf), "finite"),
        (lambda: Table(((0.0, 0.0),)), "two points"),
        (lambda: Table(((0.0, 0.0), (0.0, 1.0))), "must rise"),
        (lambda: Table(((0.0, 0.0), (1.0, 1.0), (2.0, 0.5))), "only rise or only fall"),
        (lambda: Table(((0.0, 0.0), (1.0, 0.0))), "only rise or only fall"),
        (lambda: Table(((0.0, 0.0), (1.0, nan))), "finite"),
        (lambda: DatedCalibration(Linear(), 100, 100), "start to hold before"),
    ],
)
def test_refuses_what_would_lose_the_raw_value_and_says_why(make: object, reason: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=reason):
        make()


def test_accepts_a_polynomial_on_the_side_where_it_rises() -> None:
    parabola = Polynomial((0.0, 0.0, 1.0), 1.0, 3.0)
    assert parabola.apply(2.0) == 4.0
    assert parabola.apply(5.0) == 9.0 + 2 * 6.0


def test_a_dip_table_gives_its_own_points_and_the_line_between_them() -> None:
    tank = Table(((0.0, 0.0), (100.0, 800.0), (200.0, 2000.0)))
    assert [tank.apply(raw) for raw in (0.0, 50.0, 100.0, 150.0, 200.0, 210.0, -1.0)] == [
        0.0,
        400.0,
        800.0,
        1400.0,
        2000.0,
        2120.0,
        -8.0,
    ]


OLD, NEW = Linear(2.0), Linear(3.0)


@pytest.mark.parametrize(
    ("at_ms", "curve", "is_current"),
    [
        (50, OLD, False),
        (100, OLD, True),
        (199, OLD, True),
        (200, OLD, False),
        (299, OLD, False),
        (300, NEW, True),
        (399, NEW, True),
        (400, NEW, False),
    ],
)
def test_a_calibration_holds_in_its_time_and_is_out_of_date_after(
    at_ms: int, curve: Linear, is_current: bool
) -> None:
    schedule = CalibrationSchedule([DatedCalibration(NEW, 300, 400), DatedCalibration(OLD, 100, 200)])
    found = schedule.at(at_ms)
    assert (found.calibration, found.is_current) == (curve, is_current)
    assert found.from_ms <= at_ms < found.until_ms


def test_of_two_that_hold_the_later_one_counts() -> None:
    schedule = CalibrationSchedule([DatedCalibration(NEW, 300), DatedCalibration(OLD)])
    assert schedule.at(299).calibration is OLD
    assert schedule.at(300).calibration is NEW


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=6),
    st.integers(-10, 120),
    st.integers(-10, 120),
)
def test_what_holds_holds_as_long_as_it_says(spans: list[tuple[int, int]], at: int, later: int) -> None:
    dated = [
        DatedCalibration(Linear(i + 1), start, start + length) for i, (start, length) in enumerate(spans)
    ]
    schedule = CalibrationSchedule(dated)
    found = schedule.at(at)
    if found.from_ms <= later < found.until_ms:
        assert schedule.at(later) == found
