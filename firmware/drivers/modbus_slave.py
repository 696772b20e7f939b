"""Reads a Modbus RTU slave on the node's own UART: a meter or a drive far from the hub's bus."""

from firmware.drivers import waiting
from firmware.drivers.modbus_frames import (
    EXCEPTION,
    EXCEPTION_BYTES,
    REQUEST_BYTES,
    Declined,
    Garbled,
    answer_bytes,
    registers,
    request,
)
from firmware.drivers.modbus_points import BLOCK_REGISTERS_MOST, Point, blocks
from firmware.drivers.options import whole

ANSWER_MS = 300
POLL_MS = 5
TRIES = 2
BITS_PER_BYTE = 11
DRAIN_READS = 16


class ModbusSlave:
    """The points of one slave, in METRICS' order of their list.

    uart: a machine.UART read without blocking, its rxbuf at least 80 bytes. baud: its speed. parity: None,
    0 even, 1 odd. unit: 1..247. points: see modbus_points. direction: the machine.Pin of an RS485 driver's DE
    and /RE, None when it turns by itself. answer_ms: how long the slave may think.
    read() takes as long as the slave, and at most 2 * (answer_ms + 100 ms) when it stops answering: the
    blocks of neighbouring registers behind one that failed twice are not asked for. None for a point that was
    declined or could not be had.
    """

    METRICS = ()

    def __init__(
        self,
        uart,
        baud: int,
        unit: int,
        points,
        direction=None,
        parity=None,
        answer_ms: int = ANSWER_MS,
        sleep_ms=waiting.sleep_ms,
    ) -> None:
        whole("unit", unit, 1, 247)
        self._points = [Point(entry) for entry in points]
        self.METRICS = tuple([point.metric for point in self._points])
        self._blocks = blocks(self._points)
        self._requests = [request(unit, block.function, block.address, block.count) for block in self._blocks]
        self._uart = uart
        self._direction = direction
        self._parity = parity
        self._sleep_ms = sleep_ms
        self._baud = whole("baud", baud, 300)
        self._byte_us = BITS_PER_BYTE * 1_000_000 // baud
        self._silence_ms = 7 * self._byte_us // 2000 + 1  # 3.5 bytes
        self._answer_ms = answer_ms
        self._answer = bytearray(answer_bytes(BLOCK_REGISTERS_MOST))
        self._view = memoryview(self._answer)

    def start(self) -> None:
        """Listen."""
        if self._parity is not None:
            self._uart.init(self._baud, 8, self._parity, 1)
        if self._direction is not None:
            self._direction.init(self._direction.OUT, value=0)

    async def read(self) -> tuple:
        """Return the values of all points."""
        values = [None] * len(self._points)
        for at, block in enumerate(self._blocks):
            try:
                data = await self._ask(self._requests[at], answer_bytes(block.count))
            except Declined:
                continue
            except Garbled:
                break
            for index, offset in block.places:
                values[index] = self._points[index].value(data, offset)
        return tuple(values)

    async def _ask(self, asked: bytes, length: int):
        """Return the register bytes. Raises Declined, or Garbled when no try brought a sound answer."""
        fault = None
        for _ in range(TRIES):
            await self._silence()
            self._send(asked)
            try:
                return registers(self._answer, await self._receive(length), asked)
            except Garbled as error:
                fault = error
        raise fault

    async def _silence(self) -> None:
        """Keep the pause before a frame, and throw away what came late."""
        await self._sleep_ms(self._silence_ms)
        for _ in range(DRAIN_READS):
            if not self._uart.any():
                return
            self._uart.readinto(self._answer)

    def _send(self, asked: bytes) -> None:
        if self._direction is None:
            self._uart.write(asked)
            return
        # Not awaited: 9 ms at 9600. Others would keep the driver on the line while the slave begins to
        # answer.
        self._direction.value(1)
        self._uart.write(asked)
        self._uart.flush()
        waiting.sleep_us(self._byte_us)  # on some ports flush ends while the last byte leaves
        self._direction.value(0)

    async def _receive(self, length: int) -> int:
        """Collect until the answer is whole or its time is over; return its length."""
        wire_ms = (REQUEST_BYTES + length) * self._byte_us // 1000
        received = 0
        for _ in range((self._answer_ms + wire_ms) // POLL_MS + 1):
            await self._sleep_ms(POLL_MS)
            waiting_bytes = min(self._uart.any(), length - received)
            if waiting_bytes:
                received += self._uart.readinto(self._view[received:], waiting_bytes) or 0
            if received >= self._whole(received, length):
                break
        return received

    def _whole(self, received: int, length: int) -> int:
        """Return how long the answer that began is: exceptions are shorter."""
        is_exception = received >= 2 and self._answer[1] & EXCEPTION
        return EXCEPTION_BYTES if is_exception else length
