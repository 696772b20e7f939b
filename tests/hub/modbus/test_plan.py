"""The register planner."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.modbus.plan import Avoid, Span, block_cost_s, partition, plan, spans_of
from hub.modbus.points import Point
from hub.modbus.profiles import Limits
from hub.modbus.requests import READ_TABLES, Request, WireCost, network_cost, serial_cost
from tests.hub.modbus.maps import points

costs = st.sampled_from([serial_cost(1200), serial_cost(9600, "even"), serial_cost(115_200), network_cost()])


def brings(point: Point, requests: Sequence[Request]) -> int:
    """Count the requests that bring a whole point."""
    return sum(
        READ_TABLES[r.function] == point.table
        and r.address <= point.address
        and point.end <= r.address + r.count
        for r in requests
    )


@given(points(tables=("holding", "input", "coil")), costs, st.integers(4, 125), st.integers(1, 40))
def test_every_point_is_brought_and_no_limit_is_broken(
    mine: list[Point], cost: WireCost, max_registers: int, max_bits: int
) -> None:
    requests = plan(7, mine, cost, Limits(max_registers, max_bits))
    assert len(requests) <= len({(p.table, p.address, p.end) for p in mine})
    assert all(brings(point, requests) >= 1 for point in mine)
    for request in requests:
        most = max_bits if READ_TABLES[request.function] == "coil" else max_registers
        assert 1 <= request.count <= most
        assert request.unit == 7


@given(points(), costs, st.integers(4, 125))
def test_no_register_is_read_twice_unless_values_overlap(
    mine: list[Point], cost: WireCost, limit: int
) -> None:
    spans = spans_of(mine)
    blocks = partition(spans, "holding", cost, limit)
    for left, right in pairwise(blocks):
        shared = range(right.start, left.end)
        assert all(any(s.start <= a < s.end for s in spans) for a in shared)


@given(points(), costs, st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), max_size=6))
def test_no_request_reads_over_a_known_hole(
    mine: list[Point], cost: WireCost, pits: list[tuple[int, int]]
) -> None:
    holes = frozenset(("holding", start, start + count) for start, count in pits)
    spans = spans_of(mine)
    for block in partition(spans, "holding", cost, 125, Avoid(holes=holes)):
        inside = {
            a for s in spans if block.start <= s.start and s.end <= block.end for a in range(s.start, s.end)
        }
        bridged = set(range(block.start, block.end)) - inside
        assert not any(start <= address < end for address in bridged for _, start, end in holes)


def all_partitions(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield every way to cover spans by blocks of neighbours."""
    if not spans:
        yield []
        return
    for size in range(1, len(spans) + 1):
        first = Span(spans[0].start, max(span.end for span in spans[:size]))
        for rest in all_partitions(spans[size:]):
            yield [first, *rest]


@given(points(most=8), costs, st.integers(4, 60))
def test_costs_no_more_than_the_best_of_all_partitions(mine: list[Point], cost: WireCost, limit: int) -> None:
    spans = spans_of(mine)
    allowed = (way for way in all_partitions(spans) if all(block.width <= limit for block in way))
    best_s = min(sum(block_cost_s("holding", b.width, cost) for b in way) for way in allowed)
    ours_s = sum(block_cost_s("holding", b.width, cost) for b in partition(spans, "holding", cost, limit))
    assert math.isclose(ours_s, best_s)


def test_bridges_a_hole_only_while_that_is_cheaper() -> None:
    cost = serial_cost(9600)
    near = [Point("a", address=0), Point("b", address=8)]
    far = [Point("a", address=0), Point("b", address=18)]
    # Another request costs 13 characters and two gaps of 3.5: 20 characters, that is 10 registers.
    assert [(r.address, r.count) for r in plan(1, near, cost, Limits())] == [(0, 9)]
    assert [(r.address, r.count) for r in plan(1, far, cost, Limits())] == [(0, 1), (18, 1)]


def test_reads_in_pieces_once_bridging_is_off() -> None:
    mine = [Point("a", address=0, type="u32"), Point("b", address=2), Point("c", address=4)]
    requests = plan(1, mine, serial_cost(9600), Limits(), Avoid(bridges=False))
    assert [(r.address, r.count) for r in requests] == [(0, 3), (4, 1)]


def test_a_block_that_is_read_whole_or_not_at_all_stays_alone() -> None:
    mine = [
        Point("a", address=3, type="float32", block=(1, 10)),
        Point("b", address=7, type="float32", block=(1, 10)),
        Point("c", address=11),
    ]
    requests = plan(1, mine, serial_cost(9600), Limits())
    assert [(r.address, r.count) for r in requests] == [(1, 10), (11, 1)]


def test_a_value_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than the 2"):
        plan(1, [Point("a", type="u64")], serial_cost(9600), Limits(max_registers=2))
