"""Supervision by progress: what has to move is watched; the service manager hears of a hub that moves."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.ports import Clock, EventSink
from hub.progress import Progress

LOOK_S = 10.0


class ServiceManager(Protocol):
    """Restarts a hub that hangs (systemd_io.Notifier). watchdog_s: how often it wants to hear, if at all."""

    watchdog_s: float | None

    def ready(self) -> None:
        """Say that every part of the hub is running."""
        ...

    def alive(self) -> None:
        """Say that everything that has to move moves."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """Something that has to move. is_due: whether it has to just now."""

    progress: Progress
    counter: Callable[[], float]
    is_due: Callable[[], bool]


class WatchService:
    """Looks every LOOK_S, or twice per watchdog period where that is shorter."""

    def __init__(
        self, watched: Sequence[Watched], clock: Clock, events: EventSink, manager: ServiceManager
    ) -> None:
        self._watched = watched
        self._clock = clock
        self._events = events
        self._manager = manager

    async def run(self) -> None:
        """Watch until cancelled."""
        watchdog_s = self._manager.watchdog_s
        pause_s = min(LOOK_S, watchdog_s / 2) if watchdog_s else LOOK_S
        self._manager.ready()
        while True:
            self.look()
            await asyncio.sleep(pause_s)

    def look(self) -> None:
        """Look once; say that the hub is alive unless something hangs."""
        now_s = self._clock.monotonic_s()
        hangs = [
            one.progress
            for one in self._watched
            if one.progress.is_stuck(one.counter(), now_s, is_due=one.is_due())
        ]
        for progress in hangs:
            message = f"{progress.name} has not moved for {progress.limit_s:g} s; the hub wants a restart"
            self._events.raise_event("critical", f"stuck:{progress.name}", message)
        if not hangs:
            self._manager.alive()
