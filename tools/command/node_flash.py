"""penstock node flash: the firmware onto boards, and the first word of each to the hub."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, OperatorNeeded, PenstockError, Problem
from hub.nodes.keys import SITE_KEY_FILE
from hub.nodes.registry import Node
from hub.nodes.registry_io import RegistryFile
from hub.nodes.site_key_io import read_site_key
from shared_schema.digest import node_key
from tools.command.node_cable import all_ports, remember_ports
from tools.command.node_list import live_nodes
from tools.command.node_site import add_site, data_folder, read_node
from tools.flash import fleet
from tools.flash.bars import Bars
from tools.flash.image import Image, build_image
from tools.flash.survey import Survey

_POLL_S = 0.5
_SWITCH_S = 3.0  # a node that was reset says nothing for as long, in its maintenance window


def register(commands: Any) -> None:
    """Add the command."""
    flash = commands.add_parser(
        "flash",
        help="put the firmware on boards, many at once",
        description="Puts the firmware on every board that is plugged in, or on those named. A board that\n"
        "is a node keeps its identity and the readings it holds; a new one becomes the node KEY. The cable\n"
        "may be pulled at any moment: the board starts what it started before, until all is in place.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = flash.add_argument
    add("keys", nargs="*", metavar="KEY", help="nodes from penstock node new, one for each new board")
    add_site(flash, is_required=False)
    add(
        "--port",
        action="append",
        default=[],
        metavar="PORT[=KEY]",
        help="only this board, and which node it is; may be repeated (default: all that are found)",
    )
    add("--wipe", action="store_true", help="forget the identity and the readings that are on the board")
    add(
        "--wait",
        type=float,
        default=60.0,
        metavar="S",
        help="for the first word to a running hub (default 60; 0 does not wait)",
    )
    add("--firmware", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    flash.set_defaults(run=_flash)


def _flash(arguments: argparse.Namespace) -> int:
    folder = data_folder(arguments.site) if arguments.site else None
    named = dict(_port_and_key(text) for text in arguments.port)
    keys_of_ports = {port: key for port, key in named.items() if key}
    if folder is None and (arguments.keys or keys_of_ports):
        raise ConfigError([Problem("command line", "--site", "is missing: whose nodes are these?")])
    nodes = {
        key: read_node(folder, key)
        for key in [*arguments.keys, *keys_of_ports.values()]
        if folder is not None
    }
    image = build_image(time.time(), arguments.firmware) if arguments.firmware else build_image(time.time())
    ports = list(named) or all_ports()
    surveys, failed = _surveyed(ports, image)
    if failed and arguments.keys:
        fleet.let_go(surveys)
        hint = "repeat without the others, or say which is which: --port PORT=KEY"
        raise OperatorNeeded("nothing was flashed: which board is which cannot be told now", hint=hint)
    dealt = _dealt(surveys, keys_of_ports, arguments.keys, is_wiped=arguments.wipe)
    if folder is not None:
        failed |= _set_aside_strangers(surveys, dealt, folder)
    outcomes = _flashed(surveys, dealt, nodes, image, is_wiped=arguments.wipe)
    is_fine = _report(outcomes) and not failed
    flashed = {one.port: one.flashed.device_key for one in outcomes if one.flashed}
    if folder is None or not flashed:
        return 0 if is_fine else 1
    remember_ports(folder, flashed)
    is_heard = _wait_for(folder, list(flashed.values()), image.version, arguments.wait)
    return 1 if not is_fine else 0 if is_heard else 3


def _port_and_key(text: str) -> tuple[str, str]:
    port, _, key = text.partition("=")
    return port, key


def _surveyed(ports: Sequence[str], image: Image) -> tuple[dict[str, Survey], bool]:
    """Return what is on the boards that can be flashed, and whether some cannot: those are reported."""
    found = fleet.survey_all(ports, image)
    troubles = [one for one in found.values() if isinstance(one, PenstockError)]
    for trouble in troubles:
        print(f"penstock: error: {trouble}", file=sys.stderr)
    return {port: one for port, one in found.items() if isinstance(one, Survey)}, bool(troubles)


def _dealt(
    surveys: Mapping[str, Survey], named: Mapping[str, str], keys: Sequence[str], *, is_wiped: bool
) -> dict[str, str | None]:
    there = {port: key for port, key in named.items() if port in surveys}
    try:
        return fleet.deal(surveys, there, keys, is_wiped=is_wiped)
    except ConfigError:
        fleet.let_go(surveys)
        raise


def _set_aside_strangers(surveys: dict[str, Survey], dealt: Mapping[str, str | None], folder: Path) -> bool:
    """Report and take out the nodes whose key no hub of this site takes. Return whether there are any."""
    registry = RegistryFile(folder).load()
    site_key = read_site_key(folder) if (folder / SITE_KEY_FILE).exists() else b""  # then all are strangers
    strangers = {}
    for port, found in surveys.items():
        node = found.node
        if dealt[port] is None and node is not None:
            generation = registry.nodes.get(node.device_key, Node("")).generation
            if node.key != node_key(site_key, node.device_key, generation):
                strangers[port] = node.device_key
    fleet.let_go({port: surveys.pop(port) for port in strangers})
    for port, key in strangers.items():
        what = f"it is {key}, with a key that is not of this site, or was renewed"
        hint = f"give it the one that counts: penstock node flash --port {port}={key} --site …"
        print(f"penstock: error: {OperatorNeeded(what, where=port, hint=hint)}", file=sys.stderr)
    return bool(strangers)


def _flashed(
    surveys: Mapping[str, Survey],
    dealt: Mapping[str, str | None],
    nodes: Mapping[str, Any],
    image: Image,
    *,
    is_wiped: bool,
) -> list[fleet.Outcome]:
    titles = [(port, f"{dealt[port] or _known_as(found)} ({port})") for port, found in surveys.items()]
    given = {port: nodes.get(dealt[port] or "") for port in surveys}
    with Bars(titles) as bars:
        return fleet.flash_all(surveys, image, given, bars.of, is_wiped=is_wiped)


def _known_as(found: Survey) -> str:
    return found.node.device_key if found.node else "new board"


def _report(outcomes: Sequence[fleet.Outcome]) -> bool:
    for port, flashed, trouble in outcomes:
        if trouble:
            print(f"penstock: error: {trouble}", file=sys.stderr)
        if flashed:
            kept = f"; kept {' and '.join(flashed.kept)}" if flashed.kept else ""
            print(f"{flashed.device_key}: {flashed.version} in slot {flashed.slot} of {port}{kept}")
            if flashed.foreign:
                print(f"{flashed.device_key}: left alone what is not ours: {', '.join(flashed.foreign)}")
            if flashed.moved:
                print(f"{flashed.device_key}: the main.py that was there is now {flashed.moved}")
    return not any(one.trouble for one in outcomes)


def _wait_for(folder: Path, keys: list[str], version: str, patience_s: float) -> bool:
    """Return whether every node has proved itself to the running hub; True without one, and says so."""
    if live_nodes(folder) is None:
        print("no hub listens for nodes here: whether they find one remains to be seen")
        return True
    began_s = time.monotonic()
    waiting = list(keys)
    while waiting and time.monotonic() - began_s < patience_s:
        live = live_nodes(folder) or {}
        age_s = time.monotonic() - began_s
        for key in [key for key in waiting if _is_greeting(live.get(key), version, age_s)]:
            print(f"{key}: talks to the hub")
            waiting.remove(key)
        time.sleep(_POLL_S)
    for key in waiting if patience_s else ():
        print(
            f"penstock: {key} has not reported to the hub; penstock node logs {key} says why", file=sys.stderr
        )
    return not waiting or not patience_s


def _is_greeting(live: Mapping[str, Any] | None, version: str, age_s: float) -> bool:
    """Return whether a node's session is of what was flashed just now, not of what ran before."""
    return (
        live is not None and live["firmware_version"] == version and live["connected_s"] <= age_s + _SWITCH_S
    )
