"""Rows that wait for an operator: of devices the cloud does not know, of tables it does not have as we do.

Rule 1: they hold up nobody. A batch that holds nothing else stays on loan, so that others are lent past it.
Rule 2: they stay. The cloud is asked again, ever more slowly, and they go as soon as it knows them.
Rule 3: memory for them is bounded. What finds no room is given back as refused, with the reason; the outbox
        sets it aside where an operator finds it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from hub.ports import EventSink
from hub.uplink.backoff import Backoff
from hub.uplink.outbox_service import Sleep
from hub.uplink.outcome import Reaction
from hub.uplink.parcel import Parcel, Parking
from hub.uplink.session_service import Session

Redelivery = Callable[[Parcel], Awaitable[None]]

SCHEMA_EVENT = "cloud_schema"
DEVICE_EVENT = "device_unregistered"


class ParkedRows:
    """Decides which parcels wait, and asks the cloud about them."""

    def __init__(self, session: Session, events: EventSink, max_rows: int, backoff: Backoff) -> None:
        self._session = session
        self._events = events
        self._parking = Parking(max_rows)
        self._backoff = backoff
        self._missing: set[str] = set()
        self._troubled_kinds: set[str] = set()
        self._wanted = asyncio.Event()

    @property
    def rows(self) -> int:
        """How many rows are held in memory."""
        return self._parking.rows

    def keep(self, parcel: Parcel) -> bool:
        """Note what a parcel lacks. True when it stays here; False when it goes back to the outbox."""
        self._note_missing(set(parcel.unknown.values()))
        trouble = parcel.trouble
        if trouble is not None and trouble.reaction is Reaction.PARK:
            self._note_table(parcel.batch.kind, trouble.reason)
        elif not parcel.unknown or len(parcel.unknown) < len(parcel.batch):
            return False
        if self._parking.put(parcel):
            return True
        parcel.rejected.update((row, _why(parcel, row)) for row in parcel.open_rows())
        return False

    async def attend(self, sleep: Sleep, chance: Callable[[], float], deliver: Redelivery) -> None:
        """Ask the cloud again and again while something is lacking, and deliver what it takes by now."""
        while True:
            await self._wanted.wait()
            await sleep(self._backoff.next_s(chance()))
            await self._session.refresh_directory()
            is_better = self._note_found()
            await self._redeliver(deliver)
            if not self._troubled_kinds:
                self._events.clear_event(SCHEMA_EVENT)
            if is_better:
                self._backoff.reset()
            if not self._missing and not self._parking:
                self._wanted.clear()

    def leave(self) -> list[Parcel]:
        """Hand out what still waits, to be given back at shutdown."""
        return [self._parking.take() for _ in range(len(self._parking))]

    async def _redeliver(self, deliver: Redelivery) -> None:
        self._troubled_kinds.clear()
        for _ in range(len(self._parking)):
            parcel = self._parking.take()
            # One refusal tells all about a table: the others of its kind are not asked for.
            if parcel.batch.kind in self._troubled_kinds:
                self._parking.put(parcel)
            else:
                await deliver(parcel)

    def _note_missing(self, keys: set[str]) -> None:
        for key in keys - self._missing:
            message = (
                f"the cloud knows no device {key!r} behind this hub; its rows wait until it is registered"
            )
            self._events.raise_event("warning", DEVICE_EVENT, message, device_key=key)
            self._wanted.set()
        self._missing |= keys

    def _note_found(self) -> bool:
        found = self._missing & self._session.ids.keys()
        for key in found:
            self._events.clear_event(DEVICE_EVENT, device_key=key)
        self._missing -= found
        return bool(found)

    def _note_table(self, kind: str, reason: str) -> None:
        self._troubled_kinds.add(kind)
        self._events.raise_event("error", SCHEMA_EVENT, reason)
        self._wanted.set()


def _why(parcel: Parcel, row: int) -> str:
    if row in parcel.unknown:
        return f"the cloud knows no device {parcel.unknown[row]!r} behind this hub; register it and retry"
    return parcel.trouble.reason if parcel.trouble is not None else "waited for an operator"
