"""The check for slaves that answer a block over a hole with later registers moved up, in silence.

Some devices skip registers they do not have instead of refusing them, so every value behind the hole is
another's. Reading block, single value, block again tells: a value that lies far from both blocks, time
after time, is not where the block says it is.
"""

from collections.abc import Generator, Sequence
from itertools import pairwise

from hub.modbus.blocks import BlockDecoder
from hub.modbus.plan import spans_of
from hub.modbus.points import Point
from hub.modbus.requests import Request, read

ROUNDS = 3
_NEAR = 0.1  # measured values move; registers that moved are usually orders of magnitude away

Exchange = Generator[Request, bytes | None, bool | None]


def suspects(points: Sequence[Point], request: Request) -> list[Point]:
    """Return the points to check in a block: the first behind each hole, the last behind all of them."""
    spans = spans_of(points)
    behind = [right.start for left, right in pairwise(spans) if left.end < right.start]
    inside = [start for start in behind if request.address < start < request.address + request.count]
    chosen = [inside[0], inside[-1]] if inside else []
    return [point for point in points if point.span[0] in chosen]


def check(points: Sequence[Point], block: Request) -> Exchange:
    """Yield the reads of one check, take their data. Returns whether the block is shifted; None: unclear."""
    for point in points:
        single = read(block.unit, point.table, point.span[0], point.span[1] - point.span[0])
        strikes = 0
        for _ in range(ROUNDS):
            before, alone, after = (yield block), (yield single), (yield block)
            if before is None or alone is None or after is None:
                return None
            if _is_near(point, (block, before, after), (single, alone)):
                break
            strikes += 1
        if strikes == ROUNDS:
            return True
    return False


def _is_near(point: Point, block: tuple[Request, bytes, bytes], single: tuple[Request, bytes]) -> bool:
    request, before, after = block
    first = BlockDecoder([point], [request]).decode([before])[0]
    second = BlockDecoder([point], [request]).decode([after])[0]
    alone = BlockDecoder([point], [single[0]]).decode([single[1]])[0]
    if first is None or second is None or alone is None:
        return alone is first or alone is second
    drift = abs(first - second)
    allowed = _NEAR * max(abs(first), abs(second), abs(alone)) + 2 * drift
    return min(abs(alone - first), abs(alone - second)) <= allowed
