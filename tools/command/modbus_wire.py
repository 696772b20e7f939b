"""The Modbus commands that talk to a line: scan, read, write."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import permutations

from hub.errors import ConfigError, OperatorNeeded, Problem
from hub.modbus import requests
from hub.modbus.line import GARBLED, REFUSED, Line, Reply, demand
from hub.modbus.line_io import line_for
from hub.modbus.points import Point
from hub.modbus.registers import BIT_TABLES, CODES, decode, size_of, words
from hub.modbus.requests import Request
from hub.modbus.settings import BusSettings

_COMMON_ORDERS = {
    2: ("AB", "BA"),
    4: ("ABCD", "CDAB", "BADC", "DCBA"),
    8: ("ABCDEFGH", "GHEFCDAB", "HGFEDCBA"),
}


def scan(arguments: argparse.Namespace, lines: Sequence[BusSettings]) -> int:
    """Find slaves. Exit code 1 when nobody answered."""
    return asyncio.run(_scan(arguments.addresses, lines, goes_on=arguments.all))


def read(arguments: argparse.Namespace, settings: BusSettings) -> int:
    """Read and print values."""
    per_value = 1 if arguments.table in BIT_TABLES else size_of(arguments.type) // 2
    count = arguments.count * (4 if arguments.decode and arguments.count == 1 else per_value)
    request = requests.read(arguments.unit, arguments.table, arguments.address, count)
    _require_within(request)
    data = asyncio.run(_once(settings, request))
    if arguments.table in BIT_TABLES:
        bits = int.from_bytes(data, "little")
        for index in range(count):
            print(f"{arguments.address + index:>6}  {bits >> index & 1}")
    elif arguments.decode:
        _print_all_readings(arguments.address, data)
    else:
        _print_values(arguments, data, per_value)
    return 0


def write(arguments: argparse.Namespace, settings: BusSettings) -> int:
    """Write a value and read it back. Exit code 1 when the slave holds something else then."""
    if arguments.table not in {"holding", "coil"}:
        raise ConfigError(
            [Problem("modbus write", "--table", "only holding registers and coils can be written")]
        )
    length = max(1, (len(arguments.value) + 1) // 2) if arguments.type == "string" else 1
    point = Point(
        "value", arguments.table, arguments.address, arguments.type, arguments.order.upper(), length=length
    )
    try:
        values = point.raw(_value(arguments))
    except ValueError as error:
        raise ConfigError([Problem("modbus write", arguments.value, str(error))]) from error
    request = requests.write(arguments.unit, arguments.table, arguments.address, values)
    _require_within(request)
    if not arguments.yes and not _confirmed(request, settings):
        print("nothing was written", file=sys.stderr)
        return 1
    held = asyncio.run(_write(settings, request, arguments.table))
    if held != values:
        raise OperatorNeeded(
            f"wrote {list(values)}, but the slave holds {list(held)}",
            where=settings.place,
            hint="the device may limit or lock the value; see its manual",
        )
    print(f"slave {arguments.unit} holds {list(held)} from {arguments.address} on")
    return 0


@asynccontextmanager
async def _opened(settings: BusSettings) -> AsyncIterator[Line]:
    line = line_for(settings)
    await line.open()
    try:
        yield line
    finally:
        await line.close()


async def _ask(line: Line, request: Request, timeout_s: float) -> Reply:
    await line.send(request, timeout_s)
    return await line.reply()


async def _once(settings: BusSettings, request: Request) -> bytes:
    async with _opened(settings) as line:
        return demand(await _ask(line, request, settings.timeout_s), request, settings.place)


async def _write(settings: BusSettings, request: Request, table: str) -> tuple[int, ...]:
    async with _opened(settings) as line:
        demand(await _ask(line, request, settings.timeout_s), request, settings.place)
        back = requests.read(request.unit, table, request.address, request.count)
        data = demand(await _ask(line, back, settings.timeout_s), back, settings.place)
    if table not in BIT_TABLES:
        return words(data)
    return tuple(int.from_bytes(data, "little") >> index & 1 for index in range(request.count))


async def _scan(addresses: Sequence[int], lines: Sequence[BusSettings], *, goes_on: bool) -> int:
    found = 0
    for settings in lines:
        heard, noise = await _scan_line(settings, addresses)
        found += heard
        if noise:
            print(
                f"{_setting(settings)}: {noise} damaged replies; another setting, or noise", file=sys.stderr
            )
        if found and not goes_on:
            break
    if not found:
        print(f"nobody answered; {_advice(lines[0])}", file=sys.stderr)
    return 0 if found else 1


def _advice(settings: BusSettings) -> str:
    if settings.port:
        return "check power, the two wires (A and B swapped?) and termination"
    if settings.transport == "tcp":
        return "check the slaves behind the gateway; if it passes RTU frames on, add --rtu"
    return "check the slaves behind the gateway; if it speaks Modbus TCP, leave out --rtu"


async def _scan_line(settings: BusSettings, addresses: Sequence[int]) -> tuple[int, int]:
    heard = noise = 0
    async with _opened(settings) as line:
        for address in addresses:
            _progress(f"{_setting(settings)}: asking {address} of {addresses[-1]} …")
            reply = await _ask(line, requests.read(address, "holding", 0, 1), settings.timeout_s)
            if reply.fault in {"", REFUSED}:
                heard += 1
                _progress("")
                took_ms = 1000 * (reply.arrived_s - reply.sent_s)
                print(f"slave {address:>3} · {_setting(settings)} · answered in {took_ms:.0f} ms", flush=True)
            noise += reply.fault == GARBLED
            if not line.is_open:
                raise OperatorNeeded("the line went away during the scan", where=settings.place)
    _progress("")
    return heard, noise


def _setting(settings: BusSettings) -> str:
    if not settings.port:
        return settings.place
    return f"{settings.baud} baud, {settings.parity} parity"


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _confirmed(request: Request, settings: BusSettings) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError([Problem("modbus write", "--yes", "is needed where nobody can be asked")])
    print(f"{request}: {list(request.values)} at {settings.place}", file=sys.stderr)
    print("really write? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _require_within(request: Request) -> None:
    most = 2000 if request.function in {1, 2} else 123 if request.values else 125
    if request.address + request.count > 0x1_0000:
        reason = f"{request.count} from {request.address} on goes beyond 65535, the last address"
        raise ConfigError([Problem("modbus", "--address", reason)])
    if request.count > most:
        reason = f"{request.count} from {request.address} on is more than one request carries ({most})"
        raise ConfigError([Problem("modbus", "--count", reason)])


def _print_values(arguments: argparse.Namespace, data: bytes, per_value: int) -> None:
    order = arguments.order.upper()
    if arguments.type == "string":
        print(f"{arguments.address:>6}  {decode(data, 'string', order)}")
        return
    for index in range(arguments.count):
        part = data[2 * per_value * index : 2 * per_value * (index + 1)]
        print(f"{arguments.address + per_value * index:>6}  {decode(part, arguments.type, order)}")


def _print_all_readings(address: int, data: bytes) -> None:
    print(f"registers from {address} on: {' '.join(f'{word:04X}' for word in words(data))}")
    for name in CODES:
        size = size_of(name)
        if name == "bool" or len(data) < size:
            continue
        orders = _COMMON_ORDERS[size] if size > 2 else tuple("".join(p) for p in permutations("AB"))
        readings = [f"{order} {decode(data[:size], name, order):.7g}" for order in orders]
        print(f"{name:>8}  {'   '.join(readings)}")
    print(f"{'string':>8}  {decode(data, 'string')!r}")


def _value(arguments: argparse.Namespace) -> float | int | str:
    if arguments.type == "string":
        return str(arguments.value)
    number = _number(arguments.value)
    if arguments.table == "coil" and number not in {0, 1}:
        raise ValueError("a coil is 0 or 1, off or on")
    return number


def _number(text: str) -> float | int:
    if text.lower() in {"true", "false", "on", "off"}:
        return int(text.lower() in {"true", "on"})
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError("is not a number, nor on or off") from None
