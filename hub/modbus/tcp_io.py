"""Modbus TCP, and RTU frames through a TCP gateway."""

import asyncio
import contextlib
import os
import socket
import time

from hub.errors import TryAgain
from hub.modbus.line import DOWN, Reply
from hub.modbus.pymodbus_io import Conversation, Framing, MbapFraming, RtuFraming
from hub.modbus.requests import Request
from hub.modbus.settings import BusSettings

_CONNECT_S = 5.0


class TcpLine:
    """One connection to one host, for one request at a time."""

    def __init__(self, settings: BusSettings) -> None:
        self.is_open = False
        self.is_tagged = settings.transport != "rtu-over-tcp"
        self._settings = settings
        self._transport: asyncio.Transport | None = None
        self._talk: Conversation | None = None

    async def open(self) -> None:
        """Connect. Raises TryAgain."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        framing: Framing = MbapFraming() if self.is_tagged else RtuFraming()
        talk = Conversation(framing)
        try:
            async with asyncio.timeout(_CONNECT_S):
                transport, _ = await loop.create_connection(
                    lambda: _Stream(self, talk), settings.host, settings.tcp_port
                )
        except (OSError, UnicodeError) as error:
            hint = "check the host's power, address and whether it accepts one more connection"
            if isinstance(error, socket.gaierror | UnicodeError):
                hint = "check the host's name; an address needs no name server"
            raise TryAgain(f"cannot connect: {_reason(error)}", where=settings.place, hint=hint) from error
        stream = transport.get_extra_info("socket")
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._transport, self._talk = transport, talk
        self.is_open = not transport.is_closing()

    def now_s(self) -> float:
        """Return the clock that replies are stamped with."""
        return time.monotonic()

    async def close(self) -> None:
        """Hang up."""
        self.lose(self._talk)

    async def send(self, request: Request, timeout_s: float, not_before_s: float = 0.0) -> None:
        """Send a request."""
        wait_s = not_before_s - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        if self._talk is not None and self._transport is not None:
            self._transport.write(self._talk.prepare(request, timeout_s))
            self._talk.begin(time.monotonic())

    async def reply(self) -> Reply:
        """Wait for what comes of the request sent last."""
        if self._talk is None:
            now_s = time.monotonic()
            return Reply(b"", DOWN, 0, now_s, now_s)
        return await self._talk.reply()

    def lose(self, talk: Conversation | None) -> None:
        """End a connection, if it is the one there is."""
        if talk is None or talk is not self._talk:
            return
        self.is_open = False
        if self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.abort()
            self._transport = None
        talk.lose()
        self._talk = None


class _Stream(asyncio.Protocol):
    def __init__(self, line: TcpLine, talk: Conversation) -> None:
        self._line = line
        self._talk = talk

    def data_received(self, data: bytes) -> None:
        self._talk.hear(data, time.monotonic())

    def connection_lost(self, _: Exception | None) -> None:
        self._line.lose(self._talk)


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):  # the resolver is not even asked
        return "this cannot be the name of a host"
    if isinstance(error, socket.gaierror):  # its numbers are the resolver's, not the system's
        return error.strerror or str(error)
    return os.strerror(error.errno) if error.errno else str(error) or "no answer"
