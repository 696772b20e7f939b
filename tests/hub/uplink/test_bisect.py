import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.uplink.bisect import Bisection


def ask(bisection: Bisection, poison: set[int], max_rows: int | None = None) -> list[int]:
    """Answer as a cloud would, that refuses poison and too many rows; return the sizes of the requests."""
    sizes = []
    while (part := bisection.part()) is not None:
        sizes.append(len(part))
        if max_rows is not None and len(part) > max_rows:
            bisection.refuse("too large", by_size=True)
        elif bad := poison.intersection(part):
            bisection.refuse(f"row {min(bad)}")
        else:
            bisection.accept()
    return sizes


@given(st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(n - 1, 0))))))
def test_stores_the_good_and_rejects_the_bad_each_once(case: tuple[int, set[int]]) -> None:
    count, poison = case[0], {row for row in case[1] if row < case[0]}
    bisection = Bisection(range(count), max_requests=10_000)
    ask(bisection, poison)
    assert sorted(bisection.stored) == sorted(set(range(count)) - poison)
    assert bisection.rejected == {row: f"row {row}" for row in poison}


@given(st.integers(2, 2000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_finds_one_bad_row_in_few_requests(case: tuple[int, int]) -> None:
    count, bad = case
    sizes = ask(Bisection(range(count)), {bad})
    assert len(sizes) <= 2 + 2 * math.ceil(math.log2(count))


def test_never_rejects_a_row_that_was_not_sent_alone() -> None:
    bisection = Bisection(range(2))
    assert bisection.part() == range(2)
    bisection.refuse("one of them")
    assert list(bisection.part() or ()) == [0]
    bisection.accept()
    # Only row 1 can be the culprit, yet its own reason is asked for.
    assert list(bisection.part() or ()) == [1]
    bisection.refuse("its own reason")
    assert bisection.rejected == {1: "its own reason"}


def test_does_not_ask_for_a_half_that_must_hold_the_culprit() -> None:
    sizes = ask(Bisection(range(1024)), {1023})
    assert sizes == [1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 1]


@pytest.mark.parametrize("poison", [set(), {3, 700}])
def test_a_refusal_for_size_says_nothing_about_the_rows(poison: set[int]) -> None:
    bisection = Bisection(range(1000))
    sizes = ask(bisection, poison, max_rows=300)
    assert sizes[:3] == [1000, 500, 250]
    assert set(bisection.rejected) == poison
    assert len(bisection.stored) == 1000 - len(poison)


def test_stops_after_so_many_requests_and_leaves_the_rest_alone() -> None:
    bisection = Bisection(range(1000), max_requests=50)
    sizes = ask(bisection, set(range(1000)))
    assert len(sizes) == 50
    assert bisection.stored == []
    # The first pass goes down to the first row, then finds one row for about every second request.
    assert set(bisection.rejected) == set(range(len(bisection.rejected)))
    assert 15 <= len(bisection.rejected) <= 25


def test_has_nothing_to_ask_about_nothing() -> None:
    assert Bisection([]).part() is None
