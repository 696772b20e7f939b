"""An outbox without a disk: a list of rows, lent and settled by the contract of hub.ports.BatchSource."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

from hub.errors import TryAgain
from hub.ports import Batch, OutboxState, Value
from shared_schema.enums import Lane
from shared_schema.limits import ATTEMPTS_BEFORE_DEAD_LETTER
from shared_schema.metrics import kind_named

Identity = tuple[str, int, int]


@dataclass
class Row:
    lane: int
    device_key: str
    kind: str
    epoch: int
    seq: int
    recorded_at_ms: int
    values: tuple[Value, ...]
    is_lent: bool = False
    rests_until_s: float = 0.0
    reasons: list[str] = field(default_factory=list)

    @property
    def identity(self) -> Identity:
        return self.device_key, self.epoch, self.seq


class ListSource:
    """rows: what waits. stored, dead: what was settled, by identity. settles: every call, in order."""

    def __init__(
        self,
        epoch: int = 77,
        start_ms: int = 1_800_000_000_000,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self.epoch = epoch
        self.now_ms = start_ms
        self.rows: list[Row] = []
        self.stored: list[Identity] = []
        self.dead: dict[Identity, list[str]] = {}
        self.settles: list[tuple[list[int], dict[int, str]]] = []
        self.marks = 0
        self.taken_lanes: list[int] = []
        self.is_broken = False
        self._lent: dict[int, list[Row]] = {}
        self._next_batch = 0
        self._seqs: dict[str, int] = {}
        self._news = asyncio.Event()

    def add(
        self, device_key: str, *values: Value, kind: str = "tank", lane: int = Lane.LIVE, count: int = 1
    ) -> None:
        """Append rows whose first values are given; the rest are null."""
        width = len(kind_named(kind).fields)
        for _ in range(count):
            seq = self._seqs[device_key] = self._seqs.get(device_key, 0) + 1
            self.now_ms += 1000
            row_values = (*values, *[None] * (width - len(values)))
            self.rows.append(Row(lane, device_key, kind, self.epoch, seq, self.now_ms, row_values))
        self._news.set()

    async def take(self, limit: int, lane: int) -> Batch | None:
        if self.is_broken:
            raise TryAgain("the database is locked", where="outbox.db")
        free = [row for row in self.rows if row.lane == lane and self._is_free(row)]
        if not free:
            return None
        kind = free[0].kind
        rows = [row for row in free if row.kind == kind][:limit]
        for row in rows:
            row.is_lent = True
        self._next_batch += 1
        self._lent[self._next_batch] = rows
        self.taken_lanes.append(lane)
        return Batch(
            self._next_batch,
            lane,
            kind,
            [row.device_key for row in rows],
            [row.epoch for row in rows],
            [row.seq for row in rows],
            [row.recorded_at_ms for row in rows],
            [0] * len(rows),
            [0] * len(rows),
            [list(column) for column in zip(*[row.values for row in rows], strict=True)],
        )

    async def settle(
        self, batch: Batch, stored: Collection[int], rejected: Mapping[int, str], rest_s: float = 0.0
    ) -> None:
        if self.is_broken:
            raise TryAgain("the database is locked", where="outbox.db")
        self.settles.append((sorted(stored), dict(rejected)))
        for index, row in enumerate(self._lent.pop(batch.batch_id)):
            row.is_lent = False
            if index in stored:
                self.stored.append(row.identity)
                self.rows.remove(row)
            elif index in rejected:
                row.reasons.append(rejected[index])
                if len(row.reasons) >= ATTEMPTS_BEFORE_DEAD_LETTER:
                    self.dead[row.identity] = row.reasons
                    self.rows.remove(row)
            elif rest_s > 0:
                row.rests_until_s = self._monotonic_s() + rest_s
                row.lane = Lane.BACKLOG
        self._news.set()

    async def end_rests(self) -> None:
        for row in self.rows:
            row.rests_until_s = 0.0
        self._news.set()

    async def mark_backlog(self) -> None:
        self.marks += 1
        for row in self.rows:
            if row.lane == Lane.LIVE:
                row.lane = Lane.BACKLOG

    async def wait_for_rows(self) -> None:
        while not any(self._is_free(row) for row in self.rows):
            self._news.clear()
            resting = [row.rests_until_s for row in self.rows if not row.is_lent]
            if not resting:
                await self._news.wait()
                continue
            pause = self._sleep(min(resting) - self._monotonic_s())
            waits = [asyncio.ensure_future(pause), asyncio.ensure_future(self._news.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waits:
                    each.cancel()

    def _is_free(self, row: Row) -> bool:
        return not row.is_lent and row.rests_until_s <= self._monotonic_s()

    def state(self) -> OutboxState:
        return OutboxState(rows=len(self.rows), dead_letters=len(self.dead))

    @property
    def lent_rows(self) -> int:
        """How many rows are on loan now."""
        return sum(len(rows) for rows in self._lent.values())
