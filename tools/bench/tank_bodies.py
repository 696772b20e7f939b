"""Bodies of uploads as a hub makes them: readings of tanks, a thousand a request."""

import time
from collections.abc import Iterator, Mapping

import uvloop

from hub.ports import Batch
from hub.uplink.rows import body_of
from shared_schema.enums import Lane
from shared_schema.limits import ROWS_PER_REQUEST
from shared_schema.metrics import TANK
from tools.sim_fleet.outbox import FleetOutbox
from tools.sim_fleet.plan import StreamPlan

DEVICES = 8
DAY_MS = 86_400_000


def tanks_of(hub_key: str) -> dict[str, str]:
    """Return the devices behind a hub: kind by key."""
    return {f"{hub_key}-tank-{number + 1}": TANK.name for number in range(DEVICES)}


class TankSite:
    """A hub with tanks whose rows never end. step_ms: from one reading of a tank to its next.

    The first is of so many days ago: rows of the future would be refused, and each is another one.
    """

    def __init__(
        self, ids: Mapping[str, int], hub_key: str, step_ms: int = 1000, days_ago: float = 20
    ) -> None:
        start_ms = round(time.time() * 1000 - days_ago * DAY_MS)
        self._ids = ids
        self._outbox = FleetOutbox()
        self._outbox.begin(
            StreamPlan(key, TANK, number, 7, start_ms + 20 * number, step_ms)
            for number, key in enumerate(tanks_of(hub_key))
        )
        self._start_ms, self._step_ms = start_ms, step_ms
        self._requests = 0

    def bodies(self, requests: int) -> list[str]:
        """Return the JSON of the next requests."""
        return [body_of(batch, TANK, range(len(batch)), self._ids).decode() for batch in self._lent(requests)]

    def _lent(self, requests: int) -> Iterator[Batch]:
        rows_each = ROWS_PER_REQUEST // DEVICES
        for _ in range(requests):
            self._requests += 1
            self._outbox.advance(
                self._start_ms + 20 * DEVICES + (self._requests * rows_each - 1) * self._step_ms
            )
            batch = uvloop.run(self._outbox.take(ROWS_PER_REQUEST, Lane.LIVE))
            if batch is None:
                raise RuntimeError("the outbox had nothing to lend")
            yield batch
