"""RTU on a pseudo-terminal."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.errors import TryAgain
from hub.modbus.line import DOWN, GARBLED, REFUSED, TIMEOUT, Reply
from hub.modbus.requests import Request, read, write
from hub.modbus.serial_io import PortIdentity, SerialLine, find_port, identity_of
from hub.modbus.settings import BusSettings
from tools.sim.bus import SimulatedBus
from tools.sim.slave import SimulatedSlave

BAUD = 115_200


@pytest.fixture
def bus() -> Iterator[SimulatedBus]:
    slaves = [
        SimulatedSlave(f"s{unit}", unit, holding={n: 1000 * unit + n for n in range(40)}) for unit in (1, 2)
    ]
    with SimulatedBus(slaves, BAUD) as running:
        yield running


@asynccontextmanager
async def opened(bus: SimulatedBus) -> AsyncIterator[SerialLine]:
    line = SerialLine(BusSettings("b", port=bus.port, baud=BAUD, parity="none", timeout_s=0.3))
    await line.open()
    try:
        yield line
    finally:
        await line.close()


async def ask(line: SerialLine, request: Request, timeout_s: float = 0.3) -> Reply:
    await line.send(request, timeout_s)
    return await line.reply()


def first_word(reply: Reply) -> int:
    return int.from_bytes(reply.data[:2], "big")


async def test_reads_and_writes(bus: SimulatedBus) -> None:
    async with opened(bus) as line:
        assert first_word(await ask(line, read(1, "holding", 3, 5))) == 1003
        assert not (await ask(line, write(2, "holding", 7, (42,)))).fault
        assert first_word(await ask(line, read(2, "holding", 7, 1))) == 42
        assert not (await ask(line, write(2, "holding", 7, (1, 2, 3)))).fault
        assert (await ask(line, read(2, "holding", 7, 3))).data == bytes((0, 1, 0, 2, 0, 3))


async def test_keeps_the_silence_between_frames(bus: SimulatedBus) -> None:
    async with opened(bus) as line:
        for _ in range(150):
            assert not (await ask(line, read(1, "holding", 0, 2))).fault
        assert line.is_open
    assert bus.counters.too_soon == 0


async def test_waits_until_a_slave_is_ready_again(bus: SimulatedBus) -> None:
    async with opened(bus) as line:
        reply = await ask(line, read(1, "holding", 0, 2))
        await line.send(read(1, "holding", 0, 2), 0.3, reply.arrived_s + 0.05)
        assert (await line.reply()).sent_s >= reply.arrived_s + 0.05


async def test_tells_refused_from_damaged_from_silent(bus: SimulatedBus) -> None:
    bus.dig(1, "holding", 20, 2)
    async with opened(bus) as line:
        refused = await ask(line, read(1, "holding", 19, 4))
        assert (refused.fault, refused.code) == (REFUSED, 2)
        assert (await ask(line, read(9, "holding", 0, 1))).fault == TIMEOUT
        bus.fault("truncate", 2, 6)
        assert (await ask(line, read(2, "holding", 0, 8))).fault == GARBLED
        bus.fault("truncate", 2, 0)
        bus.fault("noise", 2, 1.0)
        assert (await ask(line, read(2, "holding", 0, 8))).fault == GARBLED


async def test_a_late_reply_is_not_taken_for_another_slaves(bus: SimulatedBus) -> None:
    bus.fault("slow_ms", 1, 120.0)
    async with opened(bus) as line:
        assert (await ask(line, read(1, "holding", 0, 2), 0.05)).fault == TIMEOUT
        await asyncio.sleep(0.03)
        reply = await ask(line, read(2, "holding", 0, 2))
        assert reply.fault in {"", GARBLED}
        if not reply.fault:
            assert first_word(reply) == 2000


async def test_bytes_from_before_the_request_are_thrown_away(bus: SimulatedBus) -> None:
    bus.fault("slow_ms", 1, 60.0)
    async with opened(bus) as line:
        assert (await ask(line, read(1, "holding", 0, 2), 0.02)).fault == TIMEOUT
        # Blocks the loop, so that the late reply lies unread in the port when the next request goes out.
        deadline = time.monotonic() + 20
        while bus.wire.next_s() is not None and time.monotonic() < deadline:
            time.sleep(0.002)  # noqa: ASYNC251
        bus.fault("slow_ms", 1, 0.0)
        assert first_word(await ask(line, read(1, "holding", 30, 2))) == 1030


async def test_a_pulled_cable_ends_the_request_and_the_port_is_found_under_its_new_name(
    bus: SimulatedBus,
) -> None:
    async with opened(bus) as line:
        before = bus.device
        bus.fault("dead", 1)
        await line.send(read(1, "holding", 0, 2), 10.0)
        bus.pull()
        assert (await line.reply()).fault == DOWN
        assert not line.is_open
        with pytest.raises(TryAgain, match="No such file"):
            await line.open()
        bus.fault("dead", 1, 0)
        bus.plug()
        assert bus.device != before
        await line.open()
        assert first_word(await ask(line, read(1, "holding", 4, 1))) == 1004


async def test_a_cable_pulled_before_the_request_went_out_ends_it_too(bus: SimulatedBus) -> None:
    async with opened(bus) as line:
        sending = asyncio.create_task(line.send(read(1, "holding", 0, 2), 10.0, line.now_s() + 0.3))
        await asyncio.sleep(0)
        bus.pull()
        await sending
        reply = await asyncio.wait_for(line.reply(), 20)
        assert reply.fault == DOWN


async def test_a_port_belongs_to_one_program(bus: SimulatedBus) -> None:
    async with opened(bus) as line:
        second = SerialLine(BusSettings("b2", port=bus.port, baud=BAUD, parity="none"))
        with pytest.raises(TryAgain, match="another program"):
            await second.open()
        assert first_word(await ask(line, read(1, "holding", 4, 1))) == 1004


def test_a_port_given_by_its_raw_name_is_found_again_by_its_lasting_one(tmp_path: Path) -> None:
    first, second = tmp_path / "ttyUSB0", tmp_path / "ttyUSB1"
    for port in (first, second):
        port.touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    link = by_id / "usb-adapter"
    link.symlink_to(first)
    identity = identity_of(str(first), by_id)
    assert identity == PortIdentity((str(link),))
    link.unlink()
    assert find_port(str(first), identity) == str(first)
    link.symlink_to(second)
    assert Path(find_port(str(first), identity)).resolve() == second


async def test_a_file_that_is_no_serial_port_is_called_so(tmp_path: Path) -> None:
    file = tmp_path / "plain"
    file.touch()
    with pytest.raises(TryAgain, match=r"is not a serial port \(/dev/serial/by-id lists"):
        await SerialLine(BusSettings("b", port=str(file))).open()
