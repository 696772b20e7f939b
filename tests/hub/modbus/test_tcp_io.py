"""Modbus TCP on real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from hub.errors import TryAgain
from hub.modbus.line import DOWN, TIMEOUT, Reply
from hub.modbus.requests import Request, read
from hub.modbus.settings import BusSettings
from hub.modbus.tcp_io import TcpLine
from tools.sim.bus import SimulatedBus
from tools.sim.registers import Registers
from tools.sim.slave import SimulatedSlave

Answer = Callable[[bytes, bytes], list[bytes]]


def registers() -> Registers:
    found = Registers()
    found.measured["holding"].update({n: n for n in range(200)})
    return found


def framed(head: bytes, pdu: bytes) -> bytes:
    return head[:4] + (len(pdu) + 1).to_bytes(2, "big") + head[6:7] + pdu


def honest(head: bytes, pdu: bytes) -> list[bytes]:
    return [framed(head, registers().answer(pdu))]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[BusSettings]:
    """Serve requests; answer turns a header and a PDU into what is written, piece by piece."""

    served_all = asyncio.Event()
    open_now: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            await _serve_one(reader, writer, answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            open_now.discard(writer)
            served_all.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield BusSettings("b", host="127.0.0.1", tcp_port=port, transport="tcp", timeout_s=0.3)
        while open_now:
            served_all.clear()
            await asyncio.wait_for(served_all.wait(), 10)


async def _serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    while True:
        head = await reader.readexactly(7)
        pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
        for piece in answer(head, pdu):
            if not piece:
                return
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.001)


async def ask(line: TcpLine, request: Request, timeout_s: float = 0.3) -> Reply:
    await line.send(request, timeout_s)
    return await line.reply()


@asynccontextmanager
async def connected(settings: BusSettings) -> AsyncIterator[TcpLine]:
    line = TcpLine(settings)
    await line.open()
    try:
        yield line
    finally:
        await line.close()


async def test_reads_over_a_socket() -> None:
    async with served(honest) as settings, connected(settings) as line:
        for address in range(0, 100, 7):
            assert (await ask(line, read(1, "holding", address, 1))).data == bytes((0, address))


async def test_a_reply_in_pieces_is_put_together() -> None:
    def in_pieces(head: bytes, pdu: bytes) -> list[bytes]:
        whole = honest(head, pdu)[0]
        return [whole[:3], whole[3:8], whole[8:]]

    async with served(in_pieces) as settings, connected(settings) as line:
        assert len((await ask(line, read(1, "holding", 0, 50))).data) == 100


async def test_a_late_reply_is_passed_over() -> None:
    late: list[bytes] = []

    def holds_the_first(head: bytes, pdu: bytes) -> list[bytes]:
        if not late:
            late.extend(honest(head, pdu))
            return []
        return [*late, *honest(head, pdu)]

    async with served(holds_the_first) as settings, connected(settings) as line:
        assert (await ask(line, read(1, "holding", 11, 1), 0.05)).fault == TIMEOUT
        assert (await ask(line, read(1, "holding", 22, 1))).data == bytes((0, 22))


async def test_a_hang_up_ends_the_request() -> None:
    async with served(lambda head, pdu: [b""]) as settings, connected(settings) as line:
        assert (await ask(line, read(1, "holding", 0, 1), 10.0)).fault == DOWN
        assert not line.is_open


async def test_nobody_there_is_worth_another_try() -> None:
    async with served(honest) as settings:
        pass
    with pytest.raises(TryAgain, match="cannot connect"):
        await TcpLine(settings).open()


async def test_a_name_nobody_knows_is_said_by_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    settings = BusSettings("b", host="nobody.invalid", transport="tcp")
    with pytest.raises(TryAgain, match=r"cannot connect: Name or service not known \(check the host"):
        await TcpLine(settings).open()


async def test_what_cannot_be_a_name_is_no_reason_to_stop() -> None:
    with pytest.raises(TryAgain, match="cannot be the name of a host"):
        await TcpLine(BusSettings("b", host="a..b", transport="tcp")).open()


async def test_rtu_frames_through_a_gateway() -> None:
    slave = SimulatedSlave("s", 5, holding={3: 77})
    with SimulatedBus([slave], 115_200, tcp_port=0) as bus:
        assert bus.tcp_port is not None
        settings = BusSettings("g", host="127.0.0.1", tcp_port=bus.tcp_port, transport="rtu-over-tcp")
        async with connected(settings) as line:
            assert not line.is_tagged
            assert (await ask(line, read(5, "holding", 3, 1))).data == bytes((0, 77))
