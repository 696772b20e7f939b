from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.pipeline.roots import crossing, derivative, evaluated, roots


def from_roots(places: list[int]) -> tuple[float, ...]:
    """Return the coefficients of the polynomial that is zero exactly there."""

    def times(coefficients: list[float], place: int) -> list[float]:
        raised, scaled = [0.0, *coefficients], [*(-place * c for c in coefficients), 0.0]
        return [a + b for a, b in zip(raised, scaled, strict=True)]

    return tuple(reduce(times, places, [1.0]))


@given(st.sets(st.integers(-9, 9), min_size=1, max_size=6))
def test_finds_every_root_in_order(places: set[int]) -> None:
    assert roots(from_roots(sorted(places)), -10.5, 10.5) == pytest.approx(sorted(places), abs=1e-6)


def test_finds_only_those_between_the_bounds() -> None:
    assert roots(from_roots([-5, 0, 5]), -1.0, 6.0) == pytest.approx([0, 5], abs=1e-9)


def test_a_touch_is_no_crossing() -> None:
    assert roots(from_roots([2, 2]), -10.0, 10.0) == []


def test_a_constant_has_none() -> None:
    assert roots((3.0,), -1.0, 1.0) == []


def test_value_slope_and_crossing() -> None:
    assert evaluated((1.0, 2.0, 3.0), 2.0) == 17.0
    assert derivative((1.0, 2.0, 3.0)) == (2.0, 6.0)
    assert crossing((2.0, -1.0), 0.0, 10.0) == pytest.approx(2.0)
