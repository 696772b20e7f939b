"""From the bytes of a device's blocks to the values of its points.

Compiled once per plan: one unpack for each block, a permutation of bytes before it where byte orders ask
for one, and one pass over all numbers for scale and offset.
"""

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, cast

from hub.modbus.points import Point
from hub.modbus.registers import BIT_TABLES, CODES, FLOATS, Number, natural_order, positions
from hub.modbus.requests import READ_TABLES, Request

Values = tuple[Number | None, ...]
Unpack = Callable[[bytes], Sequence[Number]]


class BlockDecoder:
    """Turns what the requests of a plan brought into the values of one device's points, in their order.

    requests: indices of those it needs, of the plan it was made for.
    """

    def __init__(self, points: Sequence[Point], plan: Sequence[Request]) -> None:
        homes = [_home(point, plan) for point in points]
        self.requests = tuple(sorted({home for home in homes if home is not None}))
        order: list[int] = []
        self._parts: list[tuple[int, Unpack, int]] = []
        for index in self.requests:
            mine = [number for number, home in enumerate(homes) if home == index]
            mine.sort(key=lambda number: points[number].address)
            order += mine
            self._parts.append(
                (index, _unpacker([points[number] for number in mine], plan[index]), len(mine))
            )
        self._finish = _finisher([points[number] for number in order])
        order += [number for number, home in enumerate(homes) if home is None]
        self._lost = (None,) * homes.count(None)
        self._arrange = _arranger(order)

    def decode(self, replies: Sequence[bytes | None]) -> Values:
        """Return the values. replies: the data of each request of the plan; None: it brought nothing."""
        raw: list[Number | None] = []
        for index, unpack, count in self._parts:
            data = replies[index]
            raw += unpack(data) if data is not None else (None,) * count
        return self._arrange((*self._finish(raw), *self._lost))


def _home(point: Point, plan: Sequence[Request]) -> int | None:
    """Return which request brings a point; None when it was taken out."""
    start, end = point.span
    for index, request in enumerate(plan):
        is_table = READ_TABLES.get(request.function) == point.table
        if is_table and request.address <= start and end <= request.address + request.count:
            return index
    return None


def _arranger(order: Sequence[int]) -> Callable[[Values], Values]:
    if list(order) == sorted(order):
        return lambda values: values
    back = sorted(range(len(order)), key=order.__getitem__)
    return cast(Callable[[Values], Values], itemgetter(*back))


def _unpacker(points: Sequence[Point], request: Request) -> Unpack:
    if READ_TABLES[request.function] in BIT_TABLES:
        return _bit_unpacker([point.address - request.address for point in points])
    places = [_places(point, request.address) for point in points]
    form = ">" + "".join(CODES[point.type] for point in points)
    straight = _straight_form(points, request)
    unpack = struct.Struct(straight or form).unpack
    parts = [(number, *_part(point)) for number, point in enumerate(points) if _part(point) != (0, 0)]
    moved = [place for group in places for place in group]
    if straight:
        plain: Unpack = unpack
    else:
        pick = itemgetter(*moved)  # two bytes at least, so it returns a tuple
        plain = lambda data: unpack(bytes(pick(data)))  # noqa: E731
    return _with_parts(plain, parts) if parts else plain


def _places(point: Point, base: int) -> list[int]:
    start = 2 * (point.address - base)
    return [start + place for place in positions(point.order or natural_order(point.type))]


def _straight_form(points: Sequence[Point], request: Request) -> str:
    """Return a format for the whole block with padding over what nobody wants; "" when bytes must move."""
    form, at = ">", request.address
    for point in points:
        if point.address < at or (point.order and point.order != natural_order(point.type)):
            return ""
        form += f"{2 * (point.address - at)}x" + CODES[point.type]
        at = point.end
    return form + f"{2 * (request.address + request.count - at)}x"


def _part(point: Point) -> tuple[int, int]:
    """Return (shift, mask) of a point that is a part of its register; (0, 0) of any other."""
    if point.bit is not None:
        return point.bit, 1
    if point.mask is not None:
        shift = (point.mask & -point.mask).bit_length() - 1
        return shift, point.mask >> shift
    return (0, 0)


def _with_parts(plain: Unpack, parts: Sequence[tuple[int, int, int]]) -> Unpack:
    def unpack(data: bytes) -> Sequence[Number]:
        values = cast(list[int], list(plain(data)))
        for number, shift, mask in parts:
            values[number] = values[number] >> shift & mask
        return values

    return unpack


def _bit_unpacker(offsets: Sequence[int]) -> Unpack:
    def unpack(data: bytes) -> Sequence[Number]:
        bits = int.from_bytes(data, "little")
        return [bits >> offset & 1 for offset in offsets]

    return unpack


def _finisher(points: Sequence[Point]) -> Callable[[list[Number | None]], Sequence[Number | None]]:
    """Return what turns raw numbers into values: NaN and infinity become None, whole numbers stay whole."""
    lines = [(_whole(point.scale), _whole(point.offset)) for point in points]
    has_lines = any(line != (1, 0) for line in lines)
    has_floats = any(point.type in FLOATS for point in points)
    booleans = [number for number, point in enumerate(points) if point.type == "bool" and point.bit is None]

    def finish(raw: list[Any]) -> Sequence[Number | None]:
        for number in booleans:
            raw[number] = raw[number] if raw[number] is None else int(raw[number] != 0)
        if not has_lines and not has_floats:
            return raw
        if None in raw:
            return [_one(value, *line) for value, line in zip(raw, lines, strict=True)]
        if has_lines:
            raw = [value * scale + offset for value, (scale, offset) in zip(raw, lines, strict=True)]
        # Only NaN and the infinities differ from themselves by something else than 0.
        return [value if value - value == 0 else None for value in raw]

    return finish


def _one(value: Any, scale: Number, offset: Number) -> Number | None:
    if value is None or value - value != 0:
        return None
    return cast(Number, value * scale + offset)


def _whole(number: float) -> Number:
    return int(number) if number in {0.0, 1.0} else number
