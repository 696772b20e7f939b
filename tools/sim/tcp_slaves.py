"""Many cheap Modbus TCP slaves on this machine, to load a hub with.

Each has its own port and 200 holding registers with 100 float32 that change every second. They count
what a hub asked, and how regularly, so that a missed period is seen from the slave's side.
Run as a process of its own: prints one JSON line with the ports, answers "stats" by one JSON line, ends
with its standard input. Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3.
"""

import argparse
import asyncio
import json
import resource
import struct
import sys
import threading
import time
from array import array
from typing import Any, cast

import uvloop

POINTS = 100
REGISTERS = 2 * POINTS
MAX_READ = 125

_HEADER = struct.Struct(">HHHBB")  # transaction, protocol, length, unit, function
_SPAN = struct.Struct(">HH")
_BLOCK = struct.Struct(f">{POINTS}f")
_READS = (3, 4)
_LONGEST_BODY = 254  # unit and PDU
_SPARE_DESCRIPTORS = 64


class TcpSlave:
    """One slave. number: which of the farm; part of every value, so that mixed-up slaves are noticed."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.requests = 0
        self.polls = 0
        self.spacings_s = array("d")
        self._last_poll_s = 0.0
        self._second = -1
        self._block = b""

    def value(self, point: int, second: int) -> float:
        """Return a point's value at a second of the monotonic clock; exact in a float32."""
        return float(self.number % 1024) + point * 64.0 + second % 64 / 64

    def answer(self, function: int, body: bytes, now_s: float) -> bytes:
        """Return the reply to a request, both without header."""
        self.requests += 1
        if function not in _READS:
            return bytes((function | 0x80, 1))
        if len(body) != _SPAN.size:
            return bytes((function | 0x80, 3))
        start, count = _SPAN.unpack(body)
        if not 1 <= count <= MAX_READ:
            return bytes((function | 0x80, 3))
        if start + count > REGISTERS:
            return bytes((function | 0x80, 2))
        if start == 0:
            self._note_poll(now_s)
        if int(now_s) != self._second:
            self._repack(int(now_s))
        return bytes((function, 2 * count)) + self._block[2 * start : 2 * (start + count)]

    def _note_poll(self, now_s: float) -> None:
        if self.polls:
            self.spacings_s.append(now_s - self._last_poll_s)
        self.polls += 1
        self._last_poll_s = now_s

    def _repack(self, second: int) -> None:
        self._second = second
        first = self.value(0, second)
        self._block = _BLOCK.pack(*[first + point * 64.0 for point in range(POINTS)])


class TcpConnection(asyncio.Protocol):
    """One master's connection to one slave."""

    def __init__(self, slave: TcpSlave) -> None:
        self._slave = slave
        self._heard = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the way back to the master."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not registered as one

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete; what is no Modbus TCP ends the connection."""
        heard = self._heard + data if self._heard else data
        replies = []
        while len(heard) >= _HEADER.size:
            transaction, protocol, length, unit, function = _HEADER.unpack_from(heard)
            if protocol != 0 or not 2 <= length <= _LONGEST_BODY:
                self._close()
                return
            if len(heard) < 6 + length:
                break
            pdu = self._slave.answer(function, heard[8 : 6 + length], time.monotonic())
            replies.append(struct.pack(">HHHB", transaction, 0, 1 + len(pdu), unit) + pdu)
            heard = heard[6 + length :]
        self._heard = heard
        if replies and self._transport is not None:
            self._transport.write(b"".join(replies))

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def report(slaves: list[TcpSlave], period_s: float) -> dict[str, Any]:
    """Return what the slaves saw. A spacing of n periods, rounded, counts as n - 1 missed ones."""
    spacings = sorted(spacing for slave in slaves for spacing in slave.spacings_s)
    deviations = sorted(abs(spacing - period_s) for spacing in spacings)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "slaves": len(slaves),
        "requests": [slave.requests for slave in slaves],
        "polls": [slave.polls for slave in slaves],
        "missed": sum(max(0, round(spacing / period_s) - 1) for spacing in spacings),
        "spacing_max_s": spacings[-1] if spacings else 0.0,
        "spacing_p50_s": spacings[len(spacings) // 2] if spacings else 0.0,
        "jitter_p99_s": deviations[int(0.99 * len(deviations))] if deviations else 0.0,
        "cpu_s": usage.ru_utime + usage.ru_stime,
    }


async def serve(slaves: list[TcpSlave], stop: asyncio.Event, period_s: float) -> None:
    """Listen on one port per slave until stop is set; obey standard input."""
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda slave=slave: TcpConnection(slave), "127.0.0.1", 0)  # type: ignore[misc]
        for slave in slaves
    ]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    print(json.dumps({"ports": ports}), flush=True)

    def obey() -> None:
        for line in sys.stdin:
            if line.strip() == "stats":
                loop.call_soon_threadsafe(lambda: print(json.dumps(report(slaves, period_s)), flush=True))
            elif line.strip() == "quit":
                break
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=obey, daemon=True).start()
    await stop.wait()
    for server in servers:
        server.close()


def main() -> None:
    """Serve as the command line asks."""
    parser = argparse.ArgumentParser(description="Modbus TCP slaves on ports of 127.0.0.1.")
    parser.add_argument("--count", type=int, default=10, help="how many slaves (default 10)")
    parser.add_argument("--first-number", type=int, default=0, help="number of the first one (default 0)")
    parser.add_argument("--period-s", type=float, default=1.0, help="how often a hub should ask (default 1)")
    arguments = parser.parse_args()
    _allow_descriptors(2 * arguments.count + _SPARE_DESCRIPTORS)
    slaves = [TcpSlave(arguments.first_number + index) for index in range(arguments.count)]
    uvloop.run(serve(slaves, asyncio.Event(), arguments.period_s))


def _allow_descriptors(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


if __name__ == "__main__":
    main()
