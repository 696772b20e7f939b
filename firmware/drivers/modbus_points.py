"""Which registers of a slave mean which metric, and how their bytes become scaled integers.

A point is a list, as it stands in JSON: [metric id, function (3 holding, 4 input), address from 0, type,
order, numerator, denominator]. type: u16, i16, u32, i32, f32. order: the letters of hub.modbus.registers, A
the most significant byte, in the order of transmission (AB, BA, ABCD, CDAB, BADC, DCBA). The value is the raw
one times numerator / denominator, scaled as the metric: volts in tenths (2305) into voltage_v (two decimals)
are 10 / 1.
"""

from firmware.drivers.line import divided
from firmware.drivers.modbus_frames import READ_HOLDING, READ_INPUT
from firmware.drivers.options import whole

REGISTERS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2}
ORDERS = {1: ("AB", "BA"), 2: ("ABCD", "CDAB", "BADC", "DCBA")}
BLOCK_REGISTERS_MOST = 32  # 69 bytes, 72 ms at 9600
ADDRESSES = 65_536
FACTOR_MOST = 1_000_000_000
VALUE_LIMIT = 1 << 53  # what the link carries


class Point:
    """One value. entry: see above. Raises ValueError with what is wrong."""

    def __init__(self, entry) -> None:
        if len(entry) != 7:
            raise ValueError("a point has 7 entries, not %d" % len(entry))
        self.metric, self.function, self.address, self.type, order, self.numerator, self.denominator = entry
        if self.type not in REGISTERS:
            raise ValueError(
                "point %s: type %r is none of %s" % (self.metric, self.type, ", ".join(REGISTERS))
            )
        self.registers = REGISTERS[self.type]
        if order not in ORDERS[self.registers]:
            raise ValueError("point %s: order %r does not go with %s" % (self.metric, order, self.type))
        if self.function not in (READ_HOLDING, READ_INPUT):
            raise ValueError("point %s: function %r is not 3 or 4" % (self.metric, self.function))
        where = "point %s: " % self.metric
        whole(where + "address", self.address, 0, ADDRESSES - self.registers)
        whole(where + "numerator", self.numerator, -FACTOR_MOST, FACTOR_MOST)
        whole(where + "denominator", self.denominator, 1, FACTOR_MOST)
        self._positions = tuple([order.index(letter) for letter in sorted(order)])

    def value(self, data, offset: int):
        """Return the scaled integer of the bytes at offset; None for a float that is none, or too large."""
        raw = 0
        for position in self._positions:
            raw = raw << 8 | data[offset + position]
        if self.type == "f32":
            value = _scaled_float(raw, self.numerator, self.denominator)
        else:
            if self.type[0] == "i" and raw >> (16 * self.registers - 1):
                raw -= 1 << (16 * self.registers)
            value = divided(raw * self.numerator, self.denominator)
        return value if abs(value) < VALUE_LIMIT else None


class Block:
    """Neighbouring registers read in one request. places: pairs (index of the point, offset of its bytes)."""

    def __init__(self, point: Point) -> None:
        self.function = point.function
        self.address = point.address
        self.count = point.registers
        self.places = []

    def takes(self, point: Point) -> bool:
        """Take in a point that overlaps or follows at once; holes are never read, slaves may refuse them."""
        count = max(self.count, point.address + point.registers - self.address)
        if self.function != point.function or point.address > self.address + self.count:
            return False
        if count > BLOCK_REGISTERS_MOST:
            return False
        self.count = count
        return True


def blocks(points) -> list:
    """Return the requests that read all points."""
    made = []
    for index in sorted(range(len(points)), key=lambda at: (points[at].function, points[at].address)):
        point = points[index]
        if not made or not made[-1].takes(point):
            made.append(Block(point))
        made[-1].places.append((index, 2 * (point.address - made[-1].address)))
    return made


def _scaled_float(bits: int, numerator: int, denominator: int) -> int:
    """Return an IEEE 754 single times a fraction, rounded once: multiplying as a float would round twice.

    Infinity and NaN come out beyond VALUE_LIMIT; what is below 1e-38 is 0 whatever its mantissa.
    """
    mantissa = bits & 0x7F_FFFF | 0x80_0000
    power = (bits >> 23 & 0xFF) - 150
    if bits >> 31:
        mantissa = -mantissa
    if power >= 0:
        return divided((mantissa << power) * numerator, denominator)
    return divided(mantissa * numerator, denominator << -power)
