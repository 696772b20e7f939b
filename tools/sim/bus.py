"""A simulated RS485 bus: real RTU frames on a pseudo-terminal or a TCP port, at the pace of the wire.

Owns the ports and the waiting; what happens on the line is decided in wire.py.
"""

import contextlib
import os
import queue
import select
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.errors import OperatorNeeded, PenstockError
from tools.sim.line import Line, Parity
from tools.sim.ports import Port, Ports
from tools.sim.precise_wait import SPIN_S, sharpen_timers, spin_until
from tools.sim.slave import SimulatedSlave
from tools.sim.water import Site
from tools.sim.wire import Wire

_IDLE_S = 0.5  # the water moves on at least this often, so that a late request does not wait for it
_SILENCE_S = 0.005  # the pieces of one write may be parted by the scheduler, on a wire they are not
_SPEED_UP_STEP_S = 0.1
_LONGEST_STEP_S = 10.0
_JOB_S = 10.0  # far longer than one turn of the bus takes


class SimulatedBus:
    """Slaves on one line, answering from a thread of its own while the context lasts.

    link: where the port's lasting name is; a temporary folder when None.
    tcp_port: also listen there for RTU over TCP, 0 for any. speed_up: simulated seconds per second.
    is_strict: a request that comes too soon is not understood.
    """

    def __init__(
        self,
        slaves: Sequence[SimulatedSlave],
        baud: int = 19_200,
        parity: Parity = "none",
        stop_bits: int = 1,
        *,
        is_paced: bool = True,
        is_strict: bool = False,
        link: Path | None = None,
        tcp_port: int | None = None,
        speed_up: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.line = Line(baud, parity, stop_bits)
        self.wire = Wire(slaves, self.line, is_paced=is_paced, is_strict=is_strict, seed=seed)
        self.counters = self.wire.counters
        step_s = min(max(_SPEED_UP_STEP_S * speed_up, _SPEED_UP_STEP_S), _LONGEST_STEP_S)
        self.site = Site(seed=seed, step_s=step_s)
        self._speed_up = speed_up
        self._ports = Ports(baud, link, tcp_port)
        self._silence_s = max(self.line.gap_s, _SILENCE_S)
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = queue.SimpleQueue()
        self._nudge_in, self._nudge_out = -1, -1
        self._thread = threading.Thread(target=self._run, name="simulated-bus", daemon=True)
        self._is_stopping = False
        self._started_s = 0.0

    def __enter__(self) -> Self:
        self._nudge_out, self._nudge_in = os.pipe()
        os.set_blocking(self._nudge_out, False)
        self._started_s = time.monotonic()
        try:
            self.plug()
        except OperatorNeeded:
            self._release()
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering and take the port away."""
        self._is_stopping = True
        self._nudge()
        self._thread.join()
        self._release()

    def _release(self) -> None:
        self._ports.close()
        for descriptor in (self._nudge_in, self._nudge_out):
            os.close(descriptor)

    @property
    def port(self) -> str:
        """Return the lasting name of the port, which outlives pulling and plugging."""
        return str(self._ports.cable.link)

    @property
    def device(self) -> str:
        """Return the name the port has now."""
        return self._ports.cable.name

    @property
    def tcp_port(self) -> int | None:
        """Return the port of RTU over TCP on 127.0.0.1, if there is one."""
        return self._ports.tcp_port

    @property
    def elapsed_s(self) -> float:
        """Return how long the bus has been there."""
        return time.monotonic() - self._started_s

    def slaves_at(self, address: int | None) -> list[SimulatedSlave]:
        """Return the slaves of an address, or all. Raises: OperatorNeeded."""
        found = [slave for slave in self.wire.slaves if address in (None, slave.address)]
        if not found:
            there = sorted({slave.address for slave in self.wire.slaves})
            raise OperatorNeeded(f"no slave at {address}", where="simulated bus", hint=f"there are {there}")
        return found

    def fault(self, name: str, address: int | None = None, value: float = 1.0) -> None:
        """Set or clear (value 0) a fault of one slave or of all. Raises: OperatorNeeded.

        name: a field of Faults, shift, fill (no holes any more) or reset (counters start at 0 again, once).
        """
        self._do(lambda: self._fault(name, self.slaves_at(address), value))

    def dig(self, address: int | None, table: str, first: int, count: int) -> None:
        """Make a hole in a table of a slave. Raises: OperatorNeeded."""
        for slave in self.slaves_at(address):
            self._do(partial(slave.registers.dig, table, first, count))

    def pull(self) -> None:
        """Pull the cable: the port goes, with its name and every connection."""
        self._do(self._pull)

    def plug(self) -> None:
        """Plug the cable in: a port with another name, found under the same link. Raises: OperatorNeeded."""
        self._do(self._ports.plug)

    def _do(self, job: Callable[[], None]) -> None:
        # On the bus's own thread, so that no descriptor is closed while that thread waits for it.
        if not self._thread.is_alive():
            job()
            return
        done: Future[None] = Future()
        self._jobs.put((job, done))
        self._nudge()
        done.result(_JOB_S)

    def _do_jobs(self) -> None:
        while not self._jobs.empty():
            job, done = self._jobs.get()
            try:
                job()
                done.set_result(None)
            except PenstockError as error:
                done.set_exception(error)

    def _fault(self, name: str, slaves: Sequence[SimulatedSlave], value: float) -> None:
        for slave in slaves:
            if name == "reset":
                slave.reset_counters(self.site)
            elif name == "fill":
                slave.registers.fill()
            elif name == "shift":
                slave.registers.shifts = bool(value)
            else:
                slave.faults.set(name, value)

    def _pull(self) -> None:
        self.wire.forget()
        self._ports.pull()

    def _run(self) -> None:
        sharpen_timers()
        while not self._is_stopping:
            next_s = self.wire.next_s()
            readable = self._wait(next_s)
            self._speak(time.monotonic())
            self.site.advance(self.elapsed_s * self._speed_up)
            self._hear(readable, time.monotonic())
            self._do_jobs()

    def _wait(self, next_s: float | None) -> list[int]:
        now_s = time.monotonic()
        if next_s is not None and next_s - now_s <= SPIN_S:
            spin_until(next_s)
            return []
        silences_s = (port.heard_s + self._silence_s for port in self._ports.unfinished())
        until_s = min(silences_s, default=now_s + _IDLE_S)
        until_s = min(until_s, now_s + _IDLE_S if next_s is None else next_s - SPIN_S)
        watched = [self._nudge_out, *self._ports.watched()]
        return select.select(watched, (), (), max(0.0, until_s - now_s))[0]

    def _speak(self, now_s: float) -> None:
        for reply in self.wire.due(now_s):
            self._ports.write(reply.origin, reply.frame)
            self.counters.lateness_s.append(time.monotonic() - reply.end_s)

    def _hear(self, readable: Sequence[int], now_s: float) -> None:
        for descriptor in readable:
            if descriptor == self._nudge_out:
                self._drain()
            elif port := self._ports.find(descriptor):
                self._read(port, now_s)
        for port in self._ports.unfinished():
            if now_s - port.heard_s >= self._silence_s:
                self._take(port, port.ear.silence(), now_s)

    def _read(self, port: Port, now_s: float) -> None:
        if data := self._ports.read(port):
            port.heard_s = now_s
            self._take(port, port.ear.hear(data), now_s)

    def _take(self, port: Port, requests: Sequence[bytes], now_s: float) -> None:
        is_understood = self._ports.understands(port)
        for request in requests:
            if is_understood:
                self.wire.take(request, port.descriptor, now_s, self.site)
            else:
                self.counters.malformed += 1
        self.counters.malformed += port.ear.malformed
        port.ear.malformed = 0

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._nudge_out, 4096)

    def _nudge(self) -> None:
        os.write(self._nudge_in, b"!")
