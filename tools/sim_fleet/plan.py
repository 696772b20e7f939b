"""What a fleet is asked to be: how many, how often, how long, how fast, and the names that follow from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from shared_schema.metrics import HEARTBEAT, Kind
from tools.sim.water import noise
from tools.sim_fleet.readings import KINDS

HEARTBEAT_S = 30.0
RETRY_BASE_S, RETRY_MAX_S = 30.0, 300.0  # as a hub's
LEAST_RETRY_S = 1.0
MS = 1000
_PHASE_CHANNEL = 1
_READ_APART_MS = 40  # the transmitters of a line are read one after the other


class StreamPlan(NamedTuple):
    """The rows of one device. The row with number seq is of first_ms + (seq - 1) * step_ms, Unix ms."""

    device_key: str
    kind: Kind
    seed: int
    epoch: int
    first_ms: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """A fleet. devices: behind each hub. interval_s: from reading to reading, simulated.

    seconds: how long it lasts, real. speed_up: simulated seconds in a real one. prefix: of all device keys.
    """

    hubs: int
    devices: int
    interval_s: float = 60.0
    seconds: float = 60.0
    speed_up: float = 1.0
    seed: int = 0
    prefix: str = "sim"

    @property
    def tenant(self) -> str:
        """The tenant all of them belong to."""
        return f"Simulated fleet {self.prefix}"

    @property
    def retry_base_s(self) -> float:
        """The first pause of a hub that lost the cloud, real: in simulated time it is that of a real hub."""
        return max(LEAST_RETRY_S, RETRY_BASE_S / self.speed_up)

    @property
    def retry_max_s(self) -> float:
        """The longest of these pauses."""
        return max(LEAST_RETRY_S, RETRY_MAX_S / self.speed_up)

    def hub_key(self, hub: int) -> str:
        """Return the key of a hub. hub: from 0."""
        return f"{self.prefix}-hub-{hub + 1:05d}"

    def devices_of(self, hub: int) -> Iterator[tuple[str, Kind]]:
        """Yield key and kind of the devices behind a hub: all kinds in turn."""
        for number in range(self.devices):
            kind = KINDS[number % len(KINDS)]
            yield f"{self.hub_key(hub)}-{kind.name}-{number + 1}", kind

    def streams_of(self, hub: int, start_ms: int, epoch: int) -> list[StreamPlan]:
        """Return what a hub sends from a moment on: its devices' readings and its own heartbeats.

        Hubs are spread over the interval, so that a fleet is no choir.
        """
        share = (noise(self.seed, _PHASE_CHANNEL, hub) + 1) / 2
        step_ms, beat_ms = round(self.interval_s * MS), round(HEARTBEAT_S * MS)
        first_ms = start_ms + round(share * step_ms)
        seed = self.seed * 1_000_003 + hub * 1009
        streams = [
            StreamPlan(key, kind, seed + number, epoch, first_ms - number * _READ_APART_MS, step_ms)
            for number, (key, kind) in enumerate(self.devices_of(hub), 1)
        ]
        beat = StreamPlan(
            self.hub_key(hub), HEARTBEAT, seed, epoch, start_ms + round(share * beat_ms), beat_ms
        )
        return [*streams, beat]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Simulated time. It starts in the past and never passes the real one: the cloud would refuse that."""

    began_s: float
    start_ms: int
    speed_up: float

    @classmethod
    def of(cls, plan: FleetPlan, now_s: float, now_ms: int) -> "Timeline":
        """Return the one that begins now. now_s: monotonic. now_ms: Unix."""
        return cls(now_s, now_ms - round(plan.seconds * (plan.speed_up - 1) * MS), plan.speed_up)

    def at_ms(self, now_s: float) -> int:
        """Return the simulated moment, Unix ms."""
        return self.start_ms + round((now_s - self.began_s) * self.speed_up * MS)

    def real_s(self, at_ms: int) -> float:
        """Return the monotonic moment at which a simulated one comes."""
        return self.began_s + (at_ms - self.start_ms) / MS / self.speed_up
