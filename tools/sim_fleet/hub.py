"""One hub of a simulated fleet: the real uplink over a simulated outbox."""

import time
from collections import Counter

from hub.ports import Stamp
from hub.uplink.exchange import Transport
from hub.uplink.service import UplinkService
from hub.uplink.settings import UplinkSettings
from shared_schema.enums import TimeQuality
from tools.sim_fleet.outbox import FleetOutbox
from tools.sim_fleet.plan import FleetPlan


class SystemTime:
    """A hub.ports.Clock that knows the time."""

    def monotonic_s(self) -> float:
        """Return seconds on a clock that never steps."""
        return time.monotonic()

    def stamp(self, monotonic_s: float) -> Stamp:
        """Return the wall time of a monotonic moment."""
        return Stamp(round((time.time() - time.monotonic() + monotonic_s) * 1000), TimeQuality.SYNCED)


class Troubles:
    """A hub.ports.EventSink for a whole fleet: how often each trouble came, and its last words."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._words: dict[str, str] = {}

    def raise_event(self, level: str, code: str, message: str, *, device_key: str | None = None) -> None:  # noqa: ARG002
        """Count one."""
        self._counts[code] += 1
        self._words[code] = message

    def clear_event(self, code: str, *, device_key: str | None = None) -> None:
        """Troubles stay counted after they have passed."""

    def sentences(self) -> list[str]:
        """Return one for each kind of trouble, the commonest first."""
        return [f"{count} x {code}: {self._words[code]}" for code, count in self._counts.most_common()]


class SimulatedHub:
    """key: its device key. outbox: what it has made and what the cloud has of it; empty until it begins."""

    def __init__(
        self, key: str, secret: str, plan: FleetPlan, *, url: str, transport: Transport, troubles: Troubles
    ) -> None:
        self.key = key
        self.outbox = FleetOutbox()
        settings = UplinkSettings(
            url, key, secret, retry_base_s=plan.retry_base_s, retry_max_s=plan.retry_max_s
        )
        self._uplink = UplinkService(self.outbox, transport, SystemTime(), troubles, settings)

    @property
    def is_online(self) -> bool:
        """Whether the cloud was reached at the last try."""
        return self._uplink.state().is_online

    async def run(self) -> None:
        """Upload until cancelled."""
        await self._uplink.run()
