"""Requests to a slave and how long they occupy the wire.

Source: MODBUS over Serial Line V1.02, sections 2.5.1 and 2.5.1.1 (frames and silences); MODBUS Application
Protocol V1.1b3, section 6 (lengths of requests and replies).
"""

from dataclasses import dataclass

from hub.modbus.registers import BIT_TABLES, FUNCTIONS

READ_TABLES = {function: table for table, function in FUNCTIONS.items()}
WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS = 5, 6, 15, 16

FIXED_GAP_ABOVE_BAUD = 19_200
FIXED_GAP_S = 0.00175
GAP_CHARS = 3.5


@dataclass(frozen=True, slots=True)
class Request:
    """One request. values: what to write; nothing for a read."""

    unit: int
    function: int
    address: int
    count: int
    values: tuple[int, ...] = ()

    @property
    def reply_bytes(self) -> int:
        """The length of the data in the answer: of a read, behind its byte count; of a write, its echo."""
        if self.function in {1, 2}:
            return (self.count + 7) // 8
        return 2 * self.count if self.function in {3, 4} else 4

    def __str__(self) -> str:
        table = READ_TABLES.get(self.function)
        what = f"read {table}" if table else "write"
        return f"{what} {self.address}..{self.address + self.count - 1} of slave {self.unit}"


def read(unit: int, table: str, address: int, count: int) -> Request:
    """Return the request that reads count registers or bits."""
    return Request(unit, FUNCTIONS[table], address, count)


def write(unit: int, table: str, address: int, values: tuple[int, ...]) -> Request:
    """Return the request that writes registers or bits, the single-value one where that is enough."""
    is_bits = table in BIT_TABLES
    if len(values) == 1:
        function = WRITE_COIL if is_bits else WRITE_REGISTER
    else:
        function = WRITE_COILS if is_bits else WRITE_REGISTERS
    return Request(unit, function, address, len(values), values)


@dataclass(frozen=True, slots=True)
class WireCost:
    """What bytes cost on a line.

    char_s: per byte. gap_s: the silence between frames. latency_s: what a request takes beside that: the
    way through adapters and networks, and the slave's own thinking.
    request_bytes, reply_bytes: of a read without its data.
    """

    char_s: float
    gap_s: float
    latency_s: float = 0.0
    request_bytes: int = 8
    reply_bytes: int = 5

    def reply_s(self, request: Request) -> float:
        """Return how long the reply to a request is on the wire."""
        return (self.reply_bytes + request.reply_bytes) * self.char_s

    def request_s(self, request: Request) -> float:
        """Return how long a request is on the wire."""
        body = 2 * len(request.values) if len(request.values) > 1 else 0
        return (self.request_bytes + body) * self.char_s

    def read_s(self, data_bytes: int, turnaround_s: float = 0.0) -> float:
        """Return the least time from the start of a read to the start of the next."""
        chars = self.request_bytes + self.reply_bytes + data_bytes
        return chars * self.char_s + 2 * self.gap_s + self.latency_s + turnaround_s


def serial_cost(
    baud: int, parity: str = "none", stop_bits: int = 1, latency_s: float = 0.0, *, gap_s: float | None = None
) -> WireCost:
    """Return the cost on a serial line. The silence is 3.5 characters, and fixed above 19200 baud."""
    char_s = (9 + (parity != "none") + stop_bits) / baud
    rule_s = FIXED_GAP_S if baud > FIXED_GAP_ABOVE_BAUD else GAP_CHARS * char_s
    return WireCost(char_s, rule_s if gap_s is None else gap_s, latency_s)


def network_cost(latency_s: float = 0.002) -> WireCost:
    """Return the cost on a network: a round trip each, and bytes that are nearly free.

    Per byte: 10 Mbit/s, the slowest Ethernet; so that a longer read is still the dearer one.
    """
    return WireCost(0.8e-6, 0.0, latency_s, request_bytes=12, reply_bytes=9)
