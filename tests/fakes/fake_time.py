"""A clock whose sleepers a test wakes, one after the other, while nothing else is going on."""

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from itertools import count

from tests.fakes.fake_clock import FakeClock

TICKS_OF_REST = 3  # turns of the event loop without work, before time is let go on
DEADLINE_S = 20.0  # of real time: a condition that is not met by then never will be


class FakeTime(FakeClock):
    """Hours of sleeping pass in an instant; sleeps holds what was asked for, in order."""

    def __init__(self, monotonic_s: float = 1000.0, *, wall_ms: int = 1_800_000_000_000) -> None:
        super().__init__(monotonic_s, wall_ms=wall_ms)
        self.sleeps: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    async def sleep(self, seconds: float) -> None:
        """Return when time has been moved that far."""
        self.sleeps.append(seconds)
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.monotonic_s() + seconds, next(self._order), woken))
        await woken

    def wake_next(self, horizon_s: float = math.inf) -> None:
        """Move time to the moment the next sleeper waits for, but not beyond the horizon."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if self._sleepers and self._sleepers[0][0] <= horizon_s:
            at_s, _, woken = heapq.heappop(self._sleepers)
            self.advance(max(0.0, at_s - self.monotonic_s()))
            woken.set_result(None)
        elif horizon_s < math.inf:
            self.advance(horizon_s - self.monotonic_s())

    async def until(
        self, condition: Callable[[], bool], *, is_busy: Callable[[], bool], horizon_s: float = math.inf
    ) -> None:
        """Let time pass, never while is_busy, until the condition holds."""
        deadline = time.monotonic() + DEADLINE_S
        rest = 0
        while not condition():
            assert time.monotonic() < deadline, "the condition was not met"
            await asyncio.sleep(0.001)
            rest = 0 if is_busy() else rest + 1
            if rest >= TICKS_OF_REST:
                self.wake_next(horizon_s)
                rest = 0

    async def pass_s(self, seconds: float, *, is_busy: Callable[[], bool]) -> None:
        """Let so much time pass."""
        end_s = self.monotonic_s() + seconds
        await self.until(lambda: self.monotonic_s() >= end_s, is_busy=is_busy, horizon_s=end_s)
