"""The way of one hub to the cloud: the fleet's transport, with what is to go wrong, and a count of it all."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.uplink import exchange
from hub.uplink.exchange import Answer, Failure, Request, Traffic, Transport
from tools.sim_fleet.faults import Faults
from tools.sim_fleet.latencies import Latencies

_INSERT = "/rest/v1/"


@dataclass
class Tally:
    """What the whole fleet has sent. batches: inserts that were answered. latencies: of these."""

    batches: int = 0
    answers_lost: int = 0
    failures: int = 0
    latencies: Latencies = field(default_factory=Latencies)


class UplinkPath:
    """A Transport of one hub over one that many share. elapsed_s: real, since the run began."""

    def __init__(
        self, inner: Transport, hub: int, faults: Faults, tally: Tally, elapsed_s: Callable[[], float]
    ) -> None:
        self._inner = inner
        self._hub = hub
        self._faults = faults
        self._tally = tally
        self._elapsed_s = elapsed_s

    async def exchange(self, request: Request) -> Answer | Failure:
        """Send one request, unless the hub is cut off; lose its answer when it is to be lost."""
        began_s = self._elapsed_s()
        if self._faults.is_cut_off(self._hub, began_s):
            return Failure(exchange.REFUSED, "no connection: a simulated outage")
        came = await self._inner.exchange(request)
        now_s = self._elapsed_s()
        if request.method != "POST" or not request.path.startswith(_INSERT):
            return came
        if isinstance(came, Failure) or came.status >= 300:
            self._tally.failures += 1
            return came
        self._tally.batches += 1
        self._tally.latencies.add(now_s - began_s)
        # An outage that began meanwhile takes the answer with it.
        is_lost = self._faults.loses_answer(self._tally.batches, now_s)
        if is_lost or self._faults.is_cut_off(self._hub, now_s):
            self._tally.answers_lost += 1
            return Failure(exchange.CUT, "the answer broke off: a simulated fault")
        return came

    def traffic(self) -> Traffic:
        """Return what all hubs together sent."""
        return self._inner.traffic()
