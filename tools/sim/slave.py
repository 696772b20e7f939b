"""A simulated transmitter: its registers, what it measures, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from hub.errors import ConfigError, OperatorNeeded, Problem
from tools.sim import profiles
from tools.sim.gauges import COUNTERS, PLACE_OF_KIND, PLACES, Gauge
from tools.sim.profiles import Point, Profile
from tools.sim.registers import TABLES, Registers
from tools.sim.water import Site

Hole = tuple[str, int, int]


@dataclass(slots=True)
class Faults:
    """What is wrong with a slave. noise: share of its replies that arrive with a wrong bit.

    truncate: bytes of a reply that still arrive, 0 for all. collide: another slave has the same address.
    """

    dead: bool = False
    slow_ms: float = 0.0
    noise: float = 0.0
    truncate: int = 0
    collide: bool = False
    freeze: bool = False

    def set(self, name: str, value: float) -> None:
        """Set a fault by its name; 0 ends it. Raises: OperatorNeeded."""
        known = [entry.name for entry in fields(self)]
        if name not in known:
            raise OperatorNeeded(
                f"no fault {name!r}", where="simulated bus", hint=f"there are {', '.join(known)}"
            )
        setattr(self, name, type(getattr(self, name))(value))


class SimulatedSlave:
    """One address on the bus. turnaround_s: from the end of a request to the reply, beyond the silence.

    rest_s: the pause it needs between its reply and the next request to it.
    holding, inputs, coils, discretes: fixed contents besides what a profile's points measure.
    """

    def __init__(
        self,
        name: str,
        address: int,
        *,
        profile: Profile | None = None,
        place: str | None = None,
        turnaround_s: float = 0.0,
        rest_s: float | None = None,
        holes: Iterable[Hole] = (),
        holding: Mapping[int, int] | None = None,
        inputs: Mapping[int, int] | None = None,
        coils: Mapping[int, int] | None = None,
        discretes: Mapping[int, int] | None = None,
        seed: int = 0,
    ) -> None:
        self.name = name
        self.address = address
        self.profile = profile
        self.turnaround_s = turnaround_s
        self.rest_s = rest_s if rest_s is not None else profile.rest_s if profile else 0.0
        self.registers = Registers(
            max_registers=profile.max_registers if profile else 125,
            max_bits=profile.max_bits if profile else 2000,
        )
        for table, contents in zip(TABLES, (coils, discretes, holding, inputs), strict=True):
            self.registers.measured[table].update(contents or {})
        for table, first, count in holes:
            self.registers.dig(table, first, count)
        for point in profile.points if profile else ():
            if point.block is not None:
                self.registers.bind(point.table, point.block)
        self.faults = Faults()
        self._points: tuple[Point, ...] = profile.points if profile else ()
        self._gauge = Gauge(place or PLACE_OF_KIND[profile.kind], name, seed) if profile else None
        self._bases: dict[str, float] = {}
        self._measured_step = -1

    def measure(self, site: Site) -> None:
        """Bring the registers up to the site's last step."""
        if self._gauge is None or self.faults.freeze or site.steps == self._measured_step:
            return
        self._measured_step = site.steps
        for point in self._points:
            value = self._gauge.value(site, point.metric) - self._bases.get(point.metric, 0.0)
            table = self.registers.measured[point.table]
            addresses = range(point.address, point.address + point.count)
            before = [table.get(address, 0) for address in addresses] if point.is_part else ()
            table.update(zip(addresses, point.words(value, before), strict=True))

    def reset_counters(self, site: Site) -> None:
        """Start every counter at 0 again, as a replaced device does."""
        if self._gauge is None:
            return
        metrics = {point.metric for point in self._points if point.metric in COUNTERS}
        self._bases = {metric: self._gauge.value(site, metric) for metric in metrics}
        self._measured_step = -1

    def answer(self, pdu: bytes) -> bytes:
        """Return the reply to a request, both without address and checksum."""
        return self.registers.answer(pdu)


def from_profile(
    name: str,
    profile: str,
    address: int | None = None,
    *,
    place: str | None = None,
    turnaround_s: float = 0.0,
    holes: Iterable[Hole] = (),
    seed: int = 0,
) -> SimulatedSlave:
    """Build a slave from a profile's name or file. address: the profile's own when None.

    Raises: ConfigError.
    """
    read = profiles.load(profile)
    if place is not None and place not in PLACES:
        raise ConfigError([Problem(name, "place", f"no place {place!r}", f"there are {', '.join(PLACES)}")])
    chosen = read.address if address is None else address
    if not 1 <= chosen <= 247:
        raise ConfigError([Problem(name, "address", f"{chosen} is not a slave's", "use 1 to 247")])
    return SimulatedSlave(
        name, chosen, profile=read, place=place, turnaround_s=turnaround_s, holes=holes, seed=seed
    )
