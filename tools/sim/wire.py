"""What happens on the two wires, in given time: who speaks when, who answers, who talks over whom.

Owns the line's state. Leaves waiting and bytes in and out to the bus: times are the caller's, in seconds.

Rule 1: a request begins when it arrived, but not before the silence after the last frame is over.
Rule 2: a reply begins one silence, the slave's turnaround and its slowness after the request's last bit.
Rule 3: two frames at the same time spoil each other.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tools.sim.counters import Counters
from tools.sim.frames import BROADCAST, sealed
from tools.sim.line import Line
from tools.sim.slave import SimulatedSlave
from tools.sim.water import Site


@dataclass(slots=True)
class Transmission:
    """A reply on its way. It is whole at end_s."""

    begin_s: float
    end_s: float
    frame: bytes
    origin: int
    address: int
    rest_s: float


class Wire:
    """The line and the slaves on it. is_strict: a request that comes too soon is not understood."""

    def __init__(
        self, slaves: Sequence[SimulatedSlave], line: Line, *, is_paced: bool, is_strict: bool, seed: int
    ) -> None:
        self.slaves = list(slaves)
        self.counters = Counters()
        self.underway: list[Transmission] = []
        self._line = line
        self._pace = 1.0 if is_paced else 0.0
        self._is_strict = is_strict
        self._random = random.Random(seed)
        self._silent_s = float("-inf")  # when the silence after the last frame is over
        self._rested_s: dict[int, float] = {}
        for slave in slaves:
            self.counters.slave(slave.address)

    def take(self, frame: bytes, origin: int, now_s: float, site: Site) -> None:
        """Take a sound request that has just arrived."""
        address, pdu = frame[0], frame[1:-2]
        is_early = self._is_early(address, now_s)
        begin_s = max(now_s, self._silent_s)
        end_s = begin_s + self._pace * self._line.frame_s(len(frame))
        is_spoilt = self._spoil(begin_s, end_s)
        self._occupy(begin_s, end_s)
        self.counters.requests += 1
        if is_spoilt or (is_early and self._is_strict):
            self.counters.unanswered += 1
        elif address == BROADCAST:
            self._broadcast(pdu)
        else:
            self._ask(address, pdu, origin, end_s, site)

    def due(self, now_s: float) -> list[Transmission]:
        """Take what is whole by now off the wire."""
        done = [transmission for transmission in self.underway if transmission.end_s <= now_s]
        for transmission in done:
            self.underway.remove(transmission)
            self._silent_s = max(self._silent_s, transmission.end_s + self._pace * self._line.gap_s)
            self._rested_s[transmission.address] = transmission.end_s + self._pace * transmission.rest_s
        return done

    def next_s(self) -> float | None:
        """Return when the next reply is whole."""
        return min((transmission.end_s for transmission in self.underway), default=None)

    def forget(self) -> None:
        """Drop what is underway: the cable was pulled."""
        self.underway.clear()

    def _ask(self, address: int, pdu: bytes, origin: int, asked_s: float, site: Site) -> None:
        asked = [slave for slave in self.slaves if slave.address == address]
        if asked:
            self.counters.slave(address).note_request(asked_s)
        speaking = [slave for slave in asked if not slave.faults.dead]
        self.counters.unanswered += not speaking
        for slave in speaking:
            slave.measure(site)
            frame = sealed(bytes((address,)) + slave.answer(pdu))
            self._reply(slave, self._disturbed(frame, slave, len(speaking) > 1), origin, asked_s)

    def _reply(self, slave: SimulatedSlave, frame: bytes, origin: int, asked_s: float) -> None:
        counters = self.counters.slave(slave.address)
        counters.replies += 1
        pause_s = self._pace * (self._line.gap_s + slave.turnaround_s)
        begin_s = asked_s + pause_s + slave.faults.slow_ms / 1000
        end_s = begin_s + self._pace * self._line.frame_s(len(frame))
        if self._spoil(begin_s, end_s):
            frame = self._garbled(frame)
        self.underway.append(Transmission(begin_s, end_s, frame, origin, slave.address, slave.rest_s))
        # The silence after the request is counted with the request; this is the one after the reply.
        self.counters.busy_s += pause_s + end_s - begin_s

    def _disturbed(self, frame: bytes, slave: SimulatedSlave, is_doubled: bool) -> bytes:
        faults = slave.faults
        if is_doubled or faults.collide:
            self.counters.collisions += 1
            frame = self._garbled(frame)
        if faults.noise and self._random.random() < faults.noise:
            position = self._random.randrange(8 * len(frame))
            frame = (int.from_bytes(frame, "little") ^ 1 << position).to_bytes(len(frame), "little")
        return frame[: faults.truncate] if faults.truncate else frame

    def _garbled(self, frame: bytes) -> bytes:
        # Two drivers on one pair: what arrives is neither the one nor the other, from the first byte on.
        rest = bytes(byte ^ self._random.randrange(256) for byte in frame[1:])
        return bytes((frame[0] ^ self._random.randrange(1, 256),)) + rest

    def _is_early(self, address: int, now_s: float) -> bool:
        is_early = self._pace > 0 and now_s < max(self._silent_s, self._rested_s.get(address, now_s))
        self.counters.too_soon += is_early
        return is_early

    def _spoil(self, begin_s: float, end_s: float) -> bool:
        met = [other for other in self.underway if other.begin_s < end_s and begin_s < other.end_s]
        for other in met:
            other.frame = self._garbled(other.frame)
        self.counters.collisions += len(met)
        return bool(met)

    def _occupy(self, begin_s: float, end_s: float) -> None:
        gap_s = self._pace * self._line.gap_s
        self.counters.busy_s += end_s - begin_s + gap_s
        self._silent_s = end_s + gap_s

    def _broadcast(self, pdu: bytes) -> None:
        self.counters.broadcasts += 1
        for slave in self.slaves:
            if not slave.faults.dead:
                slave.answer(pdu)
