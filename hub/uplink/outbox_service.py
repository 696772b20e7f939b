"""The uplink's side of the outbox, with patience: a failing disk must neither end the uplink nor lose a word.

Owns the repetition and the event; leaves everything else about the outbox to the outbox.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from hub.errors import PenstockError
from hub.ports import Batch, BatchSource, EventSink
from hub.uplink.backoff import Backoff
from hub.uplink.parcel import Parcel

Sleep = Callable[[float], Awaitable[None]]
Result = TypeVar("Result")

RETRY_BASE_S = 1.0  # a locked or full disk may be right again in a moment, and asking it costs nothing
RETRY_MAX_S = 60.0
PARTING_S = 2.0  # at shutdown; what cannot be told by then is sent again, and ignored by the cloud
EVENT = "outbox_unavailable"


class PatientOutbox:
    """A BatchSource whose troubles are waited out."""

    def __init__(self, source: BatchSource, events: EventSink, sleep: Sleep) -> None:
        self._source = source
        self._events = events
        self._sleep = sleep

    def rows(self) -> int:
        """Return how many rows wait."""
        return self._source.state().rows

    async def take(self, limit: int, *lanes: int) -> Batch | None:
        """Lend rows of the first lane that has some."""
        for lane in lanes:
            batch = await self._patiently(partial(self._source.take, limit, lane))
            if batch is not None:
                return batch
        return None

    async def settle(self, parcel: Parcel, rest_s: float) -> None:
        """Give a parcel's batch back with what is known of its rows. rest_s: for those that stay."""
        stored = frozenset(parcel.stored)
        await self._patiently(partial(self._source.settle, parcel.batch, stored, parcel.rejected, rest_s))

    async def settle_in_parting(self, parcel: Parcel) -> None:
        """Say once what is known, without insisting."""
        if not parcel.has_news:
            return
        try:
            async with asyncio.timeout(PARTING_S):
                await self._source.settle(parcel.batch, frozenset(parcel.stored), parcel.rejected)
        except (PenstockError, TimeoutError):
            return

    async def end_rests(self) -> None:
        """Have what rests lent again."""
        await self._patiently(self._source.end_rests)

    async def mark_backlog(self) -> None:
        """Call everything stored so far backlog."""
        await self._patiently(self._source.mark_backlog)

    async def wait_for_rows(self) -> None:
        """Return when there may be something to take."""
        await self._source.wait_for_rows()

    async def _patiently(self, act: Callable[[], Awaitable[Result]]) -> Result:
        backoff = Backoff(RETRY_BASE_S, RETRY_MAX_S)
        while True:
            try:
                result = await act()
            except PenstockError as error:
                self._events.raise_event("error", EVENT, str(error))
                await self._sleep(backoff.next_s(0.0))
                continue
            if backoff.failures:
                self._events.clear_event(EVENT)
            return result
