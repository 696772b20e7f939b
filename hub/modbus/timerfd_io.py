"""Waiting to within microseconds inside an event loop, whose own timers know whole milliseconds only.

On Linux a timer descriptor wakes the loop; elsewhere the loop's own timer does, up to 1 ms late.
"""

import asyncio
import contextlib
import ctypes
import os
import sys
import time

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME, timerfd_create(2)
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC if sys.platform == "linux" else 0
# What waking up takes anyway; the rest of it is spent looking at the clock. Longer would stall the loop.
_SPIN_S = 0.00015


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class PreciseTimer:
    """Wakes one waiter at a monotonic moment. Made inside a running loop, closed by its owner."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._descriptor = self._libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS) if self._libc else -1
        self._waiter: asyncio.Future[None] | None = None
        if self._descriptor >= 0:
            self._loop.add_reader(self._descriptor, self._fire)

    def close(self) -> None:
        """Give the descriptor back and let the waiter go."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
        self._wake()

    async def until(self, moment_s: float) -> None:
        """Return at a moment of the monotonic clock, at once when it has passed."""
        await self.near(moment_s)
        while self._descriptor >= 0 and time.monotonic() < moment_s:
            pass

    async def near(self, moment_s: float) -> None:
        """Return shortly before a moment, awake, at once when it is that near already."""
        left_s = moment_s - _SPIN_S - time.monotonic()
        if left_s > 0:
            await self._sleep(moment_s - _SPIN_S, left_s)

    async def _sleep(self, moment_s: float, left_s: float) -> None:
        if self._descriptor < 0 or self._libc is None:
            await asyncio.sleep(left_s)
            return
        nanoseconds = int(moment_s * 1e9)
        spec = _TimerSpec(_Timespec(0, 0), _Timespec(*divmod(nanoseconds, 1_000_000_000)))
        self._libc.timerfd_settime(self._descriptor, _ABSOLUTE, ctypes.byref(spec), None)
        self._waiter = self._loop.create_future()
        await self._waiter

    def _fire(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, 8)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
