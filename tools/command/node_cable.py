"""penstock node logs and shell, and which node hangs on which cable."""

import argparse
import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, OperatorNeeded, Problem
from tools.command.node_site import FOLDER, add_site, data_folder, write_secret
from tools.flash import mpremote_io

_PORTS = "ports.json"  # where each node hung when it was flashed


def register(commands: Any) -> None:
    """Add the commands that listen and talk."""
    logs = commands.add_parser(
        "logs",
        help="follow what a board says on its cable",
        description="Follows what a board says, without a word to it, until Ctrl-C or until it goes away.",
    )
    logs.add_argument("key", nargs="?", metavar="KEY", help="a node flashed from this machine; needs --site")
    add_site(logs, is_required=False)
    logs.add_argument("--port", metavar="PORT", help="the board on this port")
    logs.set_defaults(run=_logs)
    shell = commands.add_parser(
        "shell",
        help="give the prompt of a board",
        description="Stops what runs on a board and gives its Python prompt. Ctrl-] leaves it;\n"
        "machine.reset(), or the board's button, starts the node again.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shell.add_argument("--port", metavar="PORT", help="the board (default: the only one there is)")
    shell.set_defaults(run=lambda arguments: mpremote_io.shell(arguments.port or _only_port()))


def all_ports() -> list[str]:
    """Return the ports of the boards that are found. Raises OperatorNeeded when none is."""
    found = mpremote_io.ports()
    if not found:
        others = ", ".join(mpremote_io.bridges())
        hint = "plug one in, with a cable that carries data"
        if others:
            hint = f"behind {others} may be one, or an RS485 line: say which with --port"
        raise OperatorNeeded("no board is found on this machine's USB ports", hint=hint)
    return found


def _only_port() -> str:
    found = all_ports()
    if len(found) > 1:
        reason = f"there are {len(found)} boards: {', '.join(found)}"
        raise ConfigError([Problem("command line", "--port", reason, "name one")])
    return found[0]


def remember_ports(folder: Path, flashed: Mapping[str, str]) -> None:
    """Write down where the nodes hang, so that logs finds them. flashed: node by port."""
    places = _places(folder)
    for port, key in flashed.items():
        places[key] = {"port": port, "serial_number": mpremote_io.serial_number(port)}
    write_secret(folder / FOLDER / _PORTS, json.dumps(places, indent=1).encode())


def _places(folder: Path) -> dict[str, dict[str, str]]:
    with contextlib.suppress(OSError, ValueError):
        places = json.loads((folder / FOLDER / _PORTS).read_bytes())
        return places if isinstance(places, dict) else {}
    return {}


def _logs(arguments: argparse.Namespace) -> int:
    mpremote_io.follow(arguments.port or _port_of(arguments), _show)
    return 0


def _port_of(arguments: argparse.Namespace) -> str:
    if not arguments.key:
        return _only_port()
    if arguments.site is None:
        raise ConfigError([Problem("command line", "--site", "is missing", "or name the --port")])
    place = _places(data_folder(arguments.site)).get(arguments.key)
    if place is None:
        hint = "name the --port"
        raise OperatorNeeded("was not flashed from this machine", where=arguments.key, hint=hint)
    return mpremote_io.port_with(place["serial_number"]) or place["port"]


def _show(data: bytes) -> None:
    sys.stdout.write(data.decode(errors="replace"))
    sys.stdout.flush()
