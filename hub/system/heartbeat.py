"""What a hub says about itself: the values of a heartbeat."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hub.ports import Value
from shared_schema.text import clean_text

ONLY_OF_NODES = (None,) * 5  # signal, memory, reset cause, battery, clock


@dataclass(frozen=True, slots=True)
class HeartbeatSettings:
    """device_key: the hub's own device."""

    device_key: str
    interval_s: float = 30.0


class Load(NamedTuple):
    """How busy the machine is; None: it does not say. storage: of the disk that holds the data."""

    cpu_percent: float | None
    ram_percent: float | None
    storage_percent: float | None


class Probe(Protocol):
    """Asks the machine (psutil_io.PsutilProbe)."""

    def load(self) -> Load:
        """Return how busy the machine was since the last call."""
        ...

    def temperature_c(self) -> float | None:
        """Return the processor's temperature."""
        ...


class Thermometer(Protocol):
    """A better source for the temperature, where there is one (vcgencmd_io.Vcgencmd)."""

    async def temperature_c(self) -> float | None:
        """Return the processor's temperature; None when this source has none."""
        ...


class Surroundings(NamedTuple):
    """What the other parts know about the hub."""

    uptime_s: float
    queue_length: int
    network_status: str


def values_of(load: Load, temperature_c: float | None, around: Surroundings) -> tuple[Value, ...]:
    """Return the values of a heartbeat in the order of its kind."""
    return (
        _rounded(load.cpu_percent),
        _rounded(load.ram_percent),
        _rounded(load.storage_percent),
        _rounded(temperature_c),
        int(around.uptime_s),
        around.queue_length,
        clean_text(around.network_status),
        *ONLY_OF_NODES,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
