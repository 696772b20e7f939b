"""Says how the hub is, every now and then, as a reading of its own device."""

import asyncio
from collections.abc import Callable

from hub.ports import Clock, Reading, ReadingSink
from hub.system.heartbeat import HeartbeatSettings, Probe, Surroundings, Thermometer, values_of
from shared_schema.enums import Quality
from shared_schema.metrics import HEARTBEAT


class HeartbeatService:
    """Offers a heartbeat every interval_s.

    queue_length: rows not yet in the cloud. network_status: one word.
    """

    def __init__(
        self,
        settings: HeartbeatSettings,
        outbox: ReadingSink,
        clock: Clock,
        *,
        probe: Probe,
        thermometer: Thermometer,
        queue_length: Callable[[], int],
        network_status: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._clock = clock
        self._probe = probe
        self._thermometer = thermometer
        self._queue_length = queue_length
        self._network_status = network_status

    async def run(self) -> None:
        """Beat for ever, the first time at once."""
        due_s = self._clock.monotonic_s()
        while True:
            await self._outbox.offer((await self.heartbeat(),))
            # Missed beats are not made up for: two at the same time say nothing new.
            due_s = max(due_s + self._settings.interval_s, self._clock.monotonic_s())
            await asyncio.sleep(due_s - self._clock.monotonic_s())

    async def heartbeat(self) -> Reading:
        """Return how the hub is now."""
        temperature_c = await self._thermometer.temperature_c()
        if temperature_c is None:
            temperature_c = self._probe.temperature_c()
        now_s = self._clock.monotonic_s()
        stamp = self._clock.stamp(now_s)
        around = Surroundings(now_s, self._queue_length(), self._network_status())
        values = values_of(self._probe.load(), temperature_c, around)
        key = self._settings.device_key
        return Reading(key, HEARTBEAT.name, stamp.recorded_at_ms, values, Quality.GOOD, stamp.time_quality)
