"""The newest reading of each device, kept beside the way into the outbox."""

from collections.abc import Awaitable, Mapping, Sequence

from hub.ports import NumberedSink, Reading, Value
from shared_schema.metrics import KINDS, Kind


class LiveReadings:
    """A NumberedSink in front of another; remembers what passes."""

    def __init__(self, outbox: NumberedSink, kinds: Sequence[Kind] = KINDS) -> None:
        self._outbox = outbox
        self._names = {kind.name: kind.field_names for kind in kinds if kind.is_telemetry}
        self._newest: dict[str, Reading] = {}

    async def offer(self, rows: Sequence[Reading]) -> None:
        """Hand rows on."""
        self._remember(rows)
        await self._outbox.offer(rows)

    async def append(self, rows: Sequence[Reading], lane: int) -> None:
        """Hand rows on and return once they are on disk."""
        self._remember(rows)
        await self._outbox.append(rows, lane)

    async def hand_over(self, rows: Sequence[Reading], lane: int) -> Awaitable[None]:
        """Hand rows on and return the promise."""
        self._remember(rows)
        return await self._outbox.hand_over(rows, lane)

    async def last_seq(self, device_key: str, epoch: int) -> int:
        """Return what the outbox says."""
        return await self._outbox.last_seq(device_key, epoch)

    def values_of(self, device_key: str) -> Mapping[str, Value]:
        """Return the newest values of a device by metric; nothing before its first reading."""
        reading = self._newest.get(device_key)
        return {} if reading is None else dict(zip(self._names[reading.kind], reading.values, strict=True))

    def _remember(self, rows: Sequence[Reading]) -> None:
        for row in rows:
            if row.kind in self._names:
                self._newest[row.device_key] = row
