"""Frames by pymodbus, and the conversation of one request at a time over any stream of bytes.

Rule 1: a reply counts only if unit, function, length and checksum (or transaction number) fit the request.
Rule 2: bytes that arrived before the request was sent are never part of its reply.
Rule 3: what does not fit is ignored until the time is up, so that a foreign frame costs nothing but itself.
"""

import asyncio
import time
from typing import NamedTuple, Protocol

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from hub.modbus.line import DOWN, GARBLED, REFUSED, TIMEOUT, Reply
from hub.modbus.requests import Request

_READS: dict[int, type[ModbusPDU]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
_REFUSAL = 0x80
_REFUSAL_BYTES = 5  # address, function, code, checksum
_KEPT_FRAMES = 4096  # a hub polls far fewer different requests; commands come and go
_QUIET_S = 0.02  # silence after which a frame that does not fit is over


class Answer(NamedTuple):
    """What a frame says: data, or the code of an exception."""

    data: bytes
    code: int


class Framing(Protocol):
    """How requests and replies are wrapped."""

    is_tagged: bool

    def wrap(self, request: Request) -> bytes:
        """Return the frame to send."""
        ...

    def find(self, heard: bytes, request: Request) -> Answer | None:
        """Return the answer in what was heard since the request was sent; None: not there yet."""
        ...

    def reply_length(self, request: Request) -> int:
        """Return the bytes of the frame that answers the request."""
        ...


class RtuFraming:
    """Address, function, data, CRC-16."""

    is_tagged = False

    def __init__(self) -> None:
        self._framer = FramerRTU(DecodePDU(is_server=False))
        self._frames: dict[Request, bytes] = {}

    def wrap(self, request: Request) -> bytes:
        """Return the frame to send."""
        frame = self._frames.get(request)
        if frame is None:
            if len(self._frames) >= _KEPT_FRAMES:
                self._frames.clear()
            frame = self._frames[request] = self._framer.buildFrame(_pdu(request))
        return frame

    def find(self, heard: bytes, request: Request) -> Answer | None:
        """Return the answer; frames of others and noise before it are passed over."""
        for start in range(len(heard) - _REFUSAL_BYTES + 1):
            if heard[start] == request.unit and heard[start + 1] & ~_REFUSAL == request.function:
                answer = self._at(heard[start:] if start else heard, request)
                if answer is not None:
                    return answer
        return None

    def reply_length(self, request: Request) -> int:
        """Return the bytes of the frame that answers the request."""
        return request.reply_bytes + (4 if request.values else 5)

    def _at(self, heard: bytes, request: Request) -> Answer | None:
        if heard[1] & _REFUSAL:
            return Answer(b"", heard[2]) if _is_sound(heard[:_REFUSAL_BYTES]) else None
        length = self.reply_length(request)
        if len(heard) < length or not _is_sound(heard[:length]):
            return None
        return _answer(heard[1 : length - 2], request)


class MbapFraming:
    """Transaction number, protocol, length, unit, function, data."""

    is_tagged = True

    def __init__(self) -> None:
        self._framer = FramerSocket(DecodePDU(is_server=False))
        self._bodies: dict[Request, bytes] = {}
        self._number = 0

    def wrap(self, request: Request) -> bytes:
        """Return the frame to send, with a transaction number of its own."""
        body = self._bodies.get(request)
        if body is None:
            if len(self._bodies) >= _KEPT_FRAMES:
                self._bodies.clear()
            pdu = _pdu(request)
            body = self._bodies[request] = pdu.function_code.to_bytes(1, "big") + pdu.encode()
        self._number = self._number % 0xFFFF + 1
        return self._framer.encode(body, request.unit, self._number)

    def find(self, heard: bytes, request: Request) -> Answer | None:
        """Return the answer; replies to former requests are passed over."""
        while len(heard) >= self._framer.MIN_SIZE:
            used, unit, number, body = self._framer.decode(heard)
            if not used:
                return None
            # Many gateways and devices answer with unit 0 or 255 whatever they were asked by.
            is_ours = number == self._number and unit in {request.unit, 0, 255}
            if is_ours and body[0] & ~_REFUSAL == request.function:
                return Answer(b"", body[1]) if body[0] & _REFUSAL else _answer(body, request)
            heard = heard[used:]
        return None

    def reply_length(self, request: Request) -> int:
        """Return the bytes of the frame that answers the request."""
        return 8 + request.reply_bytes + (0 if request.values else 1)


class Conversation:
    """The request underway and what was heard since."""

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self.heard_s = 0.0
        self.sent_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._heard = b""
        self._request: Request | None = None
        self._next: Request | None = None
        self._timeout_s = 0.0
        self._reply: asyncio.Future[Reply] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline_s = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether a reply is still to come."""
        return self._reply is not None and not self._reply.done()

    def prepare(self, request: Request, timeout_s: float) -> bytes:
        """Get ready for a request; return its frame. What is heard before begin is dropped."""
        self._next = request
        self._timeout_s = timeout_s
        self._reply = self._loop.create_future()
        return self.framing.wrap(request)

    def begin(self, sent_s: float) -> None:
        """Note that the frame went out: from here on the reply is listened for, and time runs."""
        self.sent_s = self.heard_s = sent_s
        self._heard = b""
        self._request = self._next
        self._deadline_s = self._loop.time() + self._timeout_s
        self._timer = self._loop.call_at(self._deadline_s, self._give_up)

    async def reply(self) -> Reply:
        """Wait for what comes of the request."""
        if self._reply is None:
            return self._outcome(DOWN)
        try:
            return await self._reply
        finally:
            self._stop()

    def hear(self, data: bytes, heard_s: float) -> None:
        """Take bytes from the wire. heard_s: when they were there for certain, so never too early."""
        self.heard_s = heard_s
        request = self._request
        if request is None or self._reply is None or self._reply.done():
            return
        self._heard = self._heard + data if self._heard else data
        answer = self.framing.find(self._heard, request)
        if answer is not None:
            fault = REFUSED if answer.code else ""
            self._resolve(Reply(answer.data, fault, answer.code, self.sent_s, self.heard_s))
        elif not self.framing.is_tagged and len(self._heard) >= self.framing.reply_length(request):
            self._give_up_sooner()

    def lose(self) -> None:
        """End the request underway: the wire is gone."""
        self._resolve(self._outcome(DOWN))

    def _give_up_sooner(self) -> None:
        """A damaged frame is over with the next silence; waiting longer would only cost the others."""
        moment_s = min(self._deadline_s, self._loop.time() + _QUIET_S)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(moment_s, self._give_up)

    def _give_up(self) -> None:
        self._resolve(self._outcome(GARBLED if self._heard else TIMEOUT))

    def _outcome(self, fault: str) -> Reply:
        return Reply(b"", fault, 0, self.sent_s, time.monotonic())

    def _resolve(self, reply: Reply) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(reply)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._request = self._reply = None


def _pdu(request: Request) -> ModbusPDU:
    address, values = request.address, request.values
    if request.function in _READS:
        return _READS[request.function](dev_id=request.unit, address=address, count=request.count)
    if request.function == WriteSingleCoilRequest.function_code:
        return WriteSingleCoilRequest(dev_id=request.unit, address=address, bits=[bool(values[0])])
    if request.function == WriteSingleRegisterRequest.function_code:
        return WriteSingleRegisterRequest(dev_id=request.unit, address=address, registers=list(values))
    if request.function == WriteMultipleCoilsRequest.function_code:
        return WriteMultipleCoilsRequest(dev_id=request.unit, address=address, bits=[bool(v) for v in values])
    return WriteMultipleRegistersRequest(dev_id=request.unit, address=address, registers=list(values))


def _answer(body: bytes, request: Request) -> Answer | None:
    """Return the data behind the function code, if it is the amount that was asked for."""
    if request.values:
        is_echo = len(body) == 5 and int.from_bytes(body[1:3], "big") == request.address
        return Answer(body[1:], 0) if is_echo else None
    is_whole = len(body) == 2 + request.reply_bytes and body[1] == request.reply_bytes
    return Answer(body[2:], 0) if is_whole else None


def _is_sound(frame: bytes) -> bool:
    return FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))
