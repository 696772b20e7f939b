"""Transmitter profiles: what a model of device keeps in which registers. Pure: a dict in, a Profile out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import ConfigError, Problem
from hub.modbus.points import Point, faults
from hub.modbus.registers import BITS_PER_READ, REGISTERS_PER_READ
from shared_schema.metrics import Metric, kind_named

PARITIES = ("none", "even", "odd")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a slave bears. turnaround_s: the pause it needs between its reply and the next request to it."""

    max_registers: int = REGISTERS_PER_READ
    max_bits: int = BITS_PER_READ
    turnaround_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Factory:
    """How the device leaves the factory."""

    baud: int = 19_200
    parity: str = "even"
    stop_bits: int = 1
    address: int = 1


@dataclass(frozen=True, slots=True)
class Profile:
    """A model of transmitter. points: in the order samples carry their values."""

    name: str
    title: str
    kind: str
    source: str
    factory: Factory
    limits: Limits
    points: tuple[Point, ...]


_TOP = {"title": str, "kind": str, "source": str, "bus": Mapping, "limits": Mapping, "point": list}
_BUS = {"baud": int, "parity": str, "stop_bits": int, "address": int}
_LIMITS = {"max_registers": int, "max_bits": int, "turnaround_ms": (int, float)}
_POINT: dict[str, Any] = {
    "metric": str,
    "table": str,
    "address": int,
    "type": str,
    "order": str,
    "scale": (int, float),
    "offset": (int, float),
    "bit": int,
    "mask": int,
    "length": int,
    "wrap": int,
    "block": list,
}


def parse_profile(name: str, document: Mapping[str, Any], file: str = "") -> Profile:
    """Return the Profile a TOML document describes. file: how problems name it.

    Raises:
        ConfigError: with every problem at once.
    """
    reader = _Reader(file or f"{name}.toml")
    top = reader.take(document, _TOP, "", required=("title", "kind", "source", "point"))
    metrics = _metrics_of(reader, top.get("kind"))
    factory = reader.take(top.get("bus", {}), _BUS, "bus")
    limits = reader.take(top.get("limits", {}), _LIMITS, "limits")
    _check_bounds(reader, factory, limits)
    points = read_points(reader, top.get("point", []), metrics)
    reader.finish()
    turnaround_s = limits.pop("turnaround_ms", 0) / 1000
    return Profile(
        name,
        top["title"],
        top["kind"],
        top["source"],
        Factory(**factory),
        Limits(turnaround_s=turnaround_s, **limits),
        points,
    )


def parse_points(kind: str, entries: list[Any], file: str, where: str = "point") -> tuple[Point, ...]:
    """Return the points written inline in a configuration.

    Raises:
        ConfigError: with every problem at once.
    """
    reader = _Reader(file)
    points = read_points(reader, entries, _metrics_of(reader, kind), where)
    reader.finish()
    return points


class _Reader:
    """Collects what is wrong instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []

    def complain(self, key: str, reason: str, hint: str = "") -> None:
        self._problems.append(Problem(self._file, key, reason, hint))

    def take(
        self, table: Any, types: Mapping[str, Any], where: str, required: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return the entries of a table that have the right type."""
        prefix = f"{where}." if where else ""
        if not isinstance(table, Mapping):
            self.complain(where, "must be a table")
            return {}
        for key in required:
            if key not in table:
                self.complain(prefix + key, "is missing")
        return {key: value for key, value in table.items() if self._fits(key, value, types, prefix)}

    def _fits(self, key: str, value: Any, types: Mapping[str, Any], prefix: str) -> bool:
        if key not in types:
            self.complain(prefix + key, "is unknown", f"known here: {', '.join(types)}")
        elif not isinstance(value, types[key]) or isinstance(value, bool):
            self.complain(prefix + key, f"{value!r} has the wrong type")
        else:
            return True
        return False

    def finish(self) -> None:
        if self._problems:
            raise ConfigError(self._problems)


def read_points(
    reader: _Reader, entries: list[Any], metrics: Mapping[str, Metric], where: str = "point"
) -> tuple[Point, ...]:
    """Return the good points; what is wrong with the others is the reader's to tell."""
    if not entries:
        reader.complain(where, "is empty", "a transmitter needs at least one point")
    points, seen = [], set()
    for index, entry in enumerate(entries):
        here = f"{where}[{index}]"
        fields = reader.take(entry, _POINT, here, required=("metric", "address", "type"))
        if "block" in fields and (block := _block_of(fields["block"])) is None:
            reader.complain(f"{here}.block", f"{fields['block']!r}", "[address, count], 1 to 125 registers")
            del fields["block"]
        elif "block" in fields:
            fields["block"] = block
        point = Point(**{"metric": "", **fields})
        for key, reason in faults(point):
            reader.complain(f"{here}.{key}", reason)
        if metrics and point.metric and point.metric not in metrics:
            reader.complain(
                f"{here}.metric", f"no metric {point.metric!r}", f"there are {', '.join(metrics)}"
            )
        if point.metric in seen:
            reader.complain(f"{here}.metric", f"{point.metric!r} has two points")
        if point.type == "string":
            reader.complain(f"{here}.type", "a metric is a number; strings are for `penstock modbus read`")
        seen.add(point.metric)
        points.append(point)
    return tuple(points)


def _block_of(entry: list[Any]) -> tuple[int, int] | None:
    is_pair = len(entry) == 2 and all(isinstance(part, int) and part >= 0 for part in entry)
    return (entry[0], entry[1]) if is_pair and 1 <= entry[1] <= REGISTERS_PER_READ else None


def _metrics_of(reader: _Reader, kind_name: Any) -> Mapping[str, Metric]:
    if not isinstance(kind_name, str):
        return {}
    try:
        kind = kind_named(kind_name)
    except ValueError as error:
        reader.complain("kind", str(error))
        return {}
    if not kind.is_telemetry:
        reader.complain("kind", f"{kind_name} is not measured by transmitters")
    return {field.name: field for field in kind.fields if isinstance(field, Metric)}


def _check_bounds(reader: _Reader, factory: Mapping[str, Any], limits: Mapping[str, Any]) -> None:
    if factory.get("parity", "even") not in PARITIES:
        reader.complain("bus.parity", f"{factory['parity']!r}", f"one of {', '.join(PARITIES)}")
    if factory.get("stop_bits", 1) not in {1, 2}:
        reader.complain("bus.stop_bits", f"{factory['stop_bits']}", "1 or 2")
    if not 1 <= factory.get("address", 1) <= 247:
        reader.complain("bus.address", f"{factory['address']}", "slaves have 1 to 247")
    if factory.get("baud", 9600) <= 0:
        reader.complain("bus.baud", f"{factory['baud']}", "bits per second")
    if not 1 <= limits.get("max_registers", 1) <= REGISTERS_PER_READ:
        reader.complain("limits.max_registers", f"{limits['max_registers']}", "1 to 125")
    if not 1 <= limits.get("max_bits", 1) <= BITS_PER_READ:
        reader.complain("limits.max_bits", f"{limits['max_bits']}", "1 to 2000")
    if limits.get("turnaround_ms", 0) < 0:
        reader.complain("limits.turnaround_ms", f"{limits['turnaround_ms']}", "0 or more")
