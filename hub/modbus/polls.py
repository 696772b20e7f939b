"""Polls: everything that is read together from one slave at one interval."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from hub.modbus.blocks import BlockDecoder, Values
from hub.modbus.holes import HoleMemory
from hub.modbus.plan import Avoid, limit_of, plan, smaller
from hub.modbus.points import Point
from hub.modbus.profiles import Limits
from hub.modbus.requests import READ_TABLES, Request, WireCost
from hub.modbus.settings import Transmitter


class Reading(NamedTuple):
    """The values of one transmitter. request: the index of the first request it took part in."""

    device_key: str
    request: int
    values: Values


@dataclass(slots=True)
class Poll:
    """The plan for one slave and one interval. paused: requests left out while it is found why they fail.

    key, slave_key: under which the slave's model and the slave itself are remembered.
    refused: points taken out because the slave does not have them.
    """

    unit: int
    interval_s: float
    transmitters: tuple[Transmitter, ...]
    requests: tuple[Request, ...]
    costs_s: tuple[float, ...]
    limits: Limits
    key: str
    slave_key: str
    refused: frozenset[Point] = frozenset()
    paused: set[int] = field(default_factory=set)
    checked_s: float | None = None
    decoders: tuple[BlockDecoder, ...] = ()

    @property
    def cost_s(self) -> float:
        """The wire time of one cycle."""
        return sum(self.costs_s)

    @property
    def points(self) -> list[Point]:
        """The points it reads."""
        mine = [point for transmitter in self.transmitters for point in transmitter.points]
        return [point for point in mine if point not in self.refused]

    def readings(self, replies: Sequence[bytes | None]) -> list[Reading]:
        """Return the values of every transmitter that got any."""
        found = []
        for transmitter, decoder in zip(self.transmitters, self.decoders, strict=True):
            brought = [index for index in decoder.requests if replies[index] is not None]
            if brought:
                found.append(Reading(transmitter.device_key, brought[0], decoder.decode(replies)))
        return found


def polls_of(bus: str, transmitters: Iterable[Transmitter], cost: WireCost, memory: HoleMemory) -> list[Poll]:
    """Return the polls of a bus: transmitters with the same slave and interval share one."""
    groups: dict[tuple[int, float], list[Transmitter]] = {}
    for transmitter in transmitters:
        groups.setdefault((transmitter.address, transmitter.interval_s), []).append(transmitter)
    return [
        poll_of(bus, group, cost, memory) for _, group in sorted(groups.items(), key=lambda item: item[0])
    ]


def poll_of(
    bus: str,
    transmitters: Sequence[Transmitter],
    cost: WireCost,
    memory: HoleMemory,
    refused: Collection[Point] = (),
) -> Poll:
    """Return the poll of transmitters that share slave and interval.

    Values longer than what the slave sends at once are refused from the start.
    """
    unit = transmitters[0].address
    slave_key = f"{bus}/{unit}"
    models = {transmitter.model for transmitter in transmitters}
    key = models.pop() if len(models) == 1 and "" not in models else slave_key
    limits = _strictest([transmitter.limits for transmitter in transmitters])
    poll = Poll(
        unit,
        transmitters[0].interval_s,
        tuple(transmitters),
        (),
        (),
        limits,
        key,
        slave_key,
        frozenset(refused),
    )
    poll.refused |= {point for point in poll.points if _width(point) > limit_of(point.table, limits)}
    avoid = _together(memory.avoid(key), memory.avoid(slave_key))
    poll.requests = plan(unit, poll.points, cost, limits, avoid)
    poll.costs_s = tuple(cost.read_s(request.reply_bytes, limits.turnaround_s) for request in poll.requests)
    poll.decoders = tuple(
        _decoder(tuple(_without(transmitter.points, poll.refused)), tuple(poll.requests))
        for transmitter in transmitters
    )
    return poll


@lru_cache(maxsize=256)
def _decoder(points: tuple[Point, ...], requests: tuple[Request, ...]) -> BlockDecoder:
    """Return a decoder; transmitters of one model share it, for it remembers nothing."""
    return BlockDecoder(points, requests)


def points_in(poll: Poll, request: Request) -> list[Point]:
    """Return the points that a request of the poll brings."""
    end = request.address + request.count
    return [
        point
        for point in poll.points
        if point.table == READ_TABLES[request.function]
        and request.address <= point.span[0]
        and point.span[1] <= end
    ]


def _width(point: Point) -> int:
    return point.span[1] - point.span[0]


def _without(points: Sequence[Point], refused: Collection[Point]) -> list[Point]:
    """Return points with those refused moved where no request reads, so that they stay None in place."""
    return list(points) if not refused else [point if point not in refused else _NOWHERE for point in points]


_NOWHERE = Point("", "none")


def _strictest(limits: Sequence[Limits]) -> Limits:
    return Limits(
        min(limit.max_registers for limit in limits),
        min(limit.max_bits for limit in limits),
        max(limit.turnaround_s for limit in limits),
    )


def _together(model: Avoid, slave: Avoid) -> Avoid:
    return Avoid(
        model.holes | slave.holes,
        smaller(model.max_registers, slave.max_registers),
        smaller(model.max_bits, slave.max_bits),
        model.bridges and slave.bridges,
    )
