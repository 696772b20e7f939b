"""penstock modbus: for the person with the laptop at the cabinet."""

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, Problem
from hub.modbus.forecast import Outlook, PollOutlook, forecast
from hub.modbus.holes import HoleMemory
from hub.modbus.polls import polls_of
from hub.modbus.profiles import PARITIES
from hub.modbus.profiles_io import load_profile, profile_names
from hub.modbus.registers import FUNCTIONS, TYPES, natural_order
from hub.modbus.settings import BusSettings, Transmitter
from hub.site import open_site
from tools.command import modbus_wire

_EPILOG = """\
examples:
  penstock modbus scan /dev/serial/by-id/usb-FTDI_…        who is on this line, and at which settings
  penstock modbus scan 192.168.1.50:502                    which units answer behind a gateway
  penstock modbus read /dev/ttyUSB0 --unit 3 --address 2 --type float32 --baud 9600 --parity none
  penstock modbus read 192.168.1.50:502 --unit 3 --address 2 --decode
  penstock modbus write /dev/ttyUSB0 --unit 3 --address 40 --type u16 1500
  penstock modbus plan site.toml                           requests, cycle time, utilisation, who is late
  penstock modbus plan --profile eastron-sdm630 --baud 9600 --interval 1 --count 8
"""
_ADDRESSES = re.compile(r"(?P<first>\d{1,3})(?:-(?P<last>\d{1,3}))?")
_NETWORK = re.compile(r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<port>\d{1,5})")

Add = Callable[..., Any]


