"""Takes events from everywhere, logs each once and brings the reports to the outbox."""

import asyncio
import logging
from contextlib import suppress

from hub.errors import TryAgain
from hub.events import EventBook, Trouble, lane_of, reading_of
from hub.ports import Clock, ReadingSink
from shared_schema.enums import Lane

log = logging.getLogger("penstock.events")

CATCH_UP_S = 10.0  # how often reports that had to wait are tried again; no wake-ups while there are none


class EventService:
    """The hub's EventSink. hub_key: the device that events without a device belong to."""

    def __init__(self, hub_key: str, clock: Clock, book: EventBook) -> None:
        self._hub_key = hub_key
        self._clock = clock
        self.book = book
        self._news = asyncio.Event()

    def raise_event(self, level: str, code: str, message: str, *, device_key: str | None = None) -> None:
        """Report that something is wrong."""
        trouble = self.book.begin(level, code, message, device_key, self._clock.monotonic_s())
        if trouble is not None:
            self._log(logging.getLevelName(trouble.level.upper()), trouble, trouble.message)
            self._news.set()

    def clear_event(self, code: str, *, device_key: str | None = None) -> None:
        """Report that it is right again."""
        now_s = self._clock.monotonic_s()
        trouble = self.book.end(code, device_key, now_s)
        if trouble is not None:
            self._log(logging.INFO, trouble, f"over after {now_s - trouble.began_at_s:.0f} s")
            self._news.set()

    async def run(self, outbox: ReadingSink) -> None:
        """Bring reports to the outbox for ever. The outbox raises events itself, so it comes only now."""
        while True:
            self.book.catch_up(self._clock.monotonic_s())
            with suppress(TryAgain):  # disk and memory are full; what is known about that waits here
                await self.deliver(outbox)
            must_return = self.book.waiting or self.book.has_deferred
            with suppress(TimeoutError):
                async with asyncio.timeout(CATCH_UP_S if must_return else None):
                    await self._news.wait()
            self._news.clear()

    async def deliver(self, outbox: ReadingSink) -> None:
        """Store the reports that wait; one that is not stored goes on waiting. Raises TryAgain."""
        while self.book.waiting:
            report = self.book.waiting[0]
            row = reading_of(report, self._hub_key, self._clock.stamp(report.at_s))
            if lane_of(report) == Lane.ALARM:
                await outbox.append((row,), Lane.ALARM)
            else:
                await outbox.offer((row,))
            if self.book.waiting and self.book.waiting[0] is report:
                self.book.waiting.popleft()

    def _log(self, level: int, trouble: Trouble, what: str) -> None:
        key = trouble.device_key
        where = f"{key}: " if key and not what.startswith(key) else ""
        context = {"correlation_id": trouble.correlation_id, "device_key": trouble.device_key}
        log.log(level, "%s: %s%s", trouble.code, where, what, extra=context)
