"""penstock node list: who is known at a site, and how each is now."""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hub.errors import OperatorNeeded, Problem
from hub.nodes.registry import APPROVED, PENDING, Node
from hub.nodes.registry_io import RegistryFile
from hub.status_io import read_status
from tools.command.node_site import add_site, data_folder

_POLL_S = 0.2
_PATIENCE_S = 10.0  # for a hub that restarts
_HEADINGS = ("NODE", "STATE", "NOW", "VERSION", "SEEN", "RSSI", "RING", "ADDRESS")
_ROW = "{:<24} {:<9} {:<8} {:<18} {:>9} {:>5} {:>16} {}"


def register(commands: Any) -> None:
    """Add the command."""
    listing = commands.add_parser(
        "list",
        help="list the nodes of a site: state, version, last seen, radio, what waits on them",
        description="List the nodes of a site. RSSI in dBm; RING: rows that wait on it, how full it is.",
    )
    add_site(listing)
    listing.add_argument("--json", action="store_true", help="print everything that is known as JSON")
    listing.set_defaults(run=_list)


def _list(arguments: argparse.Namespace) -> int:
    folder = data_folder(arguments.site)
    nodes = RegistryFile(folder).load().nodes
    live = live_nodes(folder)
    if arguments.json:
        known = {key: asdict(node) | {"live": (live or {}).get(key)} for key, node in nodes.items()}
        print(json.dumps(known, indent=1, ensure_ascii=False))
    else:
        print(_ROW.format(*_HEADINGS))
        for key, node in sorted(nodes.items()):
            print(_row(key, node, None if live is None else live.get(key, {})))
        if live is None:
            print("no hub listens for nodes here: NOW, RSSI and RING are not known")
    return 3 if any(node.state == PENDING for node in nodes.values()) else 0


def live_nodes(folder: Path) -> dict[str, dict[str, Any]] | None:
    """Return what the running hub says of each connected node; None when no hub listens for nodes."""
    try:
        state = read_status(folder).get("nodes")
    except OperatorNeeded:
        return None
    return None if state is None else {node["device_key"]: node for node in state["connected"]}


def watch(folder: Path) -> Iterator[dict[str, dict[str, Any]] | None]:
    """Yield what live_nodes says, again and again, until no hub has listened for a while."""
    heard_s = time.monotonic()
    while True:
        live, now_s = live_nodes(folder), time.monotonic()
        if live is not None:
            heard_s = now_s
        elif now_s - heard_s > _PATIENCE_S:
            return
        yield live
        time.sleep(_POLL_S)


def about_node(folder: Path, key: str) -> list[Problem]:
    """Return why nothing can be told to a node; nothing when it is approved."""
    node = RegistryFile(folder).load().nodes.get(key)
    if node is None:
        return [
            Problem("command line", key, "there is no such node", "penstock node list --site … names them")
        ]
    if node.state == APPROVED:
        return []
    what = "waits for approval" if node.state == PENDING else "is revoked"
    return [Problem("command line", key, what, f"penstock node approve {key} --site …")]


def _row(key: str, node: Node, live: dict[str, Any] | None) -> str:
    now = "" if live is None else "online" if live else "offline"
    rssi, rows = (live or {}).get("rssi_dbm"), (live or {}).get("ring_rows")
    return _ROW.format(
        key,
        node.state,
        now or "-",
        node.firmware_version or "-",
        "now" if live else _ago(node.seen_at_ms, time.time()),
        "-" if rssi is None else rssi,
        "-" if live is None or rows is None else f"{rows} rows {live['ring_percent']:.0f} %",
        node.address or "-",
    )


def _ago(at_ms: int | None, now_s: float) -> str:
    """Return how long ago that was, in the largest unit that says enough."""
    if at_ms is None:
        return "never"
    seconds = max(0, int(now_s - at_ms / 1000))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
