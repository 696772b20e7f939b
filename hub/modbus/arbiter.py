"""Who may use the bus next. Pure: moments are monotonic seconds, given by the caller.

Order: 1. commands. 2. polls of slaves that answer, earliest deadline first. 3. polls of a slave that just
failed, when the others can spare the time-out. 4. probes of dead slaves and chores, in gaps; when there is
no gap for long, all the same, within their share.
A slave that owes a reply is first asked a question that cannot be mistaken (see debts.py).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.modbus.breaker import OPEN, SUSPECT, Breaker
from hub.modbus.chores import Chore
from hub.modbus.debts import Debts
from hub.modbus.line import FAULTS, GARBLED, ILLEGAL_ADDRESS, ILLEGAL_VALUE, REFUSED, TIMEOUT, Reply
from hub.modbus.polls import Poll
from hub.modbus.requests import Request
from hub.modbus.schedule import Period, phases
from hub.modbus.settings import BreakerSettings
from hub.modbus.tally import Histogram

COMMAND, POLL, RESYNC, PROBE, CHORE = "command", "poll", "resync", "probe", "chore"

_SHORTEST_TIMEOUT_S = 0.05
_THINKS = 4.0  # a slave that failed gets so many times its longest reply
_FADING = 0.999  # per reply: the longest reply is forgotten over some thousand


@dataclass(slots=True)
class Slave:
    """What is known of one slave. free_at_s: when it may be asked again after its last reply."""

    unit: int
    breaker: Breaker
    device_keys: tuple[str, ...]
    turnaround_s: float = 0.0
    free_at_s: float = 0.0
    longest_think_s: float = 0.0
    replies: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    rtt: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class Cycle:
    """One turn of a poll. replies, moments_s: per request; None until and unless it brought something."""

    poll: Poll
    release_s: float
    deadline_s: float
    replies: list[bytes | None]
    moments_s: list[float]
    at: int = 0
    started_s: float | None = None
    failed: str = ""
    is_retried: bool = False
    refused: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Turn:
    """What to send next. subject: the Cycle, Chore, Slave or command it is for."""

    kind: str
    request: Request
    timeout_s: float
    not_before_s: float
    subject: Any


@dataclass(slots=True)
class _Entry:
    poll: Poll
    period: Period
    cycle: Cycle | None = None


class Arbiter:
    """Of one bus. origin: 0..1, where in their intervals the polls begin."""

    def __init__(
        self,
        polls: Sequence[Poll],
        timeout_s: float,
        start_s: float,
        *,
        origin: float = 0.0,
        is_tagged: bool = False,
        breaker: BreakerSettings | None = None,
    ) -> None:
        self.slaves: dict[int, Slave] = {}
        self.commands: deque[tuple[Request, Any]] = deque()
        self.chores: list[Chore] = []
        self._timeout_s = timeout_s
        self._is_tagged = is_tagged
        self._debts = Debts()
        self._entries: list[_Entry] = []
        self._breaker = breaker or BreakerSettings()
        spread = phases([poll.interval_s for poll in polls], origin)
        for poll, phase_s in zip(polls, spread, strict=True):
            self._entries.append(_Entry(poll, Period(poll.interval_s, phase_s, start_s)))
            self._enlist(poll)

    @property
    def polls(self) -> list[Poll]:
        """All polls."""
        return [entry.poll for entry in self._entries]

    def start(self, now_s: float) -> None:
        """Begin all periods anew: what was due before the bus first opened was never missed."""
        for entry in self._entries:
            entry.period.start(now_s)

    def missed(self, unit: int | None = None) -> int:
        """Return the periods that had no turn."""
        return sum(entry.period.missed for entry in self._entries if unit in {None, entry.poll.unit})

    def missed_of(self, poll: Poll) -> int:
        """Return the periods of one poll that had no turn."""
        return sum(entry.period.missed for entry in self._entries if entry.poll is poll)

    def replace(self, poll: Poll) -> None:
        """Put a new plan in the place of that of the same slave and interval; a cycle underway ends first."""
        for entry in self._entries:
            if (entry.poll.unit, entry.poll.interval_s) == (poll.unit, poll.interval_s):
                entry.poll = poll

    def next(self, now_s: float) -> Turn | None:
        """Return what to send now; None when nothing is due."""
        if self.commands:
            request, command = self.commands.popleft()
            return self._turn(COMMAND, request, command, now_s)
        self._release(now_s)
        cycle = self._choose(now_s)
        if cycle is not None:
            return self._turn(POLL, cycle.poll.requests[cycle.at], cycle, now_s)
        return self._probe(now_s) or self._chore(now_s)

    def wake_s(self, now_s: float) -> float:
        """Return when to ask again if nothing happens before."""
        moments = [entry.period.release_s for entry in self._entries if not self._of(entry).breaker.is_open]
        for slave in self.slaves.values():
            if slave.breaker.is_open:
                is_waiting = slave.breaker.probe_at_s <= now_s
                moments.append(slave.breaker.overdue_at_s if is_waiting else slave.breaker.probe_at_s)
        moments += [chore.overdue_at_s for chore in self.chores]
        moments += [cycle.deadline_s for cycle in _cycles(entry.cycle for entry in self._entries)]
        ahead = [moment for moment in moments if moment > now_s]
        return min(ahead, default=now_s + 1.0)

    def done(self, turn: Turn, reply: Reply, now_s: float) -> Cycle | None:
        """Note what came of a turn. Returns the cycle that ended with it."""
        slave = self.slaves.get(turn.request.unit)
        if slave is not None:
            _count(slave, reply)
        if reply.fault == TIMEOUT and not self._is_tagged:
            self._debts.owe(turn.request, now_s)
        is_answered = reply.fault in {"", REFUSED}
        if turn.kind == POLL:
            return self._advance(turn.subject, reply, now_s)
        if turn.kind == RESYNC:
            return self._resynced(turn, is_answered, reply, now_s)
        if turn.kind == PROBE:
            self._probed(turn.subject, is_answered, reply, now_s)
        elif turn.kind == CHORE:
            self._step(turn.subject, is_answered, reply)
        return None

    def reset(self, now_s: float) -> list[Any]:
        """Forget what was underway: the bus was gone. Returns the commands nobody will carry out."""
        for entry in self._entries:
            entry.cycle = None
            entry.period.skip(now_s)
        for chore in self.chores:
            chore.drop()
        self.chores.clear()
        dropped = [command for _, command in self.commands]
        self.commands.clear()
        return dropped

    def skip(self, now_s: float) -> None:
        """Count what was due while the bus was gone."""
        for entry in self._entries:
            entry.period.skip(now_s)

    def idle_s(self, now_s: float) -> float:
        """Return how long no poll of an answering slave will want the bus."""
        healthy = [entry for entry in self._entries if not self._of(entry).breaker.is_open]
        if any(entry.cycle for entry in healthy):
            return 0.0
        return min((entry.period.release_s for entry in healthy), default=float("inf")) - now_s

    def slack_s(self, now_s: float) -> float:
        """Return how long the bus may be held now before a healthy poll would miss its period."""
        slack_s, ahead_s = float("inf"), 0.0
        healthy = [entry for entry in self._entries if self._of(entry).breaker.state not in {OPEN, SUSPECT}]
        for entry in sorted(healthy, key=lambda entry: entry.period.deadline_s):
            ahead_s += entry.poll.cost_s
            slack_s = min(slack_s, entry.period.deadline_s - now_s - ahead_s)
        return slack_s

    def _enlist(self, poll: Poll) -> None:
        keys = tuple(transmitter.device_key for transmitter in poll.transmitters)
        slave = self.slaves.get(poll.unit)
        if slave is None:
            slave = self.slaves[poll.unit] = Slave(poll.unit, Breaker(self._breaker), ())
        slave.device_keys += keys
        slave.turnaround_s = max(slave.turnaround_s, poll.limits.turnaround_s)

    def _of(self, entry: _Entry) -> Slave:
        return self.slaves[entry.poll.unit]

    def _release(self, now_s: float) -> None:
        for entry in self._entries:
            period = entry.period
            if self._of(entry).breaker.is_open:
                entry.cycle = None
                period.skip(now_s)
            if entry.cycle is not None or period.release_s > now_s:
                continue
            count = len(entry.poll.requests)
            entry.cycle = Cycle(
                entry.poll, period.release_s, period.deadline_s, [None] * count, [0.0] * count
            )
            self._pass_paused(entry.cycle)
            if entry.cycle.at >= count:  # everything is refused, or being looked into
                self._end(entry.cycle, now_s)

    def _choose(self, now_s: float) -> Cycle | None:
        ready = [entry for entry in self._entries if entry.cycle is not None]
        if not ready:
            return None
        healthy = [entry.cycle for entry in ready if self._of(entry).breaker.state != SUSPECT]
        if healthy:
            return min(_cycles(healthy), key=lambda cycle: cycle.deadline_s)
        late = min(_cycles(entry.cycle for entry in ready), key=lambda cycle: cycle.deadline_s)
        can_wait = now_s < late.deadline_s
        if can_wait and self.slack_s(now_s) < self._patience_s(self.slaves[late.poll.unit]):
            return None
        return late

    def _turn(self, kind: str, request: Request, subject: Any, now_s: float) -> Turn:
        slave = self.slaves.get(request.unit)
        if not self._is_tagged and kind in {COMMAND, POLL, CHORE} and self._debts.owes(request.unit, now_s):
            question = self._debts.question(self._sample_request(request))
            return Turn(
                RESYNC, question, self._patience_s(slave), self._free_at_s(slave), (kind, request, subject)
            )
        patience_s = self._patience_s(slave) if kind == POLL else self._timeout_s
        return Turn(kind, request, patience_s, self._free_at_s(slave), subject)

    def _sample_request(self, request: Request) -> Request:
        """Return a read that the slave is known to answer, for want of it the request itself."""
        for entry in self._entries:
            if entry.poll.unit == request.unit and entry.poll.requests:
                return entry.poll.requests[0]
        return Request(request.unit, 3, request.address, 1) if request.values else request

    def _free_at_s(self, slave: Slave | None) -> float:
        return slave.free_at_s if slave is not None else 0.0

    def _patience_s(self, slave: Slave | None) -> float:
        """Return the time-out: as set for a slave that answers, shorter for one that just did not."""
        if slave is None or slave.breaker.state not in {SUSPECT, OPEN} or not slave.longest_think_s:
            return self._timeout_s
        return min(self._timeout_s, max(_SHORTEST_TIMEOUT_S, _THINKS * slave.longest_think_s))

    def _probe(self, now_s: float) -> Turn | None:
        for slave in self.slaves.values():
            breaker = slave.breaker
            if not breaker.is_open or now_s < breaker.probe_at_s:
                continue
            patience_s = self._patience_s(slave)
            if self.idle_s(now_s) < patience_s and now_s < breaker.overdue_at_s:
                continue
            request = self._debts.question(self._sample_request(Request(slave.unit, 3, 0, 1)))
            return Turn(PROBE, request, patience_s, slave.free_at_s, slave)
        return None

    def _chore(self, now_s: float) -> Turn | None:
        for chore in self.chores:
            if chore.request is None or self._is_dead(chore.request.unit):
                continue
            if now_s >= chore.overdue_at_s or self.idle_s(now_s) >= self._usual_s(chore.request):
                return self._turn(CHORE, chore.request, chore, now_s)
        return None

    def _is_dead(self, unit: int) -> bool:
        return unit in self.slaves and self.slaves[unit].breaker.is_open

    def _usual_s(self, request: Request) -> float:
        costs = [max(poll.costs_s) for poll in self.polls if poll.unit == request.unit and poll.costs_s]
        return max(costs, default=self._timeout_s) + self.slaves[request.unit].longest_think_s

    def _advance(self, cycle: Cycle, reply: Reply, now_s: float) -> Cycle | None:
        if cycle.started_s is None:
            cycle.started_s = reply.sent_s
        if not reply.fault:
            cycle.replies[cycle.at] = reply.data
            cycle.moments_s[cycle.at] = reply.arrived_s
        elif reply.fault == REFUSED:
            if reply.code in {ILLEGAL_ADDRESS, ILLEGAL_VALUE}:
                cycle.refused.append(cycle.at)
        else:
            return self._stumble(cycle, reply, now_s)
        cycle.at += 1
        self._pass_paused(cycle)
        return self._end(cycle, now_s) if cycle.at >= len(cycle.replies) else None

    def _pass_paused(self, cycle: Cycle) -> None:
        while cycle.at in cycle.poll.paused:
            cycle.at += 1

    def _stumble(self, cycle: Cycle, reply: Reply, now_s: float) -> Cycle | None:
        """Try a request once more when the slave was fine before and nobody else suffers from it."""
        slave = self.slaves[cycle.poll.unit]
        is_worth_it = not cycle.is_retried and slave.breaker.state not in {SUSPECT, OPEN}
        if reply.fault in {TIMEOUT, GARBLED} and is_worth_it and self.slack_s(now_s) >= self._timeout_s:
            cycle.is_retried = True
            return None
        cycle.failed = reply.fault
        return self._end(cycle, now_s)

    def _end(self, cycle: Cycle, now_s: float) -> Cycle:
        breaker = self.slaves[cycle.poll.unit].breaker
        if cycle.failed in {TIMEOUT, GARBLED}:
            breaker.fail(now_s)
        elif not cycle.failed:
            breaker.succeed()
        for entry in self._entries:
            if entry.cycle is cycle:
                entry.cycle = None
                entry.period.advance(now_s)
        return cycle

    def _resynced(self, turn: Turn, is_answered: bool, reply: Reply, now_s: float) -> Cycle | None:
        kind, request, subject = turn.subject
        if is_answered:
            self._debts.settle(turn.request.unit)
            if kind == COMMAND:
                self.commands.appendleft((request, subject))
        elif kind == POLL:
            subject.failed = reply.fault
            return self._end(subject, now_s)
        elif kind == COMMAND:
            subject(reply)
        else:
            self._step(subject, is_answered, reply)
        return None

    def _probed(self, slave: Slave, is_answered: bool, reply: Reply, now_s: float) -> None:
        if is_answered:
            self._debts.settle(slave.unit)
            slave.breaker.succeed()
        else:
            slave.breaker.probed(now_s, reply.arrived_s - reply.sent_s)

    def _step(self, chore: Chore, is_answered: bool, reply: Reply) -> None:
        if is_answered:
            chore.take(None if reply.fault else reply.data)
        else:
            chore.drop()
        if chore.request is None and chore in self.chores:
            self.chores.remove(chore)


def _count(slave: Slave, reply: Reply) -> None:
    if reply.fault in FAULTS:
        slave.errors[reply.fault] = slave.errors.get(reply.fault, 0) + 1
    if reply.fault in {"", REFUSED}:
        slave.replies += 1
        think_s = reply.arrived_s - reply.sent_s
        slave.longest_think_s = max(think_s, slave.longest_think_s * _FADING)
        slave.rtt.add(think_s, reply.arrived_s)
        slave.free_at_s = reply.arrived_s + slave.turnaround_s


def _cycles(cycles: Iterable[Cycle | None]) -> list[Cycle]:
    return [cycle for cycle in cycles if cycle is not None]
