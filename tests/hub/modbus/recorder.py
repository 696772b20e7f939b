"""A sink for samples, and a way to wait for them."""

import asyncio
import time
from collections.abc import Callable

from hub.ports import Sample, Stamp
from shared_schema.enums import TimeQuality

DEADLINE_S = 20.0


class Recorder:
    """samples: everything that was put, in order."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    async def put(self, sample: Sample) -> None:
        self.samples.append(sample)

    def of(self, device_key: str) -> list[Sample]:
        """Return the samples of one device."""
        return [sample for sample in self.samples if sample.device_key == device_key]


class MonotonicClock:
    """The machine's monotonic clock, moved, so that nobody mixes it up with another."""

    def monotonic_s(self) -> float:
        return time.monotonic() + 5000.0

    def stamp(self, monotonic_s: float) -> Stamp:
        return Stamp(int(1000 * monotonic_s), TimeQuality.SYNCED)


async def until(condition: Callable[[], object]) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.005)
