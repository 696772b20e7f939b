"""modbus-rtu-wire: how much of what the wire can carry is used, reading 20 registers at 115200 baud.

The bus is simulated in a process of its own, at the pace of the wire: 1.0 is a master that needs no time
of its own. What the simulation hands out late, by its own clock, is taken off its account, not the
master's. Beside it, pymodbus' own client on the same bus, in turns; it does not wait for the silence
between frames, which the simulated bus forgives and counts.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine

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

_SHORTEST_INTERVAL_S = 0.005  # less than one read takes, so the next is always due


def run(scale: float = 1.0) -> Outcome:
    """Measure both and compare with the wire's own time."""
    seconds = max(0.3, READ_S * scale)
    wire_s = Line(BAUD).transaction_s(8, 5 + 2 * REGISTERS)
    hasty = {"ours": 0, "reference": 0}
    with BusProcess(BAUD, units=1) as bus:

        def share(name: str, measure: Callable[[str, float], Coroutine[None, None, float]]) -> float:
            bus.account()
            reads_per_s = uvloop.run(measure(bus.port, seconds))
            lateness_s, too_soon = bus.account()
            hasty[name] += too_soon
            return reads_per_s * (wire_s + lateness_s)

        ours, reference, _ = paired(
            ROUNDS, lambda: share("ours", _ours), lambda: share("reference", _pymodbus)
        )
    goal = at_least("share of the wire's limit", ours, "", 0.97)
    return Outcome(
        "modbus-rtu-wire",
        [
            goal if scale >= 1 else Row(goal.label, goal.value, goal.unit, goal.goal),
            Row("requests sent before the silence was over", hasty["ours"], ""),
            Row("share of the wire's limit, pymodbus client", reference, ""),
            Row("requests sent before the silence was over, pymodbus client", hasty["reference"], ""),
            Row("the wire's limit", 1 / wire_s, "reads/s"),
        ],
    )


async def _ours(port: str, seconds: float) -> float:
    """Return reads per second of the hub's bus service, decoding included."""
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
        before, begun_s = sink.count, time.monotonic()
        await asyncio.sleep(seconds)
        return (sink.count - before) / (time.monotonic() - begun_s)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _pymodbus(port: str, seconds: float) -> float:
    """Return reads per second of pymodbus' client, registers decoded as it does."""
    client = AsyncModbusSerialClient(port, baudrate=BAUD, bytesize=8, parity="N", stopbits=1)
    if not await client.connect():
        raise RuntimeError(f"pymodbus cannot open {port}")
    try:
        for _ in range(WARM_UP):
            await client.read_holding_registers(0, count=REGISTERS, device_id=1)
        reads, begun_s = 0, time.monotonic()
        while time.monotonic() - begun_s < seconds:
            await client.read_holding_registers(0, count=REGISTERS, device_id=1)
            reads += 1
        return reads / (time.monotonic() - begun_s)
    finally:
        client.close()
