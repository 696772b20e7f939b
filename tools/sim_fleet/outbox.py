"""A simulated hub's outbox: which numbers wait, never the rows. What one stands for is made when it is lent.

So a hub that was cut off for a day needs no more memory than one that was not.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from hub.ports import Batch, OutboxState, Value
from shared_schema.enums import Lane
from tools.sim_fleet.plan import StreamPlan
from tools.sim_fleet.readings import reading_of


@dataclass(slots=True)
class _Stream:
    """The rows of a device: 1 to made. next_live: the first that was neither lent nor became late."""

    plan: StreamPlan
    made: int = 0
    next_live: int = 1
    late: list[tuple[int, int]] = field(default_factory=list)  # first and last number

    def take_live(self, limit: int) -> list[tuple[int, int]]:
        last = min(self.made, self.next_live + limit - 1)
        if last < self.next_live:
            return []
        ranges = [(self.next_live, last)]
        self.next_live = last + 1
        return ranges

    def take_late(self, limit: int) -> list[tuple[int, int]]:
        taken: list[tuple[int, int]] = []
        while self.late and limit:
            first, last = self.late[0]
            until = min(last, first + limit - 1)
            taken.append((first, until))
            limit -= until - first + 1
            self.late[:1] = [(until + 1, last)] if until < last else []
        return taken

    def give_back(self, seqs: Sequence[int]) -> None:
        self.late = _joined([*self.late, *((seq, seq) for seq in seqs)])


_Loan = list[tuple[_Stream, int, int]]  # stream, first and last number, in the order of the batch


class FleetOutbox:
    """A hub.ports.BatchSource. stored, rejected: rows so far; refusal: the reason of the last one refused."""

    def __init__(self) -> None:
        self._streams: dict[str, list[_Stream]] = {}
        self._turn = 0
        self._ids = count(1)
        self._lent: dict[int, _Loan] = {}
        self._resting: list[tuple[_Stream, list[int]]] = []
        self._wake: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._ready = 0
        self.made = 0
        self.stored = 0
        self.rejected = 0
        self.refusal = ""

    def begin(self, streams: Iterable[StreamPlan]) -> None:
        """Say which rows will be made."""
        for plan in streams:
            self._streams.setdefault(plan.kind.name, []).append(_Stream(plan))

    def advance(self, now_ms: int) -> int:
        """Make the rows that are due, and return when the next ones are, Unix ms, simulated."""
        before, due_ms = self.made, []
        for stream in self._all():
            plan = stream.plan
            made = max(stream.made, (now_ms - plan.first_ms) // plan.step_ms + 1)
            self.made += made - stream.made
            stream.made = made
            due_ms.append(plan.first_ms + made * plan.step_ms)
        self._add_ready(self.made - before)
        return min(due_ms)

    def made_by_device(self) -> dict[str, int]:
        """Return the highest number given for each device."""
        return {stream.plan.device_key: stream.made for stream in self._all()}

    @property
    def waiting(self) -> int:
        """Rows that the cloud has neither stored nor refused."""
        return self.made - self.stored - self.rejected

    async def take(self, limit: int, lane: int) -> Batch | None:
        """Lend rows of one kind; kinds come in turn."""
        if lane not in {Lane.LIVE, Lane.BACKLOG} or not self._ready:
            return None
        names = list(self._streams)
        for step in range(len(names)):
            name = names[(self._turn + step) % len(names)]
            if loan := self._loan(self._streams[name], limit, is_live=lane == Lane.LIVE):
                self._turn = (self._turn + step + 1) % len(names)
                batch = _batch(next(self._ids), lane, loan)
                self._lent[batch.batch_id] = loan
                self._ready -= len(batch)
                return batch
        return None

    async def settle(
        self, batch: Batch, stored: Collection[int], rejected: Mapping[int, str], rest_s: float = 0.0
    ) -> None:
        """Take a batch back. Rows without an answer become late, after their rest."""
        loan = self._lent.pop(batch.batch_id)
        self.stored += len(stored)
        self.rejected += len(rejected)
        for reason in rejected.values():
            self.refusal = reason
        if len(stored) + len(rejected) == len(batch):
            return
        index = 0
        for stream, first, last in loan:
            numbered = enumerate(range(first, last + 1), index)
            back = [seq for row, seq in numbered if row not in stored and row not in rejected]
            index += last - first + 1
            if back:
                self._resting.append((stream, back))
        if not rest_s:
            await self.end_rests()
        elif self._wake is None:
            self._wake = asyncio.get_running_loop().call_later(rest_s, self._end_rests)

    async def end_rests(self) -> None:
        """Have what rests lent again."""
        self._end_rests()

    async def mark_backlog(self) -> None:
        """Call everything that waits late; what is made from now on is live."""
        for stream in self._all():
            if stream.next_live <= stream.made:
                stream.late = _joined([*stream.late, (stream.next_live, stream.made)])
                stream.next_live = stream.made + 1

    async def wait_for_rows(self) -> None:
        """Return when there is something to take."""
        while not self._ready:
            self._changed.clear()
            await self._changed.wait()

    def state(self) -> OutboxState:
        """Return how many rows wait, lent ones included."""
        return OutboxState(rows=self.waiting, appended=self.made, settled=self.stored)

    def _all(self) -> Iterable[_Stream]:
        return (stream for streams in self._streams.values() for stream in streams)

    def _end_rests(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        for stream, seqs in self._resting:
            stream.give_back(seqs)
            self._add_ready(len(seqs))
        self._resting.clear()

    def _add_ready(self, rows: int) -> None:
        self._ready += rows
        if self._ready:
            self._changed.set()

    @staticmethod
    def _loan(streams: Sequence[_Stream], limit: int, *, is_live: bool) -> _Loan:
        share = max(1, limit // len(streams))
        loan: _Loan = []
        for stream in streams[:limit]:
            taken = stream.take_live(share) if is_live else stream.take_late(share)
            loan += [(stream, first, last) for first, last in taken]
        return loan


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and joined[-1][1] + 1 == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _batch(batch_id: int, lane: int, loan: _Loan) -> Batch:
    kind = loan[0][0].plan.kind
    keys: list[str] = []
    epochs: list[int] = []
    seqs: list[int] = []
    instants: list[int] = []
    rows: list[tuple[Value, ...]] = []
    for stream, first, last in loan:
        plan = stream.plan
        for seq in range(first, last + 1):
            at_ms = plan.first_ms + (seq - 1) * plan.step_ms
            keys.append(plan.device_key)
            epochs.append(plan.epoch)
            seqs.append(seq)
            instants.append(at_ms)
            rows.append(reading_of(kind, plan.seed, at_ms))
    good = [0] * len(seqs)
    return Batch(
        batch_id, lane, kind.name, keys, epochs, seqs, instants, good, good, list(zip(*rows, strict=True))
    )
