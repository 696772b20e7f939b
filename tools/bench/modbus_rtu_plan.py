"""modbus-rtu-plan: one round over 90 points with holes between them, on five slaves at 19200 baud.

Slaves take 20 ms before they answer, as field devices do (20 to 50 ms are typical). Measured on a
simulated bus at the pace of the wire: the hub's bus service; the best of all partitions, found by trying
every one; and one request per point.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence

import uvloop

from hub.modbus.holes import Findings, HoleMemory
from hub.modbus.line_io import line_for
from hub.modbus.plan import Span, block_cost_s, spans_of
from hub.modbus.points import Point
from hub.modbus.polls import polls_of
from hub.modbus.requests import Request, WireCost, read
from hub.modbus.service import ModbusBusService
from hub.modbus.settings import BusSettings, Transmitter
from tools.bench.harness import Outcome, Row, at_most, median_of
from tools.bench.modbus_bus import BusProcess, CountingSink, MonotonicClock, NoEvents

BAUD = 19_200
THINK_S = 0.02
ROUNDS = 5
MEASURE_S = 3.0
INTERVAL_S = 0.02  # less than a round takes, so there is always somebody due

# Eighteen points each, as register maps are: runs of values, gaps of a few registers and of many.
ADDRESSES = {
    1: (0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20),
    2: (0, 1, 2, 3, 4, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22),
    3: (100, 101, 103, 104, 106, 107, 109, 110, 112, 113, 115, 116, 118, 119, 120, 122, 123, 124),
    4: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 60),
    5: (20, 21, 22, 23, 26, 27, 28, 29, 32, 33, 34, 35, 38, 39, 40, 42, 43, 44),
}
HOLES = {2: (("holding", 6, 2),)}


def run(scale: float = 1.0) -> Outcome:
    """Measure the three and compare."""
    seconds = max(0.6, MEASURE_S * scale)
    settings = BusSettings("bench", port="", baud=BAUD, parity="none", think_s=THINK_S)
    ours = [
        request
        for poll in polls_of("bench", _transmitters(), settings.cost, _memory())
        for request in poll.requests
    ]
    best = [request for unit in ADDRESSES for request in _best(unit, settings.cost)]
    singles = [
        read(unit, "holding", address, 1) for unit, addresses in ADDRESSES.items() for address in addresses
    ]
    with BusProcess(BAUD, units=len(ADDRESSES), holes=HOLES, turnaround_s=THINK_S) as bus:
        ours_s = median_of(ROUNDS, lambda: uvloop.run(_service_round_s(bus.port, seconds)))
        best_s = median_of(ROUNDS, lambda: uvloop.run(_round_s(bus.port, best, seconds)))
        singles_s = median_of(3, lambda: uvloop.run(_round_s(bus.port, singles, seconds)))
    predicted = _cost_s(ours, settings.cost) / _cost_s(best, settings.cost)
    return Outcome(
        "modbus-rtu-plan",
        [
            at_most("predicted round against the best partition", predicted, "x", 1.05),
            at_most("measured round against the best partition", ours_s / best_s, "x", 1.05),
            at_most("measured round against one request per point", ours_s / singles_s, "x", 0.125),
            Row("round, measured", 1000 * ours_s, "ms"),
            Row("requests", len(ours), f"for {len(singles)} points"),
        ],
    )


def _points(unit: int) -> tuple[Point, ...]:
    return tuple(Point(f"m{address}", address=address) for address in ADDRESSES[unit])


def _transmitters() -> list[Transmitter]:
    return [Transmitter(f"d{unit}", unit, INTERVAL_S, _points(unit)) for unit in ADDRESSES]


def _memory() -> HoleMemory:
    """Return what the hub knows after the first minutes."""
    memory = HoleMemory()
    for unit, holes in HOLES.items():
        memory.learn(
            f"bench/{unit}", "holding", Findings(holes=[(first, first + count) for _, first, count in holes])
        )
    return memory


def _cost_s(requests: Sequence[Request], cost: WireCost) -> float:
    return sum(cost.read_s(request.reply_bytes) for request in requests)


def _best(unit: int, cost: WireCost) -> list[Request]:
    """Return the cheapest of all partitions, by trying every one."""
    pits = [range(first, first + count) for _, first, count in HOLES.get(unit, ())]
    ways = (
        way
        for way in _partitions(spans_of(_points(unit)))
        if not any(pit.start < block.end and block.start < pit.stop for block in way for pit in pits)
    )
    best = min(ways, key=lambda way: sum(block_cost_s("holding", block.width, cost) for block in way))
    return [read(unit, "holding", block.start, block.width) for block in best]


def _partitions(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield every way to read spans in runs of neighbours."""
    for cuts in range(2 ** (len(spans) - 1)):
        way = [spans[0]]
        for number, span in enumerate(spans[1:]):
            if cuts >> number & 1:
                way.append(span)
            else:
                way[-1] = Span(way[-1].start, span.end)
        yield way


async def _service_round_s(port: str, seconds: float) -> float:
    """Return how long the bus service takes for one round over all slaves."""
    settings = BusSettings("bench", port=port, baud=BAUD, parity="none", think_s=THINK_S)
    sink = CountingSink()
    service = ModbusBusService(
        settings,
        _transmitters(),
        sink=sink,
        clock=MonotonicClock(),
        events=NoEvents(),
        line=line_for(settings),
        memory=_memory(),
    )
    task = asyncio.create_task(service.run())
    try:
        await sink.is_warm.wait()
        before, begun_s = sink.count, time.monotonic()
        await asyncio.sleep(seconds)
        return (time.monotonic() - begun_s) / (sink.count - before) * len(ADDRESSES)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _round_s(port: str, requests: Sequence[Request], seconds: float) -> float:
    """Return how long it takes to send requests one after the other."""
    line = line_for(BusSettings("bench", port=port, baud=BAUD, parity="none"))
    await line.open()
    try:
        rounds, begun_s = 0, time.monotonic()
        while time.monotonic() - begun_s < seconds or not rounds:
            for request in requests:
                await line.send(request, 1.0)
                reply = await line.reply()
                if reply.fault:
                    raise RuntimeError(f"{request}: {reply.fault}")
            rounds += 1
        return (time.monotonic() - begun_s) / rounds
    finally:
        await line.close()
