"""An HTTP proxy between a hub and a cloud that goes wrong when it is told to.

    async with FaultProxy("http://127.0.0.1:54321") as proxy:
        proxy.fault("answer-lost", times=1)

Owns what goes wrong on the way; the cloud behind it knows nothing of it. Speaks HTTP/1.1 without TLS.
"""

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tools.sim.http_message import MAX_HEAD_BYTES, Message, read_request, read_response

FAULTS = {
    "cut": "nobody listens, and every connection is reset",
    "reset": "connections are accepted and reset",
    "black-hole": "requests are read and never answered, nor forwarded",
    "status": "requests are answered with an error status, not forwarded",
    "answer-lost": "the cloud does what it is asked, the connection breaks before the answer",
    "answer-never": "the cloud does what it is asked, the answer never comes",
    "half": "the cloud does what it is asked, half of the answer comes, then the connection breaks",
    "slow": "everything takes longer",
}
REASONS = {401: "Unauthorized", 403: "Forbidden", 429: "Too Many Requests", 500: "Internal Server Error"}
SLICE_BYTES = 4096  # so much goes at once through a slow line


@dataclass(slots=True)
class Fault:
    """One thing that is wrong.

    times: how many requests it still hits; None: all, until it is cleared.
    path: only requests whose path holds this. status, retry_after, body: of "status".
    delay_s, bytes_per_s: of "slow".
    """

    name: str
    times: int | None = None
    path: str = ""
    status: int = 503
    retry_after: str = ""
    body: bytes = b'{"code":"FAULT","message":"made by the fault proxy"}'
    delay_s: float = 0.0
    bytes_per_s: float = 0.0


class FaultProxy:
    """Listens on 127.0.0.1 and forwards to upstream, such as http://127.0.0.1:54321.

    requests: how many arrived. forwarded: how many reached the cloud. hits: how many each fault met.
    """

    def __init__(self, upstream: str, port: int = 0) -> None:
        parts = urlsplit(upstream)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{upstream!r} is no http:// address")
        self._host = parts.hostname
        self._upstream_port = parts.port or 80
        self._port = port
        self._server: asyncio.Server | None = None
        self._faults: dict[str, Fault] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._change: asyncio.Task[None] | None = None
        self.requests = 0
        self.forwarded = 0
        self.hits: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """Where to send to."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.settled()
        self._close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fault(self, name: str, **options: Any) -> None:
        """Begin a fault; options as in Fault. Raises: ValueError for a name that is not in FAULTS."""
        if name not in FAULTS:
            raise ValueError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
        self._faults[name] = Fault(name, **options)
        if name == "cut":
            self._close()
        if name == "reset":
            self._abort_all()

    def clear(self, name: str | None = None) -> None:
        """End one fault, or all. After "cut" the port is open again once settled() returned."""
        ended = [name] if name is not None else list(self._faults)
        was_cut = "cut" in self._faults and "cut" in ended
        for each in ended:
            self._faults.pop(each, None)
        if was_cut:
            self._change = asyncio.create_task(self._listen())
        self._abort_all()

    @contextlib.contextmanager
    def during(self, name: str, **options: Any) -> Iterator[None]:
        """Hold a fault for the length of a with block."""
        self.fault(name, **options)
        try:
            yield
        finally:
            self.clear(name)

    async def settled(self) -> None:
        """Return when the last change has taken effect."""
        if self._change is not None:
            await self._change
            self._change = None

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port, limit=MAX_HEAD_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._abort_all()

    def _abort_all(self) -> None:
        """Reset every connection; a client would otherwise wait for an answer that was swallowed."""
        for writer in list(self._writers):
            _reset(writer)

    def _hit(self, name: str, request: Message | None = None) -> Fault | None:
        """Return the fault if it meets this request, and count it."""
        fault = self._faults.get(name)
        if fault is None or (request is not None and fault.path not in request.first_line):
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self._faults[name]
        self.hits[name] += 1
        return fault

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "cut" in self._faults:  # was on its way while the port closed
            _reset(writer)
            return
        self._writers.add(writer)
        task = asyncio.create_task(self._hold(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep a connection for as long as both sides and the faults let it live."""
        upstream: list[asyncio.StreamWriter] = []
        try:
            if self._hit("reset") is None:
                await self._serve(reader, writer, upstream)
                # What was written still has to arrive; a reset would throw it away.
                writer.close()
        except (OSError, ValueError, asyncio.IncompleteReadError):
            pass  # either side broke off: the other one sees it now
        finally:
            self._writers.discard(writer)
            for each in (writer, *upstream):
                _reset(each)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: list[asyncio.StreamWriter]
    ) -> None:
        """Pass requests one by one until a side closes or a fault ends the connection."""
        cloud: asyncio.StreamReader | None = None
        while (request := await read_request(reader)) is not None:
            self.requests += 1
            if self._hit("black-hole", request):
                await asyncio.Event().wait()
            if status := self._hit("status", request):
                writer.write(_error(status))
                await writer.drain()
                continue
            slow = self._hit("slow", request)
            if slow:
                await asyncio.sleep(slow.delay_s)
            if cloud is None:
                cloud, to_cloud = await asyncio.open_connection(
                    self._host, self._upstream_port, limit=MAX_HEAD_BYTES
                )
                upstream.append(to_cloud)
            await _send(upstream[0], request.wire, slow)
            self.forwarded += 1
            if request.header("upgrade"):
                await _tunnel(reader, writer, cloud, upstream[0])
                return
            response = await read_response(cloud, request.first_line.split(" ")[0])
            if response is None or not await self._pass_back(request, response, writer, slow):
                return

    async def _pass_back(
        self, request: Message, response: Message, writer: asyncio.StreamWriter, slow: Fault | None
    ) -> bool:
        """Send the answer on, or what a fault leaves of it. False when the connection is to end."""
        if self._hit("answer-lost", request):
            raise ConnectionResetError
        if self._hit("answer-never", request):
            await asyncio.Event().wait()
        if self._hit("half", request):
            writer.write(response.wire[: len(response.wire) // 2])
            await writer.drain()
            return False
        await _send(writer, response.wire, slow)
        return response.header("connection") != "close"


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, as a machine that lost power or a gateway that lost its state answers."""
    sock = writer.get_extra_info("socket")
    if sock is None or writer.is_closing():
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, content: bytes, slow: Fault | None) -> None:
    if slow is None or slow.bytes_per_s <= 0:
        writer.write(content)
        await writer.drain()
        return
    for start in range(0, len(content), SLICE_BYTES):
        piece = content[start : start + SLICE_BYTES]
        await asyncio.sleep(len(piece) / slow.bytes_per_s)
        writer.write(piece)
        await writer.drain()


def _error(fault: Fault) -> bytes:
    retry_after = f"Retry-After: {fault.retry_after}\r\n" if fault.retry_after else ""
    head = (
        f"HTTP/1.1 {fault.status} {REASONS.get(fault.status, 'Fault')}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(fault.body)}\r\n{retry_after}\r\n"
    )
    return head.encode("latin-1") + fault.body


async def _tunnel(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    cloud: asyncio.StreamReader,
    to_cloud: asyncio.StreamWriter,
) -> None:
    """Pass bytes both ways, as after an upgrade to a web socket, until either side ends."""
    ways = [asyncio.create_task(_pump(reader, to_cloud)), asyncio.create_task(_pump(cloud, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(MAX_HEAD_BYTES):
        writer.write(chunk)
        await writer.drain()
