"""The register planner: the cheapest requests that read all points of a slave.

Rules: 1. every point is read, and a value is never split over two requests. 2. no request exceeds the
slave's limits. 3. no request touches a known hole. 4. never more requests than one per point.
5. among all plans that hold these, the one with the least wire time; of equals, the fewest requests.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hub.modbus.points import Point
from hub.modbus.profiles import Limits
from hub.modbus.registers import BIT_TABLES, FUNCTIONS
from hub.modbus.requests import Request, WireCost, read


class Span(NamedTuple):
    """Addresses that must come in one read: [start, end). is_alone: and with nothing beside them."""

    start: int
    end: int
    is_alone: bool = False

    @property
    def width(self) -> int:
        """How many addresses."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Avoid:
    """What a slave does not bear. holes: per table, as [start, end).

    max_registers, max_bits: of several values in one request, as learned; a value alone is always tried.

    bridges: whether addresses between points may be read along.
    """

    holes: frozenset[tuple[str, int, int]] = frozenset()
    max_registers: int | None = None
    max_bits: int | None = None
    bridges: bool = True


NOTHING = Avoid()


def plan(
    unit: int, points: Iterable[Point], cost: WireCost, limits: Limits, avoid: Avoid = NOTHING
) -> tuple[Request, ...]:
    """Return the requests that read points, in the order of tables and addresses.

    Raises:
        ValueError: a point alone exceeds the limits.
    """
    tables: dict[str, list[Point]] = {}
    for point in points:
        tables.setdefault(point.table, []).append(point)
    found: list[Request] = []
    for table in sorted(tables, key=FUNCTIONS.__getitem__):
        spans = spans_of(tables[table])
        blocks = partition(spans, table, cost, limit_of(table, limits), avoid)
        found += [read(unit, table, block.start, block.width) for block in blocks]
    return tuple(found)


def limit_of(table: str, limits: Limits) -> int:
    """Return how many addresses of a table one request may ask for."""
    return limits.max_bits if table in BIT_TABLES else limits.max_registers


def smaller(one: int | None, other: int | None) -> int | None:
    """Return the smaller of two bounds, either of which may be missing."""
    return min((bound for bound in (one, other) if bound), default=None)


def spans_of(points: Sequence[Point]) -> list[Span]:
    """Return what must be read, ascending, without what lies inside of something else."""
    spans = sorted(
        {Span(*point.span, point.block is not None) for point in points}, key=lambda s: (s[0], -s[1])
    )
    kept: list[Span] = []
    for span in spans:
        if kept and kept[-1].end >= span.end:
            continue
        kept.append(span)
    return kept


def partition(
    spans: Sequence[Span], table: str, cost: WireCost, limit: int, avoid: Avoid = NOTHING
) -> tuple[Span, ...]:
    """Return the cheapest blocks that cover spans."""
    return _partition(tuple(spans), table, cost, limit, avoid)


@lru_cache(maxsize=256)  # sites have many transmitters of few models
def _partition(
    spans: tuple[Span, ...], table: str, cost: WireCost, limit: int, avoid: Avoid
) -> tuple[Span, ...]:
    """Starts and ends both ascend strictly in spans, so some cheapest plan groups neighbours only, and
    dynamic programming over the last group's first span finds it.
    """
    for span in spans:
        if span.width > limit:
            raise ValueError(
                f"{table} {span.start}..{span.end - 1} is longer than the {limit} one request may read"
            )
    costs_s = [block_cost_s(table, width, cost) for width in range(limit + 1)]
    best: list[tuple[float, int, int]] = [(0.0, 0, 0)]
    for last in range(len(spans)):
        ways = [
            (best[first][0] + costs_s[width], best[first][1] + 1, first)
            for first, width in _groups(spans, last, table, limit, avoid)
        ]
        best.append(min(ways))
    blocks: list[Span] = []
    upto = len(spans)
    while upto:
        first = best[upto][2]
        blocks.append(Span(spans[first].start, spans[upto - 1].end))
        upto = first
    return tuple(reversed(blocks))


def block_cost_s(table: str, count: int, cost: WireCost) -> float:
    """Return the wire time of reading count addresses."""
    return cost.read_s((count + 7) // 8 if table in BIT_TABLES else 2 * count)


def _groups(
    spans: Sequence[Span], last: int, table: str, limit: int, avoid: Avoid
) -> Iterable[tuple[int, int]]:
    """Yield (first span, addresses) of every request that may end with spans[last], shortest first."""
    learned = avoid.max_bits if table in BIT_TABLES else avoid.max_registers
    joint = min(limit, learned or limit)
    for first in range(last, -1, -1):
        if first < last and not _may_join(spans[first], spans[first + 1], table, avoid):
            return
        width = spans[last].end - spans[first].start
        if width > joint and first < last:
            return
        yield first, width


def _may_join(left: Span, right: Span, table: str, avoid: Avoid) -> bool:
    if left.is_alone or right.is_alone:
        return False
    if left.end >= right.start:
        return True
    return avoid.bridges and not _touches(avoid.holes, table, left.end, right.start)


def _touches(holes: Collection[tuple[str, int, int]], table: str, start: int, end: int) -> bool:
    return any(hole[0] == table and hole[1] < end and start < hole[2] for hole in holes)
