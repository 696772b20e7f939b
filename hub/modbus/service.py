"""The service of one bus: opens the line, asks the arbiter, sends, decodes while the wire is busy.

It owns the order of things in time; what to send next is the arbiter's, bytes are the line's.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Sequence
from zlib import crc32

from hub.errors import OperatorNeeded, TryAgain
from hub.modbus.arbiter import COMMAND, Arbiter, Cycle, Slave, Turn
from hub.modbus.chores import Chore, find_hole, find_shift, wants_check
from hub.modbus.holes import Findings, HoleMemory
from hub.modbus.line import DOWN, REFUSED, Line, Reply, demand
from hub.modbus.points import Point
from hub.modbus.polls import Poll, points_in, poll_of, polls_of
from hub.modbus.registers import BIT_TABLES, words
from hub.modbus.requests import READ_TABLES, Request, read, write
from hub.modbus.settings import BreakerSettings, BusSettings, Transmitter
from hub.modbus.tally import BusState, Histogram, SlaveState, Usage
from hub.ports import Clock, EventSink, Sample, SampleSink

log = logging.getLogger("penstock.modbus")

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = {"serial": 2.0}  # looking for a port costs nothing
_LONGEST_NETWORK_PAUSE_S = 30.0
_SPREAD_S = 1.0  # over which network buses begin to connect


class ModbusBusService:
    """One bus and the transmitters on it.

    A sample's moment is when the last byte of the reply was seen, less the reply's wire time
    ((frame bytes + data bytes) x time of a character): when the slave began to answer, which is closer to
    when it measured than any later moment the master knows. A device that needs several requests has the
    moment of the first.
    remember: called when the memory of holes has changed.
    """

    def __init__(
        self,
        settings: BusSettings,
        transmitters: Sequence[Transmitter],
        *,
        sink: SampleSink,
        clock: Clock,
        events: EventSink,
        line: Line,
        memory: HoleMemory | None = None,
        remember: Callable[[], None] = lambda: None,
        breaker: BreakerSettings | None = None,
    ) -> None:
        self.settings = settings
        self._transmitters = {transmitter.device_key: transmitter for transmitter in transmitters}
        self._sink = sink
        self._clock = clock
        self._events = events
        self._line = line
        self._cost = settings.cost
        self._memory = memory or HoleMemory()
        self._remember = remember
        self._origin = crc32(settings.name.encode()) / 2**32
        self._arbiter = Arbiter(
            polls_of(settings.name, transmitters, self._cost, self._memory),
            settings.timeout_s,
            line.now_s(),
            origin=self._origin,
            is_tagged=line.is_tagged,
            breaker=breaker,
        )
        self._ended: list[Cycle] = []
        self._wake: asyncio.Future[None] | None = None
        self._dead: set[int] = set()
        self._is_down = self._has_begun = False
        self._usage = Usage(line.now_s())
        self._cycle_times, self._jitter = Histogram(), Histogram()
        self._samples = self._requests = self._commands = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        if self.settings.transport != "serial":
            await asyncio.sleep(self._origin * _SPREAD_S)
        for poll in self._arbiter.polls:
            for point in poll.refused:
                self._report_refused(poll, point)
        try:
            while True:
                await self._open()
                await self._serve()
                self._go_down("the connection was lost")
                await asyncio.sleep(_FIRST_PAUSE_S * random.uniform(0.5, 1.0))
        finally:
            await self._line.close()

    async def submit(self, request: Request) -> bytes:
        """Carry out a request before any poll and return the data of its reply.

        Raises:
            NeverResend: the slave refuses it.
            TryAgain: no sound reply came, or the bus is down.
        """
        if not self._line.is_open:
            raise TryAgain("the bus is down", where=self.settings.place, hint="see the event bus_down")
        outcome: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        entry = (request, lambda reply: None if outcome.done() else outcome.set_result(reply))
        self._arbiter.commands.append(entry)
        self._rouse()
        try:
            return demand(await outcome, request, self.settings.place)
        finally:
            if entry in self._arbiter.commands:
                self._arbiter.commands.remove(entry)

    async def write(
        self, unit: int, table: str, address: int, values: tuple[int, ...], *, verify: bool = True
    ) -> tuple[int, ...]:
        """Write registers or coils, read them back and return what they hold now.

        Raises:
            NeverResend: the slave refuses it.
            TryAgain: no sound reply came, or the bus is down.
            OperatorNeeded: the slave took the request but holds something else.
        """
        await self.submit(write(unit, table, address, values))
        if not verify:
            return values
        data = await self.submit(read(unit, table, address, len(values)))
        held = _held(table, data, len(values))
        if held != values:
            raise OperatorNeeded(
                f"wrote {values} to {table} {address} of slave {unit}, but it holds {held}",
                where=self.settings.place,
                hint="the device may limit or lock the value; see its manual",
            )
        return held

    @property
    def is_open(self) -> bool:
        """Whether the line is there."""
        return self._line.is_open

    @property
    def requests(self) -> int:
        """How many requests were sent so far; it stands still when the bus hangs."""
        return self._requests

    def state(self) -> BusState:
        """Return how the bus does."""
        arbiter = self._arbiter
        return BusState(
            name=self.settings.name,
            place=self.settings.place,
            is_open=self._line.is_open,
            utilisation=self._usage.share(self._line.now_s()),
            cycle_ms_p50=_ms(self._cycle_times, 0.5),
            cycle_ms_p99=_ms(self._cycle_times, 0.99),
            jitter_ms_p99=_ms(self._jitter, 0.99),
            samples=self._samples,
            missed=arbiter.missed(),
            requests=self._requests,
            commands=self._commands,
            slaves=tuple(self._slave_state(slave) for slave in arbiter.slaves.values()),
        )

    async def _open(self) -> None:
        pause_s = _FIRST_PAUSE_S
        longest_s = _LONGEST_PAUSE_S.get(self.settings.transport, _LONGEST_NETWORK_PAUSE_S)
        while True:
            try:
                await self._line.open()
            except TryAgain as error:
                self._go_down(str(error))
                # Between half and the whole pause: buses behind one switch must not return in step.
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, longest_s)
            else:
                if self._is_down:
                    self._is_down = False
                    self._events.clear_event(self._down_code)
                if self._has_begun:
                    self._arbiter.skip(self._line.now_s())
                else:
                    self._arbiter.start(self._line.now_s())
                    self._has_begun = True
                return

    @property
    def _down_code(self) -> str:
        return f"bus_down:{self.settings.name}"

    def _go_down(self, reason: str) -> None:
        if not self._is_down:
            self._is_down = True
            message = f"bus {self.settings.name} is down: {reason}"
            self._events.raise_event("error", self._down_code, message)
        now_s = self._line.now_s()
        for settle in self._arbiter.reset(now_s):
            settle(Reply(b"", DOWN, 0, now_s, now_s))

    async def _serve(self) -> None:
        line, arbiter = self._line, self._arbiter
        while line.is_open:
            now_s = line.now_s()
            turn = arbiter.next(now_s)
            if turn is None:
                await self._deliver()
                await self._idle(arbiter.wake_s(now_s) - now_s)
                continue
            await line.send(turn.request, turn.timeout_s, turn.not_before_s)
            if self._ended:
                await self._deliver()
            self._settle(turn, await line.reply())
        await self._deliver()

    def _settle(self, turn: Turn, reply: Reply) -> None:
        now_s = self._line.now_s()
        self._requests += 1
        gap_s = 2 * self._cost.gap_s
        self._usage.add(reply.arrived_s - reply.sent_s + gap_s, now_s)
        cycle = self._arbiter.done(turn, reply, now_s)
        if turn.kind == COMMAND:
            self._commands += 1
            turn.subject(reply)
        if cycle is not None:
            self._end(cycle, now_s)
        slave = self._arbiter.slaves.get(turn.request.unit)
        if slave is not None and slave.breaker.is_open != (slave.unit in self._dead):
            self._announce(slave)

    def _end(self, cycle: Cycle, now_s: float) -> None:
        if cycle.started_s is not None:
            self._jitter.add(max(0.0, cycle.started_s - cycle.release_s), now_s)
            self._cycle_times.add(now_s - cycle.release_s, now_s)
        if any(reply is not None for reply in cycle.replies):
            self._ended.append(cycle)
        poll = cycle.poll
        for index in cycle.refused:
            self._look_into(poll, index, now_s)
        if not cycle.failed and not poll.paused and wants_check(poll, now_s):
            steps = find_shift(poll)
            self._arbiter.chores.append(Chore(steps, lambda found: self._checked(poll, found), now_s=now_s))

    async def _deliver(self) -> None:
        """Decode what has ended and hand it on. Runs while the next request is on the wire."""
        ended, self._ended = self._ended, []
        offset_s = self._clock.monotonic_s() - self._line.now_s()
        for cycle in ended:
            for reading in cycle.poll.readings(cycle.replies):
                wire_s = self._cost.reply_s(cycle.poll.requests[reading.request])
                taken_at_s = cycle.moments_s[reading.request] - wire_s + offset_s
                self._samples += 1
                await self._sink.put(Sample(reading.device_key, taken_at_s, reading.values))

    async def _idle(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._wake = loop.create_future()
        timer = loop.call_later(max(0.0, seconds), self._rouse)
        try:
            if not self._arbiter.commands:
                await self._wake
        finally:
            timer.cancel()
            self._wake = None

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _announce(self, slave: Slave) -> None:
        """Say that a slave died or came back, once."""
        where = f"slave {slave.unit} on {self.settings.name}"
        if not slave.breaker.is_open:
            self._dead.discard(slave.unit)
            log.info("%s answers again", where)
            for key in slave.device_keys:
                self._events.clear_event("slave_dead", device_key=key)
            return
        self._dead.add(slave.unit)
        message = f"{where} does not answer; check its power, address and wiring ({_errors(slave)})"
        for key in slave.device_keys:
            self._events.raise_event("error", "slave_dead", message, device_key=key)

    def _look_into(self, poll: Poll, index: int, now_s: float) -> None:
        if index in poll.paused:
            return
        poll.paused.add(index)
        request = poll.requests[index]
        chore = Chore(
            find_hole(poll, request),
            lambda findings: self._learn(poll, request, findings),
            lambda: poll.paused.discard(index),
            now_s=now_s,
        )
        if chore.request is not None:
            self._arbiter.chores.append(chore)

    def _learn(self, poll: Poll, request: Request, findings: Findings) -> None:
        self._memory.learn(poll.key, READ_TABLES[request.function], findings)
        points = points_in(poll, request)
        spans = {(span.start, span.end) for span in findings.refused}
        refused = [point for point in points if point.span in spans]
        for point in refused:
            self._report_refused(poll, point)
        self._replan(poll, poll.refused | set(refused))
        for other in self._arbiter.polls:
            if other.key == poll.key and other is not poll and not other.paused:
                self._replan(other, other.refused)
        self._remember()

    def _checked(self, poll: Poll, is_shifted: bool | None) -> None:
        if not is_shifted:
            return
        self._memory.stop_bridging(poll.slave_key)
        self._replan(poll, poll.refused)
        self._remember()
        message = (
            f"slave {poll.unit} on {self.settings.name} moves later registers up when a read covers ones it "
            f"does not have; from now on it is read in pieces, and its readings so far are doubtful"
        )
        for transmitter in poll.transmitters:
            self._events.raise_event("warning", "silent_shift", message, device_key=transmitter.device_key)

    def _replan(self, poll: Poll, refused: Collection[Point]) -> None:
        fresh = poll_of(self.settings.name, poll.transmitters, self._cost, self._memory, refused)
        fresh.checked_s = poll.checked_s
        self._arbiter.replace(fresh)

    def _report_refused(self, poll: Poll, point: Point) -> None:
        message = (
            f"{point.metric} is not read: slave {poll.unit} refuses {point.table} {point.address}"
            f"..{point.end - 1}; compare the profile with the device's register list"
        )
        for transmitter in poll.transmitters:
            if point in transmitter.points:
                code, key = f"point_refused:{point.metric}", transmitter.device_key
                self._events.raise_event("warning", code, message, device_key=key)

    def _slave_state(self, slave: Slave) -> SlaveState:
        polls = [poll for poll in self._arbiter.polls if poll.unit == slave.unit]
        return SlaveState(
            unit=slave.unit,
            device_keys=slave.device_keys,
            breaker=slave.breaker.state,
            replies=slave.replies,
            missed=self._arbiter.missed(slave.unit),
            errors=dict(slave.errors),
            rtt_ms_p50=_ms(slave.rtt, 0.5),
            rtt_ms_p99=_ms(slave.rtt, 0.99),
            refused_points=tuple(sorted(point.metric for poll in polls for point in poll.refused)),
        )


def _held(table: str, data: bytes, count: int) -> tuple[int, ...]:
    if table not in BIT_TABLES:
        return words(data)
    bits = int.from_bytes(data, "little")
    return tuple(bits >> index & 1 for index in range(count))


def _ms(histogram: Histogram, share: float) -> float | None:
    seconds = histogram.percentile_s(share)
    return None if seconds is None else 1000 * seconds


def _errors(slave: Slave) -> str:
    return ", ".join(f"{count} x {fault}" for fault, count in slave.errors.items() if fault != REFUSED)
