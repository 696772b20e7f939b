"""Keeps the outbox within its bounds: merges what is small, thins what is old, evicts what is oldest.

Every step is one transaction that drops rows and writes the ledger entry for them, or changes no row at all.
"""

from collections.abc import Callable, Sequence
from itertools import chain, groupby

from hub.outbox.chunk import ROWS_PER_CHUNK, DamagedChunk
from hub.outbox.leases import Chunk
from hub.outbox.records import StorageTrouble, Usage
from hub.outbox.retention import MERGED, THINNED, is_full, room_bytes, to_evict, to_merge, to_thin
from hub.outbox.rewriting import StoredRow, gap_of, packed, thinned, unpacked
from hub.outbox.sealing import KIND_OF, Sort
from hub.outbox.settings import OutboxSettings
from hub.outbox.stock import Stock
from hub.outbox.work import Rewrite, Work
from hub.outbox.writer_service import Writer
from hub.ports import Clock, EventSink
from shared_schema.enums import LossCause
from shared_schema.metrics import Metric

STEPS = 8  # between two group commits; each takes some tens of milliseconds
MERGE_AFTER_CHUNKS = 128  # newer ones are likely to be sent before merging them would pay
EVENT = "outbox_full"


class Upkeep:
    """Decides with retention, acts through the writer."""

    def __init__(self, settings: OutboxSettings, writer: Writer, clock: Clock, events: EventSink) -> None:
        self._settings = settings
        self._writer = writer
        self._clock = clock
        self._events = events
        self.usage = Usage(0, 0, settings.min_free_bytes + settings.max_bytes)

    @property
    def _stock(self) -> Stock:
        return self._writer.stock

    @property
    def room_bytes(self) -> int:
        """How many bytes the outbox may use now."""
        return room_bytes(self.usage, self._settings.max_bytes, self._settings.min_free_bytes)

    @property
    def is_pressed(self) -> bool:
        """Whether room has to be made now."""
        rows = self._stock.shelf.rows + len(self._stock.refusals.rows)
        return is_full(rows, self.usage.used, self._settings.max_rows, self.room_bytes)

    async def measure(self) -> None:
        """See how much room is used and left."""
        try:
            self.usage = await self._writer.disk.usage()
        except StorageTrouble as error:
            self._writer.report(error)

    async def step(self, in_trouble: Callable[[], None]) -> None:
        """Do a few steps of what is most needed."""
        for _ in range(STEPS):
            work = await (self._making_room() if self.is_pressed else self._merging())
            if work is None:
                break
            await self._writer.write(work, in_trouble)
            await self.measure()
        self._say()

    def _say(self) -> None:
        if self.is_pressed:
            self._events.raise_event(
                "error",
                EVENT,
                "the outbox is full and gives up its oldest rows; every one is in the loss ledger",
            )
        else:
            self._events.clear_event(EVENT)

    async def _merging(self) -> Work | None:
        shelf, directory = self._stock.shelf, self._stock.directory
        if len(shelf.chunks) < MERGE_AFTER_CHUNKS:
            return None
        picked = to_merge(shelf.idle(), directory.through_chunk - MERGE_AFTER_CHUNKS)
        rows = await self._opened(picked)
        if not rows:
            return None
        work = self._work(picked)
        _rewrite(work, picked, list(chain.from_iterable(rows)), picked[0].level | MERGED)
        return work

    async def _making_room(self) -> Work | None:
        stock = self._stock
        picked = to_thin(stock.shelf.idle(), stock.is_telemetry)
        if picked:
            return await self._thinning(picked)
        rows = sum(chunk.left for chunk in stock.shelf.chunks.values())
        return await self._evicting(to_evict(list(stock.shelf.idle()), rows, stock.is_ledger))

    async def _thinning(self, picked: Sequence[Chunk]) -> Work | None:
        rows = await self._opened(picked)
        if not rows:
            return None
        kind = KIND_OF[self._stock.directory.shapes[picked[0].shape].kind]
        fields = [field for field in kind.fields if isinstance(field, Metric)]
        kept, gaps = thinned(chain.from_iterable(rows), fields)
        work = self._work(picked)
        work.losses += [self._stock.loss_of(gap, picked[0].boot, LossCause.THINNED) for gap in gaps]
        _rewrite(work, picked, kept, MERGED | THINNED)
        return work

    async def _evicting(self, picked: Sequence[Chunk]) -> Work | None:
        rows = await self._opened(picked)
        if not rows:
            return None
        work = self._work(picked)
        work.drop += [chunk.chunk_id for chunk in picked]
        for chunk, each in zip(picked, rows, strict=True):
            for _, stream in groupby(each, key=lambda row: row.ref):
                gap = gap_of(list(stream))
                work.losses.append(self._stock.loss_of(gap, chunk.boot, LossCause.EVICTED))
        return work

    async def _opened(self, picked: Sequence[Chunk]) -> list[list[StoredRow]]:
        """Reserve chunks and return their rows, chunk by chunk; nothing when they cannot be read."""
        self._stock.shelf.reserve(picked)
        ids = [chunk.chunk_id for chunk in picked]
        try:
            opened = await self._writer.opened(ids)
            return [unpacked(*opened[chunk.chunk_id], chunk.states) for chunk in picked]
        except StorageTrouble as error:
            self._writer.report(error)
        except DamagedChunk:
            self._stock.shelf.release(picked)
            await self._writer.examine(picked)
            return []
        self._stock.shelf.release(picked)
        return []

    def _work(self, picked: Sequence[Chunk]) -> Work:
        return Work(self._clock.stamp(self._clock.monotonic_s()), reserved=list(picked))


def _rewrite(work: Work, picked: Sequence[Chunk], rows: list[StoredRow], level: int) -> None:
    rows.sort(key=lambda row: (row.ref, row.seq))
    pieces = [rows[at : at + ROWS_PER_CHUNK] for at in range(0, len(rows), ROWS_PER_CHUNK)]
    sort = Sort(picked[0].lane, picked[0].shape, picked[0].boot, level)
    for chunk, piece in zip(picked, pieces, strict=False):
        runs, columns = packed(piece)
        work.rewrites.append(Rewrite(chunk.chunk_id, sort, runs, columns))
    work.drop += [chunk.chunk_id for chunk in picked[len(pieces) :]]
