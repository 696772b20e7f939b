"""The demo's eight transmitters: what hangs where on the bus, and how often a hub should ask."""

from dataclasses import dataclass

from tools.sim import slave
from tools.sim.line import Line
from tools.sim.slave import SimulatedSlave

# The default of MODBUS over Serial Line V1.02, section 2.5.1: even parity, 11 bits per character.
LINE = Line(baud=19_200, parity="even", stop_bits=1)
SPEED_UP = 60.0  # a minute a second: a tank fills and empties while one watches


@dataclass(frozen=True, slots=True)
class Transmitter:
    """One device of the demo. turnaround_ms: how long it thinks before it answers."""

    device_key: str
    profile: str
    address: int
    place: str
    interval_s: float = 1.0
    turnaround_ms: float = 3.0


TRANSMITTERS = (
    Transmitter("tank-north", "keller-level", 1, "tank-north", turnaround_ms=2),
    Transmitter("tank-south", "aquaread-leveline", 2, "tank-south", turnaround_ms=5),
    Transmitter("inlet-flow", "nivus-flow", 3, "inlet", turnaround_ms=4),
    Transmitter("outlet-flow", "xylem-magflux", 4, "outlet"),
    Transmitter("borehole-pump", "abb-acs510", 5, "borehole", turnaround_ms=5),
    Transmitter("site-meter", "eastron-sdm630", 6, "site-meter", turnaround_ms=6),
    Transmitter("pump-meter", "carlo-gavazzi-em340", 7, "pump-meter", turnaround_ms=6),
    Transmitter("water-quality", "hamilton-ph-arc", 8, "quality"),
)


def build(seed: int = 0) -> list[SimulatedSlave]:
    """Return the slaves. Raises: ConfigError when a profile is missing."""
    return [
        slave.from_profile(
            item.device_key,
            item.profile,
            item.address,
            place=item.place,
            turnaround_s=item.turnaround_ms / 1000,
            seed=seed,
        )
        for item in TRANSMITTERS
    ]
