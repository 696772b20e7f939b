"""penstock node configure: what a node measures and how often; the running hub tells it."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, Problem
from hub.nodes.registry_io import RegistryFile
from tools.command.node_list import about_node, live_nodes, watch
from tools.command.node_plan import read_plan
from tools.command.node_site import add_site, data_folder

WAIT_S = 60
_WAIT_MOST_S = 86_400
_NO_HUB = "no hub listens for nodes here; one that starts brings it: penstock hub run FILE"
_EPILOG = """\
examples:
  penstock node configure tank-1 tank.json --site site.toml
  penstock node configure tank-1 --site site.toml               what is wanted, and what it runs on

A node tries what it is told: its sensors have to answer as the configuration says, or it keeps the one
before, and says why. Exit code: 0 it runs on it; 1 it refused; 2 wrong usage, nothing was changed; 3 not
known yet: the hub keeps telling it.
"""


def register(commands: Any) -> None:
    """Add the command."""
    configure = commands.add_parser(
        "configure",
        help="say what a node measures and how often",
        description="Gives a node another configuration, a JSON object (docs/DRIVERS.md), and says what it\n"
        "made of it. Without FILE, prints the one that is wanted.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = configure.add_argument
    add("key", metavar="KEY", help="the node, as penstock node list names it")
    add("file", nargs="?", type=Path, metavar="FILE", help="the configuration")
    add("--wait", type=int, default=WAIT_S, metavar="S", help=f"for the node's word, at most ({WAIT_S})")
    add_site(configure)
    configure.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    folder, key = data_folder(arguments.site), arguments.key
    problems = about_node(folder, key)
    if not 0 <= arguments.wait <= _WAIT_MOST_S:
        reason = f"{arguments.wait} is out of range"
        problems.append(Problem("command line", "--wait", reason, f"use 0 to {_WAIT_MOST_S}"))
    if problems:
        raise ConfigError(problems)
    if arguments.file is None:
        return _show(folder, key)
    document = read_plan(arguments.file)
    wanted = RegistryFile(folder).edit(lambda registry: registry.configured(key, document)).nodes[key]
    return _followed(folder, key, wanted.config_version, arguments.wait)


def _show(folder: Path, key: str) -> int:
    node, live = RegistryFile(folder).load().nodes[key], live_nodes(folder)
    if not node.config_version:
        print(f"{key} runs on what it was flashed with; nothing else is wanted")
        return 0
    print(json.dumps(json.loads(node.config), indent=1, ensure_ascii=False))
    told = None if live is None else _told(key, node.config_version, live.get(key))
    print(
        told[1]
        if told
        else f"{key}: configuration {node.config_version} is wanted; what it runs on is not known now"
    )
    return told[0] if told else 3


def _followed(folder: Path, key: str, version: int, wait_s: int) -> int:
    """Wait for the node's word, say it, and return the exit code."""
    ends_s = time.monotonic() + wait_s
    for live in watch(folder):
        told = live and _told(key, version, live.get(key))
        if told:
            print(told[1])
            return told[0]
        if time.monotonic() >= ends_s:
            print(f"{key}: configuration {version}: not known yet; the hub tells it when it dials")
            return 3
    print(_NO_HUB)
    return 3


def _told(key: str, version: int, live: dict[str, Any] | None) -> tuple[int, str] | None:
    """Return exit code and sentence for what a node said of a version, None when it said nothing."""
    if live is None:
        return None
    if live["config_version"] == version:
        return 0, f"{key}: configuration {version}: applied"
    if live["refused_config_version"] == version:
        kept = live["config_version"]
        keeps = f"configuration {kept}" if kept else "what it was flashed with"
        return 1, f"{key}: configuration {version}: refused; {live['refusal']}; it keeps {keeps}"
    return None
