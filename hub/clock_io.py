"""The machine's clocks.

The boot clock counts through suspend and restarts of the hub, so moments of one boot can be compared
whichever process read them. Where a system has no such clock or no boot id, every process is its own boot.
"""

import ctypes
import sys
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path

from hub.clock import CameToBeKnown, ClockTruth, Observation, ServerTime, Stepped
from hub.ports import Stamp

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")  # random(4)
STA_UNSYNC = 0x0040  # adjtimex(2): clock unsynchronized
TIME_ERROR = 5  # adjtimex(2): the system clock is not synchronized to a reliable server
READ_WITHIN_S = 0.001  # two readings of the boot clock this close enclose the wall clock well enough
_FAMILY = "CLOCK_BOOTTIME" if hasattr(time, "CLOCK_BOOTTIME") else "CLOCK_MONOTONIC"


class _Timex(ctypes.Structure):
    """The start of struct timex, and room for the rest of it. Source: adjtimex(2)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def boot_id() -> str:
    """Return the name of this boot; a new one per process where the system keeps none."""
    try:
        return BOOT_ID_FILE.read_text(encoding="ascii").strip()
    except OSError:
        return _own_name()


@cache
def _own_name() -> str:
    return str(uuid.uuid4())


def boot_clock_s() -> float:
    """Return seconds since the boot, suspend included."""
    clock_id: int | None = getattr(time, _FAMILY, None)
    return time.monotonic() if clock_id is None else time.clock_gettime(clock_id)


def kernel_verdict(result: int, status: int) -> bool | None:
    """Return whether what adjtimex answered means that the clock is synchronised; None: it refused."""
    if result < 0:
        return None
    return result != TIME_ERROR and not status & STA_UNSYNC


def kernel_asker() -> Callable[[], bool | None]:
    """Return a question to the kernel: is the wall clock synchronised? It answers None if it cannot say."""
    call = getattr(ctypes.CDLL(None), "adjtimex", None) if sys.platform == "linux" else None

    def ask() -> bool | None:
        if call is None:
            return None
        timex = _Timex()
        result: int = call(ctypes.byref(timex))  # modes = 0 reads and needs no privilege
        return kernel_verdict(result, timex.status)

    return ask


class SystemClock:
    """The Clock of a running hub: ClockTruth fed with this machine's clocks."""

    def __init__(
        self,
        truth: ClockTruth,
        *,
        boot_s: Callable[[], float] = boot_clock_s,
        wall_s: Callable[[], float] = time.time,
        is_synced: Callable[[], bool | None] | None = None,
    ) -> None:
        self.truth = truth
        self._boot_s = boot_s
        self._wall_s = wall_s
        self._is_synced = is_synced or kernel_asker()

    def monotonic_s(self) -> float:
        """Return seconds since the boot."""
        return self._boot_s()

    def stamp(self, monotonic_s: float) -> Stamp:
        """Return the wall time of a moment of this boot, as far as it is known."""
        return self.truth.stamp(monotonic_s)

    def observe(self) -> CameToBeKnown | Stepped | None:
        """Read both clocks and let the truth decide."""
        return self.truth.observe(self._look())

    def hint(self, hint: ServerTime) -> CameToBeKnown | Stepped | None:
        """Pass on the time an answer of the cloud carried."""
        return self.truth.hint(hint)

    def _look(self) -> Observation:
        was_synced = self._is_synced()
        for _ in range(3):
            before_s, wall_s, after_s = self._boot_s(), self._wall_s(), self._boot_s()
            if after_s - before_s <= READ_WITHIN_S:
                break
        # Asked on both sides: setting the clock by hand in between marks it unsynchronised only afterwards.
        is_synced = self._is_synced() if was_synced else was_synced
        return Observation((before_s + after_s) / 2, wall_s * 1000, is_synced)
