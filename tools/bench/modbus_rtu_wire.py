"""modbus-rtu-wire: how much of what the wire can carry is used, reading 20 registers at 115200 baud.

The bus is simulated in a process of its own, at the pace of the wire: 1.0 is a master that needs no time
of its own. What the simulation hands out late, by its own clock, is taken off its account, not the
master's. Beside it, pymodbus' own client on the same bus, in turns; it does not wait for the silence
between frames, which the simulated bus forgives and counts.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from itertools import pairwise
from statistics import median

import uvloop
from pymodbus.client import AsyncModbusSerialClient

from hub.modbus.line_io import line_for
from hub.modbus.points import Point
from hub.modbus.service import ModbusBusService
from hub.modbus.settings import BusSettings, Transmitter
from tools.bench.harness import Outcome, Row, at_least, paired
from tools.bench.modbus_bus import WARM_UP, BusProcess, CountingSink, MonotonicClock, NoEvents
from tools.sim.line import Line

BAUD = 115_200
REGISTERS = 20
ROUNDS = 5
READ_S = 2.0

Measure = Callable[[str, float], Coroutine[None, None, list[float]]]

_SHORTEST_INTERVAL_S = 0.005  # less than one read takes, so the next is always due


def run(scale: float = 1.0) -> Outcome:
    """Measure both and compare with the wire's own time."""
    seconds = max(0.3, READ_S * scale)
    wire_s = Line(BAUD).transaction_s(8, 5 + 2 * REGISTERS)
    with BusProcess(BAUD, units=1) as bus:
        mine, other = _Runs(bus, wire_s, _ours), _Runs(bus, wire_s, _pymodbus)
        ours, reference, _ = paired(ROUNDS, lambda: mine.share(seconds), lambda: other.share(seconds))
    goal = at_least("share of the wire's limit", ours, "", 0.97)
    return Outcome(
        "modbus-rtu-wire",
        [
            goal if scale >= 1 else Row(goal.label, goal.value, goal.unit, goal.goal),
            Row("the same of the median read, other programs left out", median(mine.medians), ""),
            Row("requests sent before the silence was over", mine.too_soon, ""),
            Row("share of the wire's limit, pymodbus client", reference, ""),
            Row("requests sent before the silence was over, pymodbus client", other.too_soon, ""),
            Row("the wire's limit", 1 / wire_s, "reads/s"),
        ],
    )


class _Runs:
    """Runs of one master. medians: shares of the wire's limit in the median read of each run."""

    def __init__(self, bus: BusProcess, wire_s: float, measure: Measure) -> None:
        self.medians: list[float] = []
        self.too_soon = 0
        self._bus = bus
        self._wire_s = wire_s
        self._measure = measure

    def share(self, seconds: float) -> float:
        """Run once and return the share of the wire's limit."""
        self._bus.account()
        moments = uvloop.run(self._measure(self._bus.port, seconds))
        lateness_s, too_soon = self._bus.account()
        self.too_soon += too_soon
        least_s = self._wire_s + lateness_s
        self.medians.append(least_s / median(b - a for a, b in pairwise(moments)))
        return least_s * (len(moments) - 1) / (moments[-1] - moments[0])


async def _ours(port: str, seconds: float) -> list[float]:
    """Return the moments of the readings of the hub's bus service."""
    points = tuple(Point(f"m{n}", address=n, type="u16") for n in range(REGISTERS))
    settings = BusSettings("bench", port=port, baud=BAUD, parity="none")
    sink = CountingSink()
    service = ModbusBusService(
        settings,
        [Transmitter("d", 1, _SHORTEST_INTERVAL_S, points)],
        sink=sink,
        clock=MonotonicClock(),
        events=NoEvents(),
        line=line_for(settings),
    )
    task = asyncio.create_task(service.run())
    try:
        await sink.is_warm.wait()
        await asyncio.sleep(seconds)
        return sink.moments_s[WARM_UP:]
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _pymodbus(port: str, seconds: float) -> list[float]:
    """Return the moments of the replies of pymodbus' client, registers decoded as it does."""
    client = AsyncModbusSerialClient(port, baudrate=BAUD, bytesize=8, parity="N", stopbits=1)
    if not await client.connect():
        raise RuntimeError(f"pymodbus cannot open {port}")
    moments: list[float] = []
    try:
        while len(moments) <= WARM_UP or moments[-1] - moments[WARM_UP] < seconds:
            await client.read_holding_registers(0, count=REGISTERS, device_id=1)
            moments.append(time.monotonic())
        return moments[WARM_UP:]
    finally:
        client.close()
