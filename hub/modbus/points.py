"""Points: which registers hold which metric, and what turns their content into its unit."""

from dataclasses import dataclass

from hub.modbus.registers import (
    ADDRESSES,
    BIT_TABLES,
    CODES,
    FUNCTIONS,
    TYPES,
    Number,
    encode,
    natural_order,
    size_of,
)


@dataclass(frozen=True, slots=True)
class Point:
    """One metric of a device. value = raw * scale + offset, in the metric's unit.

    address: zero-based, as on the wire. order: "" for big-endian. length: registers of a string.
    bit: a single bit of the register. mask: several, shifted down. wrap: the raw value at which a counter
    starts over. block: (address, count) of the one read with which the device hands the value out, for
    devices that refuse any other.
    """

    metric: str
    table: str = "holding"
    address: int = 0
    type: str = "u16"
    order: str = ""
    scale: float = 1.0
    offset: float = 0.0
    bit: int | None = None
    mask: int | None = None
    length: int = 1
    wrap: int | None = None
    block: tuple[int, int] | None = None

    @property
    def count(self) -> int:
        """How many registers, or bits of a bit table, it takes."""
        if self.table in BIT_TABLES:
            return 1
        return self.length if self.type == "string" else size_of(self.type) // 2

    @property
    def end(self) -> int:
        """The address behind its last register."""
        return self.address + self.count

    @property
    def span(self) -> tuple[int, int]:
        """The first address to read for it, and the one behind the last."""
        return (self.block[0], sum(self.block)) if self.block else (self.address, self.end)

    @property
    def wrap_value(self) -> float | None:
        """Where the counter starts over, in the metric's unit."""
        return None if self.wrap is None else self.wrap * self.scale

    def raw(self, value: Number | str) -> tuple[int, ...]:
        """Return the registers to write for a value in the metric's unit.

        Raises:
            ValueError: the value does not fit the type.
        """
        if self.table in BIT_TABLES:
            return (int(bool(value)),)
        if self.bit is not None or self.mask is not None:
            raise ValueError(f"{self.metric} is a part of register {self.address}; write the whole register")
        if self.type == "string" or (self.scale == 1 and self.offset == 0):
            return encode(value, self.type, self.order, self.length)
        number = (float(value) - self.offset) / self.scale
        return encode(round(number) if "float" not in self.type else number, self.type, self.order)


def faults(point: Point) -> list[tuple[str, str]]:
    """Return everything wrong with a point as (key, reason); nothing when it can be read."""
    found = []
    if point.table not in FUNCTIONS:
        found.append(("table", f"no table {point.table!r}; there are {', '.join(FUNCTIONS)}"))
    if point.type not in TYPES:
        found.append(("type", f"no type {point.type!r}; there are {', '.join(TYPES)}"))
        return found
    if point.address < 0 or point.end > ADDRESSES:
        found.append(("address", f"{point.address} is not within 0 to {ADDRESSES - point.count}"))
    if point.order and sorted(point.order) != sorted(natural_order(point.type)):
        found.append(("order", f"{point.order!r} is not a permutation of {natural_order(point.type)}"))
    if point.scale == 0:
        found.append(("scale", "0 makes every value the same"))
    return found + _faults_of_parts(point)


def _faults_of_parts(point: Point) -> list[tuple[str, str]]:
    found = []
    has_part = point.bit is not None or point.mask is not None
    if has_part and (point.table in BIT_TABLES or point.type in {"string", "float32", "float64"}):
        found.append(("bit", "bits and masks are taken from whole-number registers only"))
    if point.bit is not None and point.mask is not None:
        found.append(("mask", "give bit or mask, not both"))
    bits = 8 * size_of(point.type)
    if point.bit is not None and not 0 <= point.bit < bits:
        found.append(("bit", f"{point.bit} is not within 0 to {bits - 1}"))
    if point.mask is not None and not 0 < point.mask < 1 << bits:
        found.append(("mask", f"{point.mask:#x} selects nothing in {bits} bits"))
    if point.type == "string" and not 1 <= point.length <= 125:
        found.append(("length", f"{point.length} registers; one read carries 1 to 125"))
    if point.block and not (point.block[0] <= point.address and point.end <= sum(point.block)):
        found.append(("block", f"{list(point.block)} does not contain the point"))
    if point.wrap is not None and (point.wrap <= 0 or point.type not in CODES):
        found.append(("wrap", f"{point.wrap} is no value at which a counter starts over"))
    return found
