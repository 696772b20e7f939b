"""penstock sim: a simulated RS485 bus and nodes for those who have none at hand, and a fleet of hubs."""

import argparse
import json
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from hub.errors import ConfigError, Problem
from tools.command import sim_board, sim_fleet, sim_nodes
from tools.sim import demo_site, profiles, slave
from tools.sim.bus import SimulatedBus
from tools.sim.control import HELP, Control, Quit
from tools.sim.gauges import PLACES
from tools.sim.slave import SimulatedSlave

_EPILOG = f"""\
examples:
  penstock sim bus --demo
  penstock sim bus --baud 9600 --slave tank-1=keller-level@3 --slave pump=abb-acs510@7
  penstock sim bus --demo --link rs485 --tcp 5020
  penstock sim profiles

It first prints one JSON line with the port, then obeys commands on standard input, each answered by one
JSON line, and ends when standard input does:

{HELP}
"""

_WHERE = "command line"
_SLAVE = re.compile(r"(?P<name>[^=]+)=(?P<profile>[^@]+)@(?P<address>\d+)(?::(?P<place>[a-z-]+))?")


def register(groups: Any) -> None:
    """Add the simulator's commands."""
    parser = groups.add_parser(
        "sim",
        help="simulate an RS485 bus, nodes, or a fleet of hubs",
        description="Simulators of what hangs on a hub, and of many hubs.",
        epilog="examples:\n  penstock sim bus --demo\n  penstock sim fleet --hubs 20 --speed-up 60",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _register_bus(commands)
    sim_fleet.register(commands)
    sim_board.register(commands)
    sim_nodes.register(commands)
    listing = commands.add_parser(
        "profiles",
        help="say which profiles and places there are",
        description="Say which profiles --slave takes, and where on the site a transmitter can hang.",
    )
    listing.set_defaults(run=_profiles)


def _register_bus(commands: Any) -> None:
    bus = commands.add_parser(
        "bus",
        help="a bus of transmitters behind a pseudo-terminal",
        description="Real Modbus RTU frames on a pseudo-terminal, as fast as the wire would carry them,\n"
        "from transmitters that hang on a small water supply: borehole, pump, two tanks, a village.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = bus.add_argument
    add("--demo", action="store_true", help="the demo's eight transmitters, at the demo's line settings")
    add(
        "--slave",
        action="append",
        default=[],
        metavar="NAME=PROFILE@ADDRESS[:PLACE]",
        help="add a transmitter",
    )
    add("--baud", type=int, help=f"speed of the line (default {demo_site.LINE.baud})")
    add("--parity", choices=("none", "even", "odd"), help=f"(default {demo_site.LINE.parity})")
    add("--stop-bits", type=int, choices=(1, 2), help=f"(default {demo_site.LINE.stop_bits})")
    add("--link", type=Path, metavar="PATH", help="lasting name of the port (default: in a temporary folder)")
    add("--tcp", type=int, metavar="PORT", help="also listen on 127.0.0.1 for RTU over TCP; 0 takes any port")
    add("--turnaround-ms", type=float, default=3.0, metavar="MS", help="pause before a reply (default 3)")
    add(
        "--speed-up",
        type=float,
        default=demo_site.SPEED_UP,
        metavar="X",
        help="water time (default 60 times real)",
    )
    add("--seed", type=int, default=0, help="the same seed gives the same water (default 0)")
    add("--unpaced", action="store_true", help="answer at once, as no wire can")
    add(
        "--strict",
        action="store_true",
        help="do not understand a request that comes before the silence is over",
    )
    bus.set_defaults(run=_bus)


def _bus(arguments: argparse.Namespace) -> int:
    bus = SimulatedBus(
        _slaves(arguments),
        arguments.baud or demo_site.LINE.baud,
        arguments.parity or demo_site.LINE.parity,
        arguments.stop_bits or demo_site.LINE.stop_bits,
        is_paced=not arguments.unpaced,
        is_strict=arguments.strict,
        link=arguments.link,
        tcp_port=arguments.tcp,
        speed_up=arguments.speed_up,
        seed=arguments.seed,
    )
    signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        with bus:
            _say(_greeting(bus))
            if sys.stdin.isatty():
                print('type "help" for what you can break, Ctrl-D to end', file=sys.stderr)
            _obey_lines(Control(bus))
    except Quit:
        pass
    return 0


def _slaves(arguments: argparse.Namespace) -> list[SimulatedSlave]:
    slaves, problems = [], _problems(arguments)
    try:
        slaves += demo_site.build(arguments.seed) if arguments.demo else []
    except ConfigError as error:
        problems += error.problems
    for text in arguments.slave:
        try:
            slaves.append(_slave(text, arguments))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    _warn_of_twins(slaves)
    return slaves


def _warn_of_twins(slaves: Sequence[SimulatedSlave]) -> None:
    """Say who shares an address. It is allowed: that is how such a fault looks on a real bus."""
    by_address: dict[int, list[str]] = {}
    for one in slaves:
        by_address.setdefault(one.address, []).append(one.name)
    for address, names in by_address.items():
        if len(names) > 1:
            twins = " and ".join(names)
            print(f"{twins} have address {address}: they will garble each other's replies", file=sys.stderr)


def _problems(arguments: argparse.Namespace) -> list[Problem]:
    bounds = (
        ("--baud", arguments.baud, 300, 4_000_000),
        ("--tcp", arguments.tcp, 0, 65_535),
        ("--turnaround-ms", arguments.turnaround_ms, 0, 60_000),
        ("--speed-up", arguments.speed_up, 0, 3600),
    )
    problems = [
        Problem(_WHERE, key, f"{value:g} is out of range", f"use {low} to {high}")
        for key, value, low, high in bounds
        if value is not None and not low <= value <= high
    ]
    if not arguments.demo and not arguments.slave:
        problems.append(Problem(_WHERE, "--slave", "nobody on the bus", "add --slave or --demo"))
    return problems


def _slave(text: str, arguments: argparse.Namespace) -> SimulatedSlave:
    match = _SLAVE.fullmatch(text)
    if match is None:
        hint = "write NAME=PROFILE@ADDRESS, such as tank-1=keller-level@3"
        raise ConfigError([Problem(_WHERE, "--slave", f"cannot read {text!r}", hint)])
    return slave.from_profile(
        match["name"],
        match["profile"],
        int(match["address"]),
        place=match["place"],
        turnaround_s=arguments.turnaround_ms / 1000,
        seed=arguments.seed,
    )


def _greeting(bus: SimulatedBus) -> dict[str, Any]:
    return {
        "port": bus.port,
        "device": bus.device,
        "tcp_port": bus.tcp_port,
        "baud": bus.line.baud,
        "parity": bus.line.parity,
        "stop_bits": bus.line.stop_bits,
        "slaves": [
            {"name": one.name, "address": one.address, "profile": one.profile.name if one.profile else None}
            for one in bus.wire.slaves
        ],
    }


def _obey_lines(control: Control) -> None:
    for line in sys.stdin:
        if answer := control.obey(line):
            _say(answer)


def _profiles(_: argparse.Namespace) -> int:
    _print_column("profiles", [f"{name:24}{profiles.load(name).kind}" for name in profiles.names()])
    _print_column("places", list(PLACES))
    return 0


def _print_column(title: str, lines: Sequence[str]) -> None:
    print(f"{title}:", *lines, sep="\n  ")


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def _on_sigterm(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Quit
