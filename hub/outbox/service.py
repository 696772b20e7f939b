"""The outbox: disk before network, always.

1. A row is numbered in the transaction that first stores it, stream by stream, without a hole.
2. Telemetry is on disk at most commit_interval_s after it was offered; an alarm when append returns.
3. A row leaves only when the cloud has it, or in the transaction that writes its loss-ledger entry.
4. A batch's rows stay on loan until it is settled; nothing is on loan twice.
5. No fault of the disk comes out of offer, take or settle: rows wait in bounded memory, and what must give
   way gets numbers and a ledger entry once the disk is back.
6. One writer: every change of the file is one Work, done to the end or repeated, in order.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from hub.errors import TryAgain
from hub.outbox.capacity import Pace, capacity_s
from hub.outbox.chunk import DamagedChunk
from hub.outbox.disk import Disk
from hub.outbox.records import StorageTrouble
from hub.outbox.refusals import Now
from hub.outbox.salvage_service import SalvageService
from hub.outbox.settings import OutboxSettings
from hub.outbox.stock import Loan, Stock
from hub.outbox.trouble import SENTENCES
from hub.outbox.upkeep_service import Upkeep
from hub.outbox.waiting import Waiting
from hub.outbox.work import Work
from hub.outbox.writer_service import Writer
from hub.ports import Batch, Clock, EventSink, OutboxState, Reading
from shared_schema.enums import Lane, TimeQuality

LOOK_S = 5.0  # how often room is measured at least
MEASURE_ROWS = 20_000  # and after so many rows, about a tenth of a megabyte
GROUP_ROWS = 10_000  # as many are a commit of their own: waiting longer saves nothing more and costs memory
CLOSE_S = 10.0  # what is in memory gets this long to reach the disk at shutdown


class Outbox:
    """ReadingSink and BatchSource over one SQLite file. run() opens it, serves it and closes it."""

    def __init__(self, settings: OutboxSettings, disk: Disk, clock: Clock, events: EventSink) -> None:
        self._settings = settings
        self._clock = clock
        self._events = events
        self._waiting = Waiting(settings.memory_rows)
        self._writer = Writer(settings, disk, clock, events)
        self._upkeep = Upkeep(settings, self._writer, clock, events)
        self._salvage = SalvageService(settings, disk, clock, events, self._write_salvaged)
        self._salvaged: list[Work] = []
        self._opened = asyncio.Event()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._promises: list[asyncio.Future[None]] = []
        self._known_boots: dict[str, tuple[int, int]] = {}
        self._is_urgent = False
        self._last_commit_s = self._last_told_s = self._last_look_s = 0.0
        self._pace = Pace()
        self._said_dead_letters = 0
        self._said_refusals_full = False
        self._unmeasured = 0

    @property
    def _stock(self) -> Stock:
        return self._writer.stock

    # The way in.

    async def offer(self, rows: Sequence[Reading]) -> None:
        """Hand rows to the next group commit; waits only when memory for waiting rows is full."""
        while not self._waiting.has_room(len(rows)):
            if self._writer.trouble is not None:
                self._waiting.make_room(len(rows))
                break
            await self._wait_for_room()
        self._waiting.telemetry.extend(rows)
        self._wake.set()

    async def append(self, rows: Sequence[Reading], lane: int) -> None:
        """Store rows and return once they are on disk. Raises TryAgain when disk and memory take no more."""
        await (await self.hand_over(rows, lane))

    async def hand_over(self, rows: Sequence[Reading], lane: int) -> asyncio.Future[None]:
        """Take rows as append does, but return with a promise, kept once they are on disk.

        What is handed over first is on disk first, or in the same transaction.
        """
        while not self._waiting.has_room(len(rows)):
            if self._writer.trouble is not None:
                raise TryAgain(SENTENCES[self._writer.trouble], where=self._settings.path)
            await self._wait_for_room()
        (self._waiting.alarms if lane == Lane.ALARM else self._waiting.kept).extend(rows)
        self._is_urgent = self._is_urgent or lane == Lane.ALARM
        return self._promise()

    async def last_seq(self, device_key: str, epoch: int) -> int:
        """Return the highest number of a stream on disk, or on its way there; 0 is none."""
        await self._opened.wait()
        return self._stock.directory.last_seq(device_key, epoch)

    async def _wait_for_room(self) -> None:
        self._room.clear()
        self._is_urgent = True
        self._wake.set()
        await self._room.wait()

    def _promise(self) -> asyncio.Future[None]:
        promise: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._promises.append(promise)
        self._wake.set()
        return promise

    async def set_boot_clock(self, boot_id: str, offset_ms: int, time_quality: int) -> None:
        """Place a boot on the wall, for good. What it holds back is lent as soon as that is on disk."""
        self._known_boots.setdefault(boot_id, (offset_ms, time_quality))
        self._hurry()

    # The way out.

    async def take(self, limit: int, lane: int) -> Batch | None:
        """Lend up to limit rows of one kind from a lane; None when there is nothing to send now."""
        await self._opened.wait()
        stock = self._stock
        loan = stock.lend(lane, limit, self._now_s())
        if loan is None:
            return None
        try:
            if loan.failed_ids:
                return await self._batch_of_failed(stock, lane, loan)
            return await self._batch(stock, lane, loan)
        except StorageTrouble as error:
            stock.take_back(loan)
            self._writer.report(error)
            if self._writer.is_damaged:
                self._hurry()
            return None
        except DamagedChunk:
            stock.take_back(loan)
            await self._writer.examine([segment.chunk for segment in loan.segments])
            self._hurry()
            return None
        except BaseException:
            stock.take_back(loan)
            raise

    async def _batch(self, stock: Stock, lane: int, loan: Loan) -> Batch:
        ids = [segment.chunk.chunk_id for segment in loan.segments]
        return stock.batch(lane, loan, await self._writer.opened(ids))

    async def _batch_of_failed(self, stock: Stock, lane: int, loan: Loan) -> Batch | None:
        rows = await self._writer.disk.failed_rows(loan.failed_ids)
        stock.refusals.give_back(set(loan.failed_ids) - {row.failed_id for row in rows})
        return stock.batch_of_failed(lane, rows) if rows else None

    async def settle(
        self, batch: Batch, stored: Collection[int], rejected: Mapping[int, str], rest_s: float = 0.0
    ) -> None:
        """Give a batch back: forget what the cloud stored, count a refusal with its reason, keep the others.

        rest_s: how long those others are not lent again; a restart forgets it.
        """
        self._stock.settle(batch, stored, rejected, Now(self._now_s(), self._now_ms()), rest_s)
        if self._stock.has_urgent_news:
            self._hurry()
        self._changed.set()

    async def end_rests(self) -> None:
        """Lend what rests before its time: what it waited for is there."""
        await self._opened.wait()
        self._stock.shelf.end_rests()
        self._changed.set()

    async def mark_backlog(self) -> None:
        """Call everything stored so far backlog; what comes now is live."""
        await self._opened.wait()
        self._stock.shelf.mark_backlog(self._stock.directory.through_chunk)

    async def wait_for_rows(self) -> None:
        """Return when there may be something to take."""
        await self._opened.wait()
        while not self._stock.has_something(self._now_s()):
            self._changed.clear()
            due_s = self._stock.next_due_s()
            await _pause(self._changed, None if due_s is None else max(0.0, due_s - self._now_s()))

    def state(self) -> OutboxState:
        """Return how the outbox stands now."""
        if not self._opened.is_set():
            return OutboxState(rows=len(self._waiting))
        stock, usage = self._stock, self._upkeep.usage
        rows = stock.shelf.rows + len(stock.refusals.rows)
        room = self._upkeep.room_bytes - usage.used
        per_row = stock.shelf.size / stock.shelf.rows if stock.shelf.rows else 12.0
        return OutboxState(
            rows=rows + len(self._waiting) + self._writer.rows_under_way,
            bytes_on_disk=usage.file,
            oldest_recorded_at_ms=stock.oldest_ms(),
            dead_letters=stock.refusals.dead_letters,
            appended=stock.directory.appended,
            settled=stock.directory.settled,
            losses=dict(stock.directory.losses),
            capacity_s=capacity_s(self._pace.rows_per_s, self._settings.max_rows - rows, room, per_row),
            is_degraded=self._writer.trouble is not None,
            trouble=SENTENCES[self._writer.trouble] if self._writer.trouble else "",
        )

    # The writer.

    async def run(self) -> None:
        """Write what comes until cancelled. Raises OperatorNeeded when another hub has the file."""
        try:
            await self.open()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._salvage_for_ever())
                while True:
                    await self._until_due()
                    await self._turn()
        finally:
            await self.close()

    async def open(self) -> None:
        """Open the file and learn what it holds."""
        await self._writer.open(self._relieve)
        self._last_commit_s = self._last_told_s = self._now_s()
        await self._measure()
        self._opened.set()

    async def close(self) -> None:
        """Write what is in memory, if the disk lets us, and close the file."""
        if self._opened.is_set() and self._writer.is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self._write_everything()
        for promise in self._promises:
            promise.cancel()
        await self._writer.close()

    async def _write_everything(self) -> None:
        if await self._writer.resume():
            while not (work := self._gather(with_news=True)).is_empty:
                if not await self._writer.try_once(work):
                    return
                self._published()

    async def _until_due(self) -> None:
        while (wait_s := self._due_s() - self._now_s()) > 0:
            self._wake.clear()
            await _pause(self._wake, wait_s)

    def _due_s(self) -> float:
        due_s = self._last_look_s + LOOK_S
        if self._is_urgent or len(self._waiting) >= GROUP_ROWS:
            return 0.0
        if len(self._waiting):
            due_s = min(due_s, self._last_commit_s + self._settings.commit_interval_s)
        if self._stock.has_news:
            due_s = min(due_s, self._last_told_s + self._settings.settle_interval_s)
        return due_s

    async def _turn(self) -> None:
        self._is_urgent = False
        now_s = self._now_s()
        is_time_to_tell = now_s - self._last_told_s >= self._settings.settle_interval_s
        work = self._gather(with_news=is_time_to_tell or self._stock.has_urgent_news)
        promises, self._promises = self._promises, []
        await self._write(work, promises)
        if self._unmeasured >= MEASURE_ROWS:
            await self._measure()
        if now_s - self._last_look_s >= LOOK_S or self._upkeep.is_pressed:
            await self._look(now_s)

    async def _write(self, work: Work, promises: list[asyncio.Future[None]]) -> None:
        if not work.is_empty or self._writer.is_damaged:
            before_s = self._last_commit_s
            try:
                await self._writer.write(work, self._relieve)
            except BaseException:
                self._promises = promises + self._promises
                raise
            self._last_commit_s = self._now_s()
            self._unmeasured += len(work.telemetry) + len(work.alarms)
            self._pace.see(len(work.telemetry) + len(work.alarms), self._last_commit_s - before_s)
        self._published()
        for promise in promises:
            if not promise.done():
                promise.set_result(None)

    async def _look(self, now_s: float) -> None:
        self._last_look_s = now_s
        await self._measure()
        try:
            work = await self._writer.given_up(self._now_ms() - round(self._settings.dead_letter_s * 1000))
        except StorageTrouble as error:
            self._writer.report(error)
            return
        if work is not None:
            await self._writer.write(work, self._relieve)
        await self._upkeep.step(self._relieve)
        self._say_dead_letters()
        self._published()

    def _say_dead_letters(self) -> None:
        count = self._stock.refusals.dead_letters
        if count and not self._said_dead_letters:
            message = f"the cloud refuses {count} rows: see penstock outbox dead-letter list"
            self._events.raise_event("warning", "dead_letters", message)
        elif self._said_dead_letters and not count:
            self._events.clear_event("dead_letters")
        self._said_dead_letters = count
        self._say_refusals()

    def _say_refusals(self) -> None:
        is_full = self._stock.refusals.is_full
        if is_full and not self._said_refusals_full:
            message = (
                "the cloud refuses more rows than are set aside; the others stay among the rest "
                "and are offered again every hour: see penstock outbox dead-letter list"
            )
            self._events.raise_event("error", "refusals_full", message)
        elif self._said_refusals_full and not is_full:
            self._events.clear_event("refusals_full")
        self._said_refusals_full = is_full

    async def _measure(self) -> None:
        self._unmeasured = 0
        await self._upkeep.measure()

    def _published(self) -> None:
        self._room.set()
        self._changed.set()

    def _relieve(self) -> None:
        """Let those who wait for room go on: the disk fails, and older rows give way from now on."""
        self._room.set()

    def _gather(self, *, with_news: bool) -> Work:
        telemetry, alarms, forgotten = self._waiting.drain()
        work = Work(self._clock.stamp(self._clock.monotonic_s()), telemetry, alarms, forgotten)
        self._writer.tell_losses(work)
        for other in self._salvaged:
            work.imports += other.imports
            work.losses += other.losses
            work.failed += self._stock.refusals.adopt(other.failed)
            work.salvage_progress = other.salvage_progress
        self._salvaged.clear()
        self._place_boots(work)
        if with_news:
            self._last_told_s = self._now_s()
            self._writer.tell_news(work)
        return work

    async def _salvage_for_ever(self) -> None:
        while True:
            await self._salvage.run_once(self._stock.directory.salvaged)
            await self._writer.started_over.wait()
            self._writer.started_over.clear()

    async def _write_salvaged(self, work: Work) -> None:
        self._salvaged.append(work)
        self._is_urgent = True
        await self._promise()

    def _place_boots(self, work: Work) -> None:
        # Each time: a fresh file knows nothing of them.
        for boot_id, (offset_ms, time_quality) in self._known_boots.items():
            if self._stock.place_boot(boot_id, offset_ms, time_quality):
                work.needs_snapshot = True
        is_known = work.stamp.time_quality != TimeQuality.PENDING
        now_ms = work.stamp.recorded_at_ms if is_known else None
        if self._stock.place_ended(self._settings.boot_id, now_ms):
            work.needs_snapshot = True

    def _hurry(self) -> None:
        self._is_urgent = True
        self._wake.set()

    def _now_ms(self) -> int:
        return self._clock.stamp(self._clock.monotonic_s()).recorded_at_ms

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


async def _pause(event: asyncio.Event, seconds: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
