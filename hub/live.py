"""The newest reading of each device, kept beside the way into the outbox."""

from collections.abc import Mapping, Sequence

from hub.ports import Reading, ReadingSink, Value
from shared_schema.metrics import KINDS, Kind


class LiveReadings:
    """A ReadingSink in front of another; remembers what passes."""

    def __init__(self, outbox: ReadingSink, kinds: Sequence[Kind] = KINDS) -> None:
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

    def values_of(self, device_key: str) -> Mapping[str, Value]:
        """Return the newest values of a device by metric; nothing before its first reading."""
        reading = self._newest.get(device_key)
        return {} if reading is None else dict(zip(self._names[reading.kind], reading.values, strict=True))

    def _remember(self, rows: Sequence[Reading]) -> None:
        for row in rows:
            if row.kind in self._names:
                self._newest[row.device_key] = row
