"""Brings over what damaged outboxes still hold, in the background and slowly."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from hub.outbox.disk import Disk, WreckReader
from hub.outbox.salvage import DONE, Salvage, newest, unfinished
from hub.outbox.settings import OutboxSettings
from hub.outbox.squeeze import Zstandard
from hub.outbox.work import Work
from hub.ports import Clock, EventSink
from shared_schema.enums import TimeQuality

log = logging.getLogger("penstock.outbox")

CHUNKS = 16  # in one transaction
BEYOND = (
    2000  # ids looked at past the last one known; a snapshot is at most a thousand chunks and one group old
)
EVENT = "outbox_salvaged"

Write = Callable[[Work], Awaitable[None]]


class SalvageService:
    """One at a time. write: returns when the work is on disk."""

    def __init__(
        self, settings: OutboxSettings, disk: Disk, clock: Clock, events: EventSink, write: Write
    ) -> None:
        self._settings = settings
        self._disk = disk
        self._clock = clock
        self._events = events
        self._write = write
        self._zstandard = Zstandard()

    async def run_once(self, salvaged: dict[str, int]) -> None:
        """Bring over every damaged file that still has something. salvaged: how far each one is."""
        for path in unfinished(self._disk.wrecks(), salvaged):
            wreck = self._disk.wreck(path)
            try:
                await wreck.open()
                await self._bring_over(path, wreck, salvaged.get(path, 0))
            finally:
                await wreck.close()

    async def _bring_over(self, path: str, wreck: WreckReader, done: int) -> None:
        old = newest(await wreck.snapshots(), self._zstandard)
        if old is None:
            await self._write(self._work(path, DONE))
            message = f"{path} cannot be read at all; what was in it and not yet sent is lost"
            self._events.raise_event("critical", EVENT, message)
            return
        salvage = Salvage(old, self._zstandard)
        stamp = self._clock.stamp(self._clock.monotonic_s())
        if stamp.time_quality != TimeQuality.PENDING:
            salvage.place_boots(self._settings.boot_id, stamp.recorded_at_ms)
        await self._bring_chunks(path, wreck, salvage, done)
        await self._finish(path, wreck, salvage)

    async def _bring_chunks(self, path: str, wreck: WreckReader, salvage: Salvage, done: int) -> None:
        last = salvage.old.through_chunk + BEYOND
        first = max(1, salvage.old.oldest_chunk)
        while first <= last:
            work = self._work(path, first + CHUNKS - 1)
            for row in await wreck.chunks(first, first + CHUNKS - 1):
                brought = salvage.take(row, await wreck.states(row.chunk_id))
                if brought is not None and row.chunk_id > done:
                    work.imports.append(brought)
            if work.imports:
                await self._write(work)
                await asyncio.sleep(len(work.imports) / self._settings.salvage_chunks_per_s)
            first += CHUNKS

    async def _finish(self, path: str, wreck: WreckReader, salvage: Salvage) -> None:
        work = self._work(path, DONE)
        work.losses += salvage.losses()
        work.failed += await wreck.failed()
        await self._write(work)
        lost = sum(loss.rows for loss in work.losses)
        if lost or salvage.damaged:
            message = f"{path} is brought over but for at most {lost} rows, now in the loss ledger"
            self._events.raise_event("error", EVENT, message)
        else:
            with suppress(OSError):  # it is not read again, only in the way
                self._disk.delete_wreck(path)
            self._events.raise_event("info", EVENT, f"everything in {path} is brought over")

    def _work(self, path: str, through: int) -> Work:
        return Work(self._clock.stamp(self._clock.monotonic_s()), salvage_progress=(path, through))
