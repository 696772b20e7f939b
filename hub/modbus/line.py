"""The seam between the bus service and a wire: one request out, one reply or fault back."""

from typing import NamedTuple, Protocol

from hub.errors import NeverResend, TryAgain
from hub.modbus.requests import Request

TIMEOUT, GARBLED, REFUSED, DOWN = "timeout", "crc", "exception", "down"
FAULTS = (TIMEOUT, GARBLED, REFUSED)

ILLEGAL_ADDRESS, ILLEGAL_VALUE = 2, 3

# MODBUS Application Protocol V1.1b3, section 7.
CODES = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}


class Reply(NamedTuple):
    """What came of a request. fault: "" when data holds the answer; code: of an exception.

    sent_s, arrived_s: monotonic; when the request was handed to the wire, and when the last byte was seen.
    """

    data: bytes
    fault: str
    code: int
    sent_s: float
    arrived_s: float


class Line(Protocol):
    """A wire to slaves, for one request at a time.

    is_tagged: whether replies name their request, so that a late one cannot be taken for another's.
    """

    is_open: bool
    is_tagged: bool

    def now_s(self) -> float:
        """Return the monotonic clock that replies are stamped with."""
        ...

    async def open(self) -> None:
        """Get the wire. Raises TryAgain when it is not there now, OperatorNeeded when it never will be."""
        ...

    async def close(self) -> None:
        """Give the wire back."""
        ...

    async def send(self, request: Request, timeout_s: float, not_before_s: float = 0.0) -> None:
        """Send a request once the line has been silent long enough, not before a monotonic moment.

        timeout_s: from then to the end of the reply.
        """
        ...

    async def reply(self) -> Reply:
        """Wait for what comes of the request sent last."""
        ...


def demand(reply: Reply, request: Request, where: str) -> bytes:
    """Return the data of a reply.

    Raises:
        NeverResend: the slave refuses the request.
        TryAgain: no sound reply came.
    """
    if not reply.fault:
        return reply.data
    if reply.fault == REFUSED:
        hint = "compare address and length with the device's register list"
        raise NeverResend(
            f"{request} is refused: exception {reply.code}, {CODES.get(reply.code, 'unknown')}",
            where=where,
            hint=hint,
        )
    reasons = {
        TIMEOUT: ("brought no reply", "check address, baud rate, parity and the two wires"),
        GARBLED: (
            "brought a damaged reply",
            "check parity, termination and whether an address is used twice",
        ),
        DOWN: ("found the bus down", "it is opened again as soon as it is there"),
    }
    what, hint = reasons[reply.fault]
    raise TryAgain(f"{request} {what}", where=where, hint=hint)
