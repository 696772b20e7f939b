"""penstock hub: check a configuration, run a site's hub, ask how it stands, empty its outbox."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import uvloop

from hub.config import HubConfig, load
from hub.errors import ConfigError, Problem
from hub.logging_io import configure_logging
from hub.run import run_hub
from hub.site import Site, open_site
from hub.status_io import read_status

_EPILOG = """\
examples:
  penstock hub check site.toml
  penstock hub run site.toml
  penstock hub status site.toml
  penstock hub drain site.toml --timeout 600

Exit code of status: 3 when something is wrong; of drain: 3 when dead letters remain, 1 when time ran out.
"""


def register(groups: Any) -> None:
    """Add the hub commands."""
    parser = groups.add_parser(
        "hub",
        help="run the hub of a site",
        description="The service of a site: polls, stores, uploads.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(commands, "run", "run until SIGTERM or Ctrl-C", _run)
    _add(commands, "check", "say everything that is wrong with a configuration; start nothing", _check)
    status = _add(commands, "status", "say how the running hub stands", _status)
    status.add_argument("--json", action="store_true", help="print the whole state as JSON")
    drain = _add(commands, "drain", "poll nothing, upload what is stored, end when it is empty", _drain)
    drain.add_argument(
        "--timeout", type=_seconds, default=3600.0, metavar="S", help="give up after (default 3600)"
    )


def _add(commands: Any, name: str, sentence: str, handler: Any) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}."
    )
    command.add_argument("config", type=Path, metavar="CONFIG", help="the hub's TOML file")
    command.set_defaults(run=handler)
    return command


def _opened(arguments: argparse.Namespace) -> tuple[HubConfig, Site]:
    return open_site(arguments.config)


def _run(arguments: argparse.Namespace) -> int:
    config, site = _opened(arguments)
    _configure_logging(config)
    uvloop.run(run_hub(config, site))
    return 0


def _drain(arguments: argparse.Namespace) -> int:
    config, site = _opened(arguments)
    if config.cloud is None:
        hint = "the readings stay here; penstock outbox export writes them to a file"
        raise ConfigError([Problem(str(arguments.config), "cloud", "is missing: drain where to?", hint)])
    _configure_logging(config)
    try:
        left = uvloop.run(asyncio.wait_for(run_hub(config, site, is_draining=True), arguments.timeout))
    except TimeoutError:
        print("penstock: not everything was uploaded in time; the rest is kept", file=sys.stderr)
        return 1
    return _say_what_is_left(left.dead_letters, arguments.config)


def _say_what_is_left(dead_letters: int, config: Path) -> int:
    if not dead_letters:
        print("the outbox is empty: the cloud has everything")
        return 0
    rows = "1 dead letter is" if dead_letters == 1 else f"{dead_letters} dead letters are"
    print(
        f"{rows} left, which the cloud refused; the rest is uploaded. They are listed by:\n"
        f"  penstock outbox dead-letter list {config}",
        file=sys.stderr,
    )
    return 3


def _configure_logging(config: HubConfig) -> None:
    configure_logging(config.hub.log_level, config.hub.log_file, config.hub.log_format)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not within 0-1000000 seconds")
    return seconds


def _check(arguments: argparse.Namespace) -> int:
    config, site = _opened(arguments)
    where = config.cloud.url if config.cloud else "no cloud: readings stay on this hub"
    print(f"{arguments.config}: fine")
    print(f"hub {config.hub.device_key}, {len(site.buses)} bus(es), {len(site.devices)} device(s); {where}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    config = load(arguments.config)
    state = read_status(config.hub.data_dir)
    if arguments.json:
        print(orjson.dumps(state, option=orjson.OPT_INDENT_2).decode())
        return 0
    outbox, uplink = state["outbox"], state["uplink"]
    print(f"hub {state['device_key']}, up {state['uptime_s'] / 3600:.1f} h")
    if not state["is_clock_known"]:
        print(
            "time: not known; readings wait, on the disk and on nodes, until it is (docs/TROUBLESHOOTING.md)"
        )
    for bus in state["buses"]:
        print(f"bus {bus['name']}: {bus['utilisation']:.0%} used, cycle {bus['cycle_ms_p50']:.0f} ms")
    _print_nodes(state["nodes"])
    _print_neighbours(state["mesh"])
    capacity = outbox["capacity_s"]
    survives = f"{capacity / 86_400:.0f} days" if capacity else "an unknown time"
    print(f"outbox: {outbox['rows']} rows, {outbox['bytes_on_disk']} bytes; survives {survives} offline")
    online = "online" if uplink["is_online"] else "offline"
    print(f"uplink: {online}; last error: {uplink['last_error'] or 'none'}")
    for event in state["events"]:
        print(f"{event['level']}: {event['code']}: {event['message']}")
    return 3 if state["events"] else 0


def _print_nodes(nodes: dict[str, Any] | None) -> None:
    if nodes is None:
        return
    connected, pending = nodes["connected"], nodes["pending"]
    print(f"nodes: {len(connected)} connected of {nodes['approved']} approved, on port {nodes['port']}")
    for node in connected:
        what = f"{node['board']} {node['firmware_version']} at {node['address']}"
        print(f"node {node['device_key']}: {what}, {node['rows']} rows in {node['connected_s'] / 60:.0f} min")
    for node in pending:
        what = f"{node['board']} {node['firmware_version']} at {node['address']}"
        seen = f", seen {_instant(node['seen_at_ms'])}" if node["seen_at_ms"] else ""
        key = node["device_key"]
        print(f"node {key}: {what}{seen}; waits for: penstock node approve {key}")


def _print_neighbours(mesh: dict[str, Any] | None) -> None:
    if mesh is None:
        return
    where = ", ".join(mesh["addresses"]) or "nowhere"
    strangers = f"; {mesh['strangers']} hubs of other sites" if mesh["strangers"] else ""
    print(f"announced at: {where}, with {mesh['nodes_announced']} nodes{strangers}")
    for hub in mesh["neighbours"]:
        place = f" ({hub['location']})" if hub["location"] else ""
        nodes = f", nodes on port {hub['node_port']}" if hub["node_port"] else ""
        print(f"neighbour {hub['device_key']}: {hub['name']}{place} at {hub['address']}{nodes}")


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(" ", "seconds")
