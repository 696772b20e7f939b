"""Looks at the clocks now and then, and tells those who wait for the time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from hub.clock import CameToBeKnown, ClockTruth, ServerTime, Stepped
from hub.ports import EventSink

LOOK_KNOWN_S = 5.0  # each look costs some microseconds; a step is noticed within this
LOOK_UNKNOWN_S = 1.0  # readings pile up as pending meanwhile
UNKNOWN_TOO_LONG_S = 600.0  # a time server answers within minutes of the network being up

OnKnown = Callable[[CameToBeKnown], Awaitable[None]]


class WatchedClock(Protocol):
    """A clock that can be looked at and given hints (clock_io.SystemClock)."""

    truth: ClockTruth

    def monotonic_s(self) -> float:
        """Return seconds since the boot."""
        ...

    def observe(self) -> CameToBeKnown | Stepped | None:
        """Read both clocks and let the truth decide."""
        ...

    def hint(self, hint: ServerTime) -> CameToBeKnown | Stepped | None:
        """Pass on the time an answer of the cloud carried."""
        ...


class ClockService:
    """Keeps a clock true. on_known is awaited once, when the clock of this boot came to be known."""

    def __init__(self, clock: WatchedClock, events: EventSink, on_known: OnKnown) -> None:
        self._clock = clock
        self._events = events
        self._on_known = on_known
        self._hints: list[ServerTime] = []
        self._hinted = asyncio.Event()
        self._first_look_s: float | None = None

    def hint(self, date_ms: int, sent_s: float, received_s: float) -> None:
        """Take the Date of an answer of the cloud, and when it was asked for and received."""
        if self._hints:
            return  # one per look says enough, and cannot pile up
        self._hints.append(ServerTime(sent_s, received_s, date_ms))
        if not self._clock.truth.is_known:
            self._hinted.set()

    async def look(self) -> None:
        """Look once; called before anything is stamped, so that a known clock is known from the first row."""
        if self._first_look_s is None:
            self._first_look_s = self._clock.monotonic_s()
        changes = [self._clock.observe()]
        changes += [self._clock.hint(hint) for hint in self._hints]
        self._hints.clear()
        for change in changes:
            await self._tell(change)
        self._judge(self._clock.monotonic_s() - self._first_look_s)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            self._hinted.clear()
            wait_s = LOOK_KNOWN_S if self._clock.truth.is_known else LOOK_UNKNOWN_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._hinted.wait()

    async def _tell(self, change: CameToBeKnown | Stepped | None) -> None:
        if isinstance(change, CameToBeKnown):
            await self._on_known(change)
            self._events.raise_event("info", "clock_known", f"the time is known from {change.source}")
            self._events.clear_event("clock_unknown")
        elif isinstance(change, Stepped):
            self._events.clear_event("clock_stepped")
            self._events.raise_event(
                "info", "clock_stepped", f"the clock moved by {change.by_ms / 1000:+.3f} s"
            )

    def _judge(self, looking_s: float) -> None:
        truth = self._clock.truth
        if not truth.is_known and looking_s > UNKNOWN_TOO_LONG_S:
            self._events.raise_event(
                "warning",
                "clock_unknown",
                "no time server vouches for the clock; readings are kept but cannot be sent (allow NTP, "
                'UDP port 123, or set the clock\'s trust to "cloud", or to "system" on a machine with a '
                "battery-backed clock)",
            )
        apart_ms = truth.disagreement_ms()
        if apart_ms:
            self._events.raise_event(
                "warning",
                "clock_disagrees",
                f"this machine's clock is {apart_ms / 1000:+.0f} s from the cloud's (check its time server)",
            )
        else:
            self._events.clear_event("clock_disagrees")
