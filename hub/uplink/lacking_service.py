"""What the cloud lacks: devices it does not know, tables it does not have as we do.

Rule 1: rows that need it rest in the outbox, on disk; they hold up nobody and take no memory here.
Rule 2: the cloud is asked again, ever more slowly: once for all devices, once for a table.
Rule 3: rows rest long, so that millions of them are not read again and again; as soon as the cloud has what
        it lacked, every rest is ended.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hub.ports import Clock, EventSink
from hub.uplink.backoff import Backoff
from hub.uplink.outbox_service import PatientOutbox, Sleep
from hub.uplink.outcome import Reaction
from hub.uplink.parcel import Parcel
from hub.uplink.session_service import Session

SCHEMA_EVENT = "cloud_schema"
DEVICE_EVENT = "device_unregistered"
REST_S = 3600.0
SOON_S = 5.0  # for rows whose device became known while they were under way


@dataclass(slots=True)
class _Table:
    backoff: Backoff
    ask_s: float = 0.0


class Lacking:
    """Decides how long rows rest, and finds out when what was lacking is there."""

    def __init__(
        self,
        session: Session,
        outbox: PatientOutbox,
        clock: Clock,
        events: EventSink,
        new_backoff: Callable[[], Backoff],
        *,
        chance: Callable[[], float],
    ) -> None:
        self._session = session
        self._outbox = outbox
        self._clock = clock
        self._events = events
        self._new_backoff = new_backoff
        self._chance = chance
        self._backoff = new_backoff()
        self._look_s = 0.0
        self._missing: set[str] = set()
        self._tables: dict[str, _Table] = {}
        self._wanted = asyncio.Event()
        self._has_gained = False

    def lacks_table(self, kind: str) -> bool:
        """Whether the table of a kind was refused, and it is not yet time to ask for it again."""
        table = self._tables.get(kind)
        return table is not None and self._clock.monotonic_s() < table.ask_s

    async def settle(self, parcel: Parcel) -> None:
        """Give a parcel back to the outbox, where what has to wait rests."""
        await self._outbox.settle(parcel, self._rest_s(parcel))
        if self._has_gained:
            self._has_gained = False
            await self._outbox.end_rests()

    def _rest_s(self, parcel: Parcel) -> float:
        """Note what a parcel shows, and return how long its open rows rest; 0 when they need not."""
        kind, trouble = parcel.batch.kind, parcel.trouble
        self._note_missing(set(parcel.unknown.values()))
        if trouble is not None and trouble.reaction is Reaction.REST:
            self._note_refused(kind, trouble.reason)
        elif trouble is None and parcel.is_asked:
            self._note_accepted(kind)
        now_s = self._clock.monotonic_s()
        if self.lacks_table(kind):
            # What asked in vain asks again at its time; the others wait for that answer.
            return self._tables[kind].ask_s - now_s if parcel.is_asked else REST_S
        if parcel.unknown and trouble is None:
            return SOON_S if self._session.ids.keys() & set(parcel.unknown.values()) else REST_S
        return 0.0

    async def attend(self, sleep: Sleep) -> None:
        """Read the directory again and again while a device is missing from it."""
        while True:
            await self._wanted.wait()
            await sleep(max(0.0, self._look_s - self._clock.monotonic_s()))
            await self._session.refresh_directory()
            if self._note_found():
                await self._outbox.end_rests()
            if self._missing:
                self._plan()
            else:
                self._wanted.clear()

    def _note_missing(self, keys: set[str]) -> None:
        # A parcel may come back from the cloud after the directory was read anew.
        new = {key for key in keys - self._missing if key not in self._session.ids}
        for key in new:
            message = (
                f"the cloud knows no device {key!r} behind this hub; its rows wait until it is registered"
            )
            self._events.raise_event("warning", DEVICE_EVENT, message, device_key=key)
        self._missing |= new
        if new and not self._wanted.is_set():
            self._plan()
            self._wanted.set()

    def _note_found(self) -> bool:
        found = self._missing & self._session.ids.keys()
        for key in found:
            self._events.clear_event(DEVICE_EVENT, device_key=key)
        self._missing -= found
        if found:
            self._backoff.reset()
        return bool(found)

    def _plan(self) -> None:
        self._look_s = self._clock.monotonic_s() + self._backoff.next_s(self._chance())

    def _note_refused(self, kind: str, reason: str) -> None:
        if kind not in self._tables:
            self._tables[kind] = _Table(self._new_backoff())
            self._events.raise_event("error", SCHEMA_EVENT, reason)
        # Several parcels may have been under way: together they are one answer.
        if not self.lacks_table(kind):
            table = self._tables[kind]
            table.ask_s = self._clock.monotonic_s() + table.backoff.next_s(self._chance())

    def _note_accepted(self, kind: str) -> None:
        if self._tables.pop(kind, None) is None:
            return
        self._has_gained = True
        if not self._tables:
            self._events.clear_event(SCHEMA_EVENT)
