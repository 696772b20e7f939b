"""An arbiter and its slaves in simulated time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.modbus.arbiter import Arbiter, Cycle
from hub.modbus.holes import HoleMemory
from hub.modbus.line import TIMEOUT, Reply
from hub.modbus.points import Point
from hub.modbus.polls import polls_of
from hub.modbus.requests import Request, serial_cost
from hub.modbus.settings import BreakerSettings, Transmitter


@dataclass
class VirtualBus:
    """Slaves that answer with zeros. dead: units that do not. sent: when, what and for what."""

    transmitters: Sequence[Transmitter]
    baud: int = 19_200
    timeout_s: float = 0.5
    breaker: BreakerSettings | None = None
    dead: set[int] = field(default_factory=set)
    garbled: list[int] = field(default_factory=list)
    now_s: float = 0.0
    sent: list[tuple[float, str, Request]] = field(default_factory=list)
    cycles: list[tuple[float, Cycle]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cost = serial_cost(self.baud)
        polls = polls_of("bus", self.transmitters, self.cost, HoleMemory())
        self.arbiter = Arbiter(polls, self.timeout_s, self.now_s, breaker=self.breaker)

    def run(self, until_s: float) -> None:
        """Let time pass."""
        while self.now_s < until_s:
            self.step()

    def step(self) -> None:
        """Carry out one turn, or wait for the next."""
        turn = self.arbiter.next(self.now_s)
        if turn is None:
            self.now_s = max(self.now_s + 1e-6, self.arbiter.wake_s(self.now_s))
            return
        begin_s = max(self.now_s, turn.not_before_s)
        self.sent.append((begin_s, turn.kind, turn.request))
        reply = self._reply(turn.request, turn.timeout_s, begin_s)
        self.now_s = reply.arrived_s
        cycle = self.arbiter.done(turn, reply, self.now_s)
        if turn.kind == "command":
            turn.subject(reply)
        if cycle is not None:
            self.cycles.append((self.now_s, cycle))

    def _reply(self, request: Request, timeout_s: float, begin_s: float) -> Reply:
        if request.unit in self.dead:
            return Reply(b"", TIMEOUT, 0, begin_s, begin_s + timeout_s)
        end_s = begin_s + self.cost.read_s(request.reply_bytes)
        if request.unit in self.garbled:
            self.garbled.remove(request.unit)
            return Reply(b"", "crc", 0, begin_s, end_s)
        return Reply(bytes(request.reply_bytes), "", 0, begin_s, end_s)

    def starts_of(self, unit: int) -> list[float]:
        """Return when polls of a slave were sent."""
        return [moment for moment, kind, request in self.sent if kind == "poll" and request.unit == unit]


def transmitter(unit: int, interval_s: float = 1.0, registers: int = 10) -> Transmitter:
    """Return a transmitter whose points lie side by side."""
    points = tuple(Point(f"m{n}", address=n) for n in range(registers))
    return Transmitter(f"d{unit}", unit, interval_s, points)
