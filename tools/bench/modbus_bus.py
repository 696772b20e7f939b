"""A simulated bus in a process of its own, and the least a bus service needs around it."""

import asyncio
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from statistics import median
from types import TracebackType
from typing import NamedTuple, Self

from hub.ports import Sample, Stamp
from shared_schema.enums import TimeQuality
from tools.sim.bus import SimulatedBus
from tools.sim.slave import SimulatedSlave

Holes = Mapping[int, Sequence[tuple[str, int, int]]]

WARM_UP = 20  # samples before anything is measured

_START_S = 20.0


class Account(NamedTuple):
    """lateness_s: by which the simulation hands a reply out after its last bit, in the median.

    too_soon: requests that came before the silence between frames was over.
    """

    lateness_s: float
    too_soon: int


class BusProcess:
    """Slaves with units 1..units on a paced bus. holes: what they refuse, by unit."""

    def __init__(self, baud: int, units: int, holes: Holes | None = None, turnaround_s: float = 0.0) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(there, baud, units, dict(holes or {}), turnaround_s), daemon=True
        )
        self.port = ""

    def __enter__(self) -> Self:
        self._process.start()
        if not self._here.poll(_START_S):
            raise RuntimeError("the simulated bus did not start")
        self.port = self._here.recv()
        return self

    def account(self) -> Account:
        """Return what the bus says of the time since it was asked last."""
        self._here.send("account")
        return Account(*self._here.recv())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._here.send("end")
        self._process.join(_START_S)


def _serve(parent: Connection, baud: int, units: int, holes: Holes, turnaround_s: float) -> None:
    contents = {address: address for address in range(400)}
    slaves = [
        SimulatedSlave(
            f"s{unit}", unit, holding=contents, holes=holes.get(unit, ()), turnaround_s=turnaround_s
        )
        for unit in range(1, units + 1)
    ]
    with SimulatedBus(slaves, baud) as bus:
        parent.send(bus.port)
        too_soon = 0
        while parent.recv() != "end":
            lateness_s = median(bus.counters.lateness_s or [0.0])
            parent.send((lateness_s, bus.counters.too_soon - too_soon))
            too_soon = bus.counters.too_soon
            bus.counters.lateness_s.clear()


class CountingSink:
    """Counts samples. moments_s: when each was taken. is_warm: set once there were some."""

    def __init__(self) -> None:
        self.count = 0
        self.moments_s: list[float] = []
        self.is_warm = asyncio.Event()

    async def put(self, sample: Sample) -> None:
        """Count one."""
        self.moments_s.append(sample.taken_at_s)
        self.count += 1
        if self.count == WARM_UP:
            self.is_warm.set()


class MonotonicClock:
    """The machine's monotonic clock."""

    def monotonic_s(self) -> float:
        """Return it."""
        return time.monotonic()

    def stamp(self, monotonic_s: float) -> Stamp:
        """Return a moment on it."""
        return Stamp(round(1000 * monotonic_s), TimeQuality.SYNCED)


class NoEvents:
    """Takes events and forgets them."""

    def raise_event(self, level: str, code: str, message: str, *, device_key: str | None = None) -> None:
        """Forget it."""

    def clear_event(self, code: str, *, device_key: str | None = None) -> None:
        """Forget it."""
