"""penstock sim nodes: real firmware on simulated boards, for a hub that is running."""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, OperatorNeeded, Problem
from hub.nodes.keys import parse_site_key
from tools.sim_nodes.control import HELP, Control, Quit
from tools.sim_nodes.group import SimulatedNodes

MOST = 200  # a process each
_WHERE = "command line"
_EPILOG = f"""\
examples:
  penstock sim nodes 3 --hub 127.0.0.1:8266 --site-key hub/site.key
  penstock sim nodes 20 --hub 192.168.1.10:8266 --site-key site.key --interval 10 --folder nodes

It first prints one JSON line with the nodes, then obeys commands on standard input, each answered by one
JSON line, and ends when standard input does:

{HELP}
"""


def register(commands: Any) -> None:
    """Add the nodes command."""
    parser = commands.add_parser(
        "nodes",
        help="nodes: real firmware in the real MicroPython",
        description="Each node is a process of the real MicroPython with the real firmware. Its flash is a\n"
        "file, and there are stand-ins for the hardware only.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("count", type=int, metavar="N", help=f"how many (1 to {MOST})")
    add(
        "--site-key",
        type=Path,
        required=True,
        metavar="FILE",
        help="the site's key, of the hub's data folder",
    )
    add("--hub", metavar="HOST:PORT", help="where it listens, in numbers (default: found by the nodes)")
    add("--seconds", type=float, metavar="S", help="how long (default: until standard input ends)")
    add("--interval", type=int, default=1, metavar="S", help="between two samples (default 1)")
    add("--prefix", default="sim-node", help="of the device keys (default sim-node)")
    add("--folder", type=Path, help="where their flash is kept (default: thrown away)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    problems = [
        Problem(_WHERE, key, f"{value} is out of range", f"use {low} to {high}")
        for key, value, low, high in (
            ("N", arguments.count, 1, MOST),
            ("--interval", arguments.interval, 1, 86_400),
        )
        if not low <= value <= high
    ]
    if problems:
        raise ConfigError(problems)
    key = _site_key(arguments.site_key)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="penstock-nodes-") as folder, suppress(KeyboardInterrupt):
        asyncio.run(_simulate(arguments, arguments.folder or Path(folder), key))
    return 0


def _site_key(path: Path) -> bytes:
    try:
        return parse_site_key(path.read_text(encoding="ascii"))
    except OSError as error:
        raise OperatorNeeded(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError as error:
        raise OperatorNeeded(str(error), where=str(path), hint="take the hub's site.key") from None


async def _simulate(arguments: argparse.Namespace, folder: Path, key: bytes) -> None:
    device_keys = [f"{arguments.prefix}-{number}" for number in range(1, arguments.count + 1)]
    hubs = [arguments.hub] if arguments.hub else []
    nodes = SimulatedNodes(device_keys, folder, key, hubs, _log, interval_s=arguments.interval)
    async with nodes:
        _say({"nodes": device_keys})
        with suppress(TimeoutError):
            async with asyncio.timeout(arguments.seconds):
                await _obey_lines(Control(nodes))


async def _obey_lines(control: Control) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            answer = await control.obey(line.decode())
        except Quit:
            return
        if answer:
            _say(answer)


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def _log(device_key: str, line: str) -> None:
    print(f"{device_key}: {line}", file=sys.stderr, flush=True)
