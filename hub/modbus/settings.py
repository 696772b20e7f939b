"""What a bus and the transmitters on it are set to."""

from dataclasses import dataclass, field

from hub.modbus.points import Point
from hub.modbus.profiles import Limits
from hub.modbus.requests import WireCost, network_cost, serial_cost


@dataclass(frozen=True, slots=True)
class BusSettings:
    """One line or one network endpoint. Either port is set, or host.

    transport: "serial", "tcp" or "rtu-over-tcp". timeout_s: how long a slave may think, wire time not
    included. think_s: how long slaves usually do, for plans; it makes fewer, longer requests worth more.
    gap_s: the silence between frames where it must be longer than the rule.
    """

    name: str
    port: str = ""
    baud: int = 19_200
    parity: str = "even"
    stop_bits: int = 1
    host: str = ""
    tcp_port: int = 502
    transport: str = "serial"
    timeout_s: float = 0.5
    think_s: float = 0.005
    gap_s: float | None = None

    @property
    def place(self) -> str:
        """Where the bus is, for people."""
        return self.port or f"{self.host}:{self.tcp_port}"

    @property
    def cost(self) -> WireCost:
        """What requests cost on it."""
        if self.transport == "serial":
            return serial_cost(self.baud, self.parity, self.stop_bits, self.think_s, gap_s=self.gap_s)
        return network_cost()


@dataclass(frozen=True, slots=True)
class Transmitter:
    """A device on a bus. model: what it shares learned holes with others by, such as its profile's name."""

    device_key: str
    address: int
    interval_s: float
    points: tuple[Point, ...]
    limits: Limits = field(default_factory=Limits)
    model: str = ""
    bus: str = ""


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When a slave counts as dead, and how it is asked whether it is back.

    It takes both: failed cycles, and seconds since the first. share: of the bus's time that probes of one
    dead slave may take at most.
    """

    cycles: int = 2
    seconds: float = 3.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 10.0
    growth: float = 2.0
    share: float = 0.05