def register(groups: Any) -> None:
    """Add the Modbus commands."""
    parser = groups.add_parser(
        "modbus",
        help="find, read, write and plan Modbus transmitters",
        description="Find slaves, read and write registers, see a plan before it runs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _register_scan(commands)
    _register_read(commands)
    _register_write(commands)
    _register_plan(commands)
    listing = commands.add_parser(
        "profiles",
        help="list the transmitters whose registers are known",
        description="Lists the profiles that come with Penstock; a configuration names them.",
    )
    listing.set_defaults(run=_profiles)


def _register_scan(commands: Any) -> None:
    scan = commands.add_parser(
        "scan",
        help="find slaves, baud rate and parity",
        description="Asks every address at every setting until one answers. It writes nothing.",
    )
    add = scan.add_argument
    _add_target(add)
    add("--addresses", type=_addresses, default=range(1, 248), metavar="A-B", help="default: 1-247")
    add("--baud", type=_positive, action="append", metavar="N", help="only this rate; may be repeated")
    add("--parity", choices=PARITIES, action="append", help="only this parity; may be repeated")
    add("--timeout-ms", type=_positive, default=80, metavar="N", help="for one reply (default: 80)")
    add("--all", action="store_true", help="go on with other settings after one was found")
    add("--rtu", action="store_true", help="the gateway passes RTU frames on (RTU over TCP)")
    scan.set_defaults(run=lambda arguments: modbus_wire.scan(arguments, scan_settings(arguments)))


def _register_read(commands: Any) -> None:
    read = commands.add_parser(
        "read",
        help="read registers as typed values",
        description="Reads once and prints the values, decoded as asked.",
    )
    _add_target(read.add_argument)
    _add_line(read.add_argument)
    _add_register(read.add_argument)
    read.add_argument("--count", type=_positive, default=1, metavar="N", help="values (strings: registers)")
    read.add_argument("--decode", action="store_true", help="show the registers under every type and order")
    read.set_defaults(run=lambda arguments: modbus_wire.read(arguments, line_settings(arguments)))


def _register_write(commands: Any) -> None:
    write = commands.add_parser(
        "write",
        help="write a register or coil and read it back",
        description="Writes one value and reads it back. Exit code 1 when the slave kept another.",
    )
    _add_target(write.add_argument)
    _add_line(write.add_argument)
    _add_register(write.add_argument)
    write.add_argument("value", help="the value, in the register's own unit")
    write.add_argument("--yes", action="store_true", help="do not ask")
    write.set_defaults(run=lambda arguments: modbus_wire.write(arguments, line_settings(arguments)))


def _register_plan(commands: Any) -> None:
    plan = commands.add_parser(
        "plan",
        help="requests, predicted cycle time and utilisation, before anything is saved",
        description="Plans a configuration, or a number of equal transmitters. Exit code 3 when some points\n"
        "cannot keep their period.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = plan.add_argument
    add("config", nargs="?", type=Path, metavar="CONFIG", help="a hub's configuration")
    add("--profile", action="append", metavar="NAME", help="instead: transmitters of this model; repeatable")
    add("--count", type=_positive, default=1, metavar="N", help="how many of each (default: 1)")
    add(
        "--interval", type=_interval_s, default=1.0, metavar="S", help="seconds between readings (default: 1)"
    )
    add("--baud", type=_positive, default=19_200, metavar="N", help="default: 19200")
    add("--parity", choices=PARITIES, default="even", help="default: even")
    add(
        "--think-ms", type=_think_ms, default=5, metavar="N", help="what a slave needs to answer (default: 5)"
    )
    plan.set_defaults(run=_plan)


def _add_target(add: Add) -> None:
    add("target", metavar="PORT|HOST:PORT", help="a serial port, or a Modbus TCP endpoint")


def _add_line(add: Add) -> None:
    add("--baud", type=_positive, default=19_200, metavar="N", help="default: 19200")
    add("--parity", choices=PARITIES, default="even", help="default: even")
    add("--stop-bits", type=int, choices=(1, 2), default=1, help="default: 1")
    add("--timeout-ms", type=_positive, default=500, metavar="N", help="for one reply (default: 500)")
    add("--rtu", action="store_true", help="the gateway passes RTU frames on (RTU over TCP)")


def _add_register(add: Add) -> None:
    add("--unit", type=_unit, required=True, metavar="N", help="address of the slave, 1-247")
    add("--table", choices=tuple(FUNCTIONS), default="holding", help="default: holding")
    add("--address", type=_number, required=True, metavar="N", help="zero-based; decimal or 0x…")
    add("--type", choices=TYPES, default="u16", help="default: u16")
    add("--order", default="", metavar="LETTERS", help="byte order as transmitted, such as CDAB")


def line_settings(arguments: argparse.Namespace) -> BusSettings:
    """Return the line that the arguments describe. Raises ConfigError."""
    order, wanted = arguments.order.upper(), natural_order(arguments.type)
    if order and sorted(order) != sorted(wanted):
        raise ConfigError([Problem("--order", arguments.order, f"is not a permutation of {wanted}")])
    return _target(
        arguments.target,
        arguments.rtu,
        baud=arguments.baud,
        parity=arguments.parity,
        stop_bits=arguments.stop_bits,
        timeout_s=arguments.timeout_ms / 1000,
    )


def scan_settings(arguments: argparse.Namespace) -> list[BusSettings]:
    """Return the lines to try, the likeliest settings first."""
    timeout_s = arguments.timeout_ms / 1000
    if _NETWORK.fullmatch(arguments.target):
        return [_target(arguments.target, arguments.rtu, timeout_s=timeout_s)]
    rates = arguments.baud or [9600, 19_200, 38_400, 115_200, 57_600, 4800, 2400]
    parities = arguments.parity or ["even", "none", "odd"]
    return [
        _target(arguments.target, False, baud=baud, parity=parity, timeout_s=timeout_s)
        for baud in rates
        for parity in parities
    ]


def _target(target: str, is_rtu: bool, **settings: Any) -> BusSettings:
    network = _NETWORK.fullmatch(target)
    if network is None:
        return BusSettings(target, port=target, **settings)
    if not 1 <= int(network["port"]) <= 0xFFFF:
        raise ConfigError([Problem("modbus", target, "the port is not within 1-65535")])
    transport = "rtu-over-tcp" if is_rtu else "tcp"
    settings = {"timeout_s": settings["timeout_s"]}
    return BusSettings(
        target, host=network["host"], tcp_port=int(network["port"]), transport=transport, **settings
    )


def _profiles(_: argparse.Namespace) -> int:
    for name in profile_names():
        profile = load_profile(name)
        print(f"{name:22} {profile.kind:12} {profile.title}")
        print(f"{'':22} {'':12} {', '.join(point.metric for point in profile.points)}")
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    if (arguments.config is None) == (arguments.profile is None):
        raise ConfigError([Problem("modbus plan", "CONFIG", "give either a configuration or --profile")])
    buses = _from_config(arguments.config) if arguments.config else _from_profiles(arguments)
    is_late = False
    for configured, transmitters in buses:
        settings = replace(configured, think_s=arguments.think_ms / 1000)
        polls = polls_of(settings.name, transmitters, settings.cost, HoleMemory())
        outlook = forecast(polls, settings.cost)
        print(_report(settings, transmitters, outlook))
        is_late = is_late or bool(outlook.late) or outlook.utilisation > 1
    return 3 if is_late else 0


def _from_config(path: Path) -> list[tuple[BusSettings, Sequence[Transmitter]]]:
    _, site = open_site(path)
    return list(site.by_bus())


def _from_profiles(arguments: argparse.Namespace) -> list[tuple[BusSettings, Sequence[Transmitter]]]:
    names = [name for name in arguments.profile for _ in range(arguments.count)]
    if len(names) > 247:
        raise ConfigError(
            [Problem("modbus plan", "--count", f"{len(names)} slaves; a line has 247 addresses")]
        )
    transmitters = []
    for address, name in enumerate(names, 1):
        profile = load_profile(name)
        points, limits = profile.points, profile.limits
        transmitters.append(
            Transmitter(f"{name}-{address}", address, arguments.interval, points, limits, name, "plan")
        )
    return [
        (BusSettings("plan", port="(planned)", baud=arguments.baud, parity=arguments.parity), transmitters)
    ]


def _report(settings: BusSettings, transmitters: Sequence[Transmitter], outlook: Outlook) -> str:
    speed = f"{settings.baud} baud, {settings.parity} parity" if settings.port else settings.transport
    requests = sum(len(poll.poll.requests) for poll in outlook.polls)
    points = sum(len(transmitter.points) for transmitter in transmitters)
    lines = [
        f"bus {settings.name} · {settings.place} · {speed}",
        f"{'unit':>6} {'every':>8} {'takes':>9} {'waits':>9} {'kept':>6}  requests",
        *(_line_of(poll) for poll in outlook.polls),
        f"{points} points in {requests} requests, all once in {1000 * outlook.cycle_s:.0f} ms",
        f"utilisation {100 * outlook.utilisation:.0f} %",
    ]
    lines += [_complaint(poll) for poll in outlook.late]
    if outlook.utilisation > 1:
        lines.append("the bus is asked for more than it can carry; in the long run nobody keeps its period")
    return "\n".join(lines)


def _line_of(outlook: PollOutlook) -> str:
    poll = outlook.poll
    blocks = "  ".join(str(request).split(" of slave")[0].removeprefix("read ") for request in poll.requests)
    return (
        f"{poll.unit:>6} {poll.interval_s:>6g} s {1000 * outlook.cost_s:>6.0f} ms "
        f"{1000 * outlook.lateness_s:>6.0f} ms {_percent(outlook.kept):>4} %  {blocks}"
    )


def _complaint(outlook: PollOutlook) -> str:
    metrics = ", ".join(point.metric for point in outlook.poll.points)
    keys = ", ".join(transmitter.device_key for transmitter in outlook.poll.transmitters)
    return (
        f"cannot keep its period: {keys} ({metrics}): {_percent(outlook.kept)} % of its readings; "
        f"longer intervals, a higher baud rate or a second bus would help"
    )


def _percent(share: float) -> int:
    return int(100 * share + 1e-9)  # rounded down: 100 % means every one


def _addresses(text: str) -> range:
    found = _ADDRESSES.fullmatch(text)
    first, last = (int(found["first"]), int(found["last"] or found["first"])) if found else (0, 0)
    if not 1 <= first <= last <= 247:
        raise argparse.ArgumentTypeError(f"{text!r} is not within 1-247, as in 3 or 1-32")
    return range(first, last + 1)


def _number(text: str) -> int:
    """Return a register's address; manuals write both 40 and 0x28."""
    return _whole(text, 0, 0xFFFF, base=0)


def _positive(text: str) -> int:
    return _whole(text, 1, 4_000_000)


def _think_ms(text: str) -> int:
    return _whole(text, 0, 60_000)


def _whole(text: str, low: int, high: int, base: int = 10) -> int:
    try:
        number = int(text, base)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number within {low}-{high}")
    return number


def _interval_s(text: str) -> float:
    """Return an interval that a configuration could have, too."""
    try:
        interval_s = float(text)
    except ValueError:
        interval_s = 0.0
    if not 0.05 <= interval_s <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not within 0.05-86400 seconds")
    return interval_s


def _unit(text: str) -> int:
    return _whole(text, 1, 247)
