"""The one hand that writes the outbox file, and what it does when the file or the disk does not play along.

A work given to write() is repeated until it is on disk: after a pause when the disk is full, failing or
locked, into a fresh file when the file turned out to be damaged. The damaged one is set aside, for salvage.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from functools import partial

from hub.outbox import directory as directories
from hub.outbox.chunk import Columns, DamagedChunk, Run, Runs, decode_body, decode_runs
from hub.outbox.directory import Directory
from hub.outbox.disk import Disk
from hub.outbox.leases import Chunk
from hub.outbox.records import ChunkRow, Contents, StorageTrouble, Transaction
from hub.outbox.refusals import Refusals
from hub.outbox.settings import OutboxSettings
from hub.outbox.squeeze import Zstandard
from hub.outbox.stock import Stock
from hub.outbox.trouble import DAMAGES, SENTENCES, Trouble
from hub.outbox.work import Work
from hub.ports import Clock, EventSink
from shared_schema.enums import LossCause

log = logging.getLogger("penstock.outbox")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
EPOCH_BITS = 31  # a positive integer in every database
Opened = dict[int, tuple[Runs, Columns]]


class Writer:
    """Owns the file and the stock.

    trouble: what is wrong now; None when all is well. is_damaged: the next work starts a fresh file.
    """

    def __init__(self, settings: OutboxSettings, disk: Disk, clock: Clock, events: EventSink) -> None:
        self._settings = settings
        self._clock = clock
        self._events = events
        self._zstandard = Zstandard()
        self._pending: Work | None = None
        self._lost: list[tuple[Chunk, list[Run]]] = []
        self._seen_changes = 0
        self._purged: list[int] = []
        self.disk = disk
        self.stock = self._fresh_stock(0)
        self.trouble: Trouble | None = None
        self.is_damaged = False
        self.is_open = False
        self.started_over = asyncio.Event()

    def _fresh_stock(self, epoch: int) -> Stock:
        return Stock(Directory(epoch), Refusals(self._settings.retry_after_s))

    async def open(self, in_trouble: Callable[[], None]) -> None:
        """Open the outbox, or a fresh one when it is damaged, however long the disk takes for it.

        Raises OperatorNeeded when another hub has it open.
        """
        pause_s = FIRST_PAUSE_S
        while not await self._opened_once():
            in_trouble()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        self._clear_trouble()

    async def _opened_once(self) -> bool:
        try:
            try:
                await self.disk.open()
                self.is_open = True
                await self._load()
            except (StorageTrouble, DamagedChunk) as error:
                if isinstance(error, StorageTrouble) and error.trouble not in DAMAGES:
                    raise
                self.is_open = True
                log.error("the outbox is damaged: %s", error)  # noqa: TRY400 - a sentence, not a traceback
                await self._start_over()
        except StorageTrouble as error:
            self.report(error)
            await self.disk.close()
            self.is_open = False
            return False
        return True

    async def _load(self) -> None:
        contents = await self.disk.load()
        stock = self._stock_of(contents)
        newer = [head.chunk_id for head in contents.heads if head.chunk_id > stock.directory.through_chunk]
        for at in range(0, len(newer), 256):
            stock.recover(await self.disk.read(newer[at : at + 256], list), self._zstandard)
        stock.load(contents.heads, contents.states, self._zstandard)
        self._purged = stock.refusals.load(contents.failed)
        self.stock = stock
        self._seen_changes = await self.disk.changes_by_others()

    def _stock_of(self, contents: Contents) -> Stock:
        if not contents.snapshots:
            if contents.heads:
                raise DamagedChunk("there are chunks but no snapshot", where=self._settings.path)
            return self._fresh_stock(random.getrandbits(EPOCH_BITS) or 1)
        # Never the one before: numbers given since would be given again.
        newest = directories.decode(self._zstandard.restore(contents.snapshots[0]))
        return Stock(newest, Refusals(self._settings.retry_after_s))

    async def _start_over(self) -> None:
        aside = await self.disk.start_over()
        stock = self._fresh_stock(random.getrandbits(EPOCH_BITS) or 1)
        stock.continue_batches_of(self.stock)
        stock.directory.salvaged = {**self.stock.directory.salvaged, aside: 0}
        self.stock = stock
        # Both name chunks and rows of the old file; the fresh one has others under these numbers.
        self._lost, self._purged = [], []
        self.is_damaged = False
        self.started_over.set()
        self._events.raise_event("critical", Trouble.CORRUPT.value, f"{SENTENCES[Trouble.CORRUPT]} ({aside})")

    async def close(self) -> None:
        """Close the file."""
        if self.is_open:
            await self.disk.close()
            self.is_open = False

    @property
    def rows_under_way(self) -> int:
        """How many new rows are on their way to the disk."""
        return 0 if self._pending is None else len(self._pending.telemetry) + len(self._pending.alarms)

    async def resume(self) -> bool:
        """Finish what a cancellation interrupted; False when the disk does not let us."""
        return self._pending is None or await self.try_once(self._pending)

    async def write(self, work: Work, in_trouble: Callable[[], None]) -> None:
        """Write a work, however long it takes. in_trouble: called whenever it did not work yet."""
        self._pending = work
        pause_s = FIRST_PAUSE_S
        while not await self.try_once(self._pending):
            in_trouble()
            await asyncio.sleep(pause_s * random.uniform(0.75, 1.25))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def try_once(self, work: Work) -> bool:
        """Write a work if the disk takes it now."""
        self._pending = work
        try:
            if self.is_damaged:
                await self._start_over()
                self._pending = work = self._for_this_file(work)
            await self.disk.write(partial(self._prepare, work))
        except StorageTrouble as error:
            if error.trouble is Trouble.BUG:
                raise
            self.report(error)
            return False
        self._pending = None
        self.stock.publish(work)
        self._clear_trouble()
        return True

    def _prepare(self, work: Work) -> Transaction:
        settings = self._settings
        return work.prepare(self.stock.directory, settings.hub_device_key, settings.boot_id, self._zstandard)

    def _for_this_file(self, work: Work) -> Work:
        fresh = work.for_a_fresh_file()
        fresh.failed = self.stock.refusals.adopt(fresh.failed)
        return fresh

    def report(self, error: StorageTrouble) -> None:
        """Tell the operator, once while it lasts."""
        if error.trouble in DAMAGES:
            self.is_damaged = True
        elif error.trouble is not self.trouble:
            self._clear_trouble()
            self.trouble = error.trouble
            self._events.raise_event("error", error.trouble.value, str(error))

    def _clear_trouble(self) -> None:
        if self.trouble is not None:
            self._events.clear_event(self.trouble.value)
            self.trouble = None

    async def opened(self, ids: Sequence[int]) -> Opened:
        """Read chunks and take them apart. Raises DamagedChunk, StorageTrouble."""
        opened = await self.disk.read(ids, self._decoded)
        if len(opened) != len(ids):
            raise DamagedChunk("a chunk is missing", where=self._settings.path)
        return opened

    def _decoded(self, rows: Sequence[ChunkRow]) -> Opened:
        restore = self._zstandard.restore
        return {
            row.chunk_id: (decode_runs(restore(row.runs)), decode_body(restore(row.body))) for row in rows
        }

    def tell_news(self, work: Work) -> None:
        """Put what the disk does not know yet into a work."""
        self.stock.tell(work, self._zstandard)

    async def examine(self, chunks: Sequence[Chunk]) -> None:
        """Find out which of these chunks cannot be read; their rows go to the ledger with the next work.

        A chunk that does not even tell whose rows it holds makes the whole file a damaged one.
        """
        shelf = self.stock.shelf
        for chunk in chunks:
            try:
                await self.opened([chunk.chunk_id])
            except DamagedChunk:
                if shelf.chunks.get(chunk.chunk_id) is chunk and not chunk.is_reserved:
                    shelf.reserve([chunk])
                    await self._condemn(chunk)
            except StorageTrouble as error:
                self.report(error)

    async def _condemn(self, chunk: Chunk) -> None:
        stock = self.stock
        try:
            rows = await self.disk.read([chunk.chunk_id], list)
            runs = [run for row in rows for run in decode_runs(self._zstandard.restore(row.runs))]
        except DamagedChunk:
            runs = []
        except StorageTrouble as error:
            stock.shelf.release([chunk])
            self.report(error)
            return
        if self.stock is not stock:
            return
        if runs:
            self._lost.append((chunk, runs))
            return
        # Whose rows these were is what no other chunk has: salvage looks at all of them, and at the counters.
        sentence = f"whose {chunk.left} rows chunk {chunk.chunk_id} holds cannot be read"
        self.report(StorageTrouble(Trouble.CORRUPT, sentence, self._settings.path))

    def tell_losses(self, work: Work) -> None:
        """Put what could not be read into a work."""
        lost, self._lost = self._lost, []
        for chunk, runs in lost:
            work.drop.append(chunk.chunk_id)
            work.losses += self.stock.losses_of(runs, chunk, LossCause.CORRUPT)

    async def given_up(self, dead_before_ms: int) -> Work | None:
        """Return the work that gives up refused rows: those an operator wants purged, and those too old."""
        changes = await self.disk.changes_by_others()
        if changes != self._seen_changes:
            self._seen_changes = changes
            self._purged = self.stock.refusals.load(await self.disk.failed_heads())
        purged, self._purged = self._purged, []
        ids = sorted({*purged, *self.stock.refusals.aged(dead_before_ms)})
        if not ids:
            return None
        work = Work(self._clock.stamp(self._clock.monotonic_s()), unfailed=ids)
        work.losses += self.stock.refusal_losses(await self.disk.failed_rows(ids), LossCause.REJECTED)
        return work
